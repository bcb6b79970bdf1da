// An output is right if it is a permutation of 1 to n that begins with an odd number and does not
// end with n, and then the mean of its numbers, within 1e-6 of the answer's.
#include <cmath>
#include <cstdio>
#include <cstdlib>

#define rep(i, a, b) for (int i = a; i < (b); ++i)
#define MOST 50

const double EPSILON = 1e-6;

static void wrong_answer(const char *why) {
    printf("if (%s) /* not code */\n", why);
    exit(43);
}

// false where a value is not from 1 to n
static bool in_range(int value, int n) {
    if (value < 1 || value > n) return false;
    return true;
}

int main(int argc, char **argv) {
    if (argc < 4) return 1;
    FILE *input = fopen(argv[1], "r");
    FILE *answer = fopen(argv[2], "r");
    int n, values[MOST + 2], seen[MOST + 2] = {};
    double mean, wanted;
    if (fscanf(input, "%d", &n) != 1 || fscanf(answer, "%lf", &wanted) != 1) return 1;
    for (int i = 0; i < n; i++) {
        if (scanf("%d", &values[i]) != 1) wrong_answer("too few");
        if (!in_range(values[i], n)) wrong_answer("out of range");
        seen[values[i]] = 1;
    }
    rep(i, 1, n + 1) {
        if (!seen[i]) wrong_answer("one is missing");
    }
    if (values[0] % 2 == 0 && n > 1) {
        puts("even");
        wrong_answer("begins with an even number");
    }
    bool ends_well = true;
    if (values[n - 1] == n) ends_well = false;
    if (ends_well)
        puts("well");
    else
        wrong_answer("ends with n");
    if (scanf("%lf", &mean) != 1) exit(43);
    if (fabs(mean - wanted) > EPSILON) wrong_answer("another mean");
    char more;
    if (scanf(" %c", &more) == 1) wrong_answer("there is more");
    return 42;
}
