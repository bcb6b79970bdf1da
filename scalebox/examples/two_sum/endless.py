def two_sum(numbers, target):
    left, right = 0, len(numbers) - 1
    while numbers[left] + numbers[right] != target:
        if numbers[left] + numbers[right] > target:
            right -= 1
        elif left + 1 < right:
            left += 1
    return [left, right]
