def two_sum(numbers, target):
    for left in range(len(numbers)):
    for right in range(left):
        if numbers[left] + numbers[right] == target:
            return [right, left]
