import math

n = int(input())
numbers = list(map(float, input().split()))
print(f"{math.exp(sum(map(math.log, numbers)) / n):.2f}")
