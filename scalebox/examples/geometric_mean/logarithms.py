import math

n = int(input())
numbers = list(map(float, input().split()))
print(math.exp(math.fsum(map(math.log, numbers)) / n))
