#include <iostream>
#include <string>
#include <vector>

int main() {
    std::string text;
    std::cin >> text;
    int n = static_cast<int>(text.size());
    std::vector<int> border(n, 0);
    for (int i = 1, k = 0; i < n; i++) {
        while (k > 0 && text[i] != text[k]) k = border[k - 1];
        if (text[i] == text[k]) k++;
        border[i] = k;
    }
    int period = n - border[n - 1];
    std::cout << period << "\n";
}
