#include <stdio.h>
#include <stdlib.h>

struct meeting {
    long start, end;
};

static int by_end(const void *a, const void *b) {
    const struct meeting *left = a, *right = b;
    return (left->end > right->end) - (left->end < right->end);
}

int main(void) {
    int n;
    if (scanf("%d", &n) != 1) return 1;
    struct meeting *all = calloc(n > 0 ? n : 1, sizeof *all);
    for (int i = 0; i < n; i++) {
        if (scanf("%ld %ld", &all[i].start, &all[i].end) != 2) return 1;
    }
    qsort(all, n, sizeof *all, by_end);
    int held = 0;
    for (int i = 0, last = -1; i < n; i++) {
        if (last < 0 || all[i].start >= all[last].end) {
            held++;
            last = i;
        }
    }
    printf("%d\n", held);
    free(all);
    return 0;
}
