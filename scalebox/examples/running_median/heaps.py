import heapq
import sys


def main():
    numbers = list(map(int, sys.stdin.read().split()))[1:]
    low, high = [], []
    out = []
    for number in numbers:
        if low and number > -low[0]:
            heapq.heappush(high, number)
        else:
            heapq.heappush(low, -number)
        if len(low) > len(high) + 1:
            heapq.heappush(high, -heapq.heappop(low))
        elif len(high) > len(low):
            heapq.heappush(low, -heapq.heappop(high))
        out.append(-low[0])
    print("\n".join(map(str, out)))


main()
