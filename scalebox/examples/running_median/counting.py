seen = []
for _ in range(int(input())):
    seen.append(int(input()))
    rank = (len(seen) - 1) // 2
    for candidate in seen:
        smaller = sum(1 for other in seen if other < candidate)
        equal = sum(1 for other in seen if other == candidate)
        if smaller <= rank < smaller + equal:
            print(candidate)
            break
