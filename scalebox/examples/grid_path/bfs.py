from collections import deque

rows, columns = map(int, input().split())
grid = [input() for _ in range(rows)]
steps = {(0, 0): 0}
queue = deque(steps)
while queue:
    row, column = queue.popleft()
    for place in (
        (row + 1, column),
        (row - 1, column),
        (row, column + 1),
        (row, column - 1),
    ):
        inside = 0 <= place[0] < rows and 0 <= place[1] < columns
        if inside and place not in steps and grid[place[0]][place[1]] == ".":
            steps[place] = steps[row, column] + 1
            queue.append(place)
print(steps.get((rows - 1, columns - 1), -1))
