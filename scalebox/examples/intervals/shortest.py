meetings = [tuple(map(int, input().split())) for _ in range(int(input()))]
held = []
for start, end in sorted(meetings, key=lambda meeting: meeting[1] - meeting[0]):
    if all(end <= other[0] or start >= other[1] for other in held):
        held.append((start, end))
print(len(held))
