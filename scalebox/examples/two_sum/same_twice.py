def two_sum(numbers, target):
    for left, number in enumerate(numbers):
        if target - number in numbers:
            return [left, numbers.index(target - number)]
