#include <iostream>
#include <string>

int main() {
    std::string text;
    std::cin >> text;
    std::cout << shortest_period(text) << "\n";
}
