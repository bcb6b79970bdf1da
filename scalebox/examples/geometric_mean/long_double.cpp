#include <cmath>
#include <cstdio>

int main() {
    int n;
    if (std::scanf("%d", &n) != 1) return 1;
    long double sum = 0;
    for (int i = 0; i < n; i++) {
        double value;
        if (std::scanf("%lf", &value) != 1) return 1;
        sum += std::log2(static_cast<long double>(value));
    }
    std::printf("%.8Le\n", std::exp2(sum / n));
}
