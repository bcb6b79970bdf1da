#include <iostream>
#include <string>
#include <vector>

int main() {
    std::string text;
    std::cin >> text;
    int n = static_cast<int>(text.size());
    // common[i][j]: how far the suffixes from i and from j agree.
    std::vector<std::vector<int>> common(n + 1, std::vector<int>(n + 1, 0));
    for (int i = n - 1; i >= 0; i--) {
        for (int j = n - 1; j >= 0; j--) {
            common[i][j] = text[i] == text[j] ? common[i + 1][j + 1] + 1 : 0;
        }
    }
    for (int period = 1; period <= n; period++) {
        if (n % period == 0 && common[0][period] == n - period) {
            std::cout << period << "\n";
            return 0;
        }
    }
}
