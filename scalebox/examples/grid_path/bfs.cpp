#include <iostream>
#include <queue>
#include <string>
#include <utility>
#include <vector>

int main() {
    int rows, columns;
    std::cin >> rows >> columns;
    std::vector<std::string> grid(rows);
    for (auto &line : grid) std::cin >> line;
    std::vector<std::vector<int>> steps(rows, std::vector<int>(columns, -1));
    std::queue<std::pair<int, int>> queue;
    steps[0][0] = 0;
    queue.push({0, 0});
    const int move[5] = {0, 1, 0, -1, 0};
    while (!queue.empty()) {
        auto [row, column] = queue.front();
        queue.pop();
        for (int i = 0; i < 4; i++) {
            int r = row + move[i], c = column + move[i + 1];
            if (r < 0 || c < 0 || r >= rows || c >= columns) continue;
            if (grid[r][c] == '#' || steps[r][c] >= 0) continue;
            steps[r][c] = steps[row][column] + 1;
            queue.push({r, c});
        }
    }
    std::cout << steps[rows - 1][columns - 1] << "\n";
}
