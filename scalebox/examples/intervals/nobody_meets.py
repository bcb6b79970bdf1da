meetings = [tuple(map(int, input().split())) for _ in range(int(input()))]
meetings.sort(key=lambda meeting: meeting[1])
held = 1
last = meetings[0]
for meeting in meetings[1:]:
    if meeting[0] >= last[1]:
        held += 1
        last = meeting
print(held)
