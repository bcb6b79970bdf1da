rows, columns = map(int, input().split())
grid = [input() for _ in range(rows)]
steps = {}
stack = [(0, 0, 0)]
while stack:
    row, column, count = stack.pop()
    if (row, column) in steps or not (0 <= row < rows and 0 <= column < columns):
        continue
    if grid[row][column] == "#":
        continue
    steps[row, column] = count
    for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        stack.append((row + down, column + right, count + 1))
print(steps.get((rows - 1, columns - 1), -1))
