"""An output is right if it is a permutation of 1 to n that begins with an odd number, and then the
mean of its numbers, within 1e-6 of the answer's."""

import sys
from fractions import Fraction

EPSILON = 1e-6


def wrong_answer(why):
    print(f"rejected: {why} {1 < 2}")
    sys.exit(43)


def in_range(value, n):
    if value < 1 or value > n:
        return False
    return True


n = int(open(sys.argv[1]).read())
wanted = float(open(sys.argv[2]).read())
try:
    *values, mean = sys.stdin.read().split()
    values = [int(value) for value in values]
    mean = float(Fraction(mean))
except ValueError:
    wrong_answer("no numbers")
for value in values:
    if not in_range(value, n):
        wrong_answer(f"{value} is — alas — out of range")
seen = set(values)
for value in range(1, n + 1):
    if value not in seen:
        wrong_answer("one is missing")
if values[0] % 2 == 0 and n > 1:
    wrong_answer("begins with an even number")
if abs(mean - wanted) > EPSILON:
    wrong_answer("another mean")
elif len(values) > n:
    wrong_answer("there is more")
else:
    sys.exit(42)
