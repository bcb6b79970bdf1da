#include <cstdlib>
#include <iostream>
#include <string>

int main() {
    int n;
    std::cin >> n;
    unsigned long long sum = 0;
    for (std::string word; n-- > 0 && std::cin >> word;) {
        sum += std::strtoull(word.c_str(), nullptr, 10);
    }
    std::cout << sum << "\n";
}
