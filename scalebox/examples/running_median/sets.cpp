#include <cstdio>
#include <iterator>
#include <set>

int main() {
    int n;
    if (std::scanf("%d", &n) != 1) return 1;
    std::multiset<long long> seen;
    auto middle = seen.end();
    for (int i = 0; i < n; i++) {
        long long value;
        if (std::scanf("%lld", &value) != 1) return 1;
        seen.insert(value);
        if (i == 0) {
            middle = seen.begin();
        } else if (value < *middle) {
            // The median's place is (size - 1) / 2: it moves only when the size becomes odd.
            if (i % 2 == 1) --middle;
        } else if (i % 2 == 0) {
            ++middle;
        }
        std::printf("%lld\n", *middle);
    }
}
