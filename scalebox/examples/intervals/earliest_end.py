import sys

numbers = list(map(int, sys.stdin.read().split()))
meetings = sorted(zip(numbers[2::2], numbers[1::2]))
held = 0
free_from = -(10**18)
for end, start in meetings:
    if start >= free_from:
        held += 1
        free_from = end
print(held)
