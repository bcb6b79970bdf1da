from bisect import insort

seen = []
for _ in range(int(input())):
    insort(seen, int(input()))
    print(seen[len(seen) // 2])
