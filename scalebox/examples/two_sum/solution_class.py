from typing import List, Tuple


class Solution:
    def two_sum(self, numbers: List[int], target: int) -> Tuple[int, int]:
        for left in range(len(numbers)):
            for right in range(left + 1, len(numbers)):
                if numbers[left] + numbers[right] == target:
                    return left, right
        raise ValueError("no such pair")
