#include <stdio.h>
#include <stdlib.h>

struct number {
    int places;
    char *digits;
};

int main(void) {
    int n;
    if (scanf("%d", &n) != 1) return 1;
    struct number *volatile sum = NULL; /* the line that would make one is missing */
    sum->places = n;
    printf("%d\n", sum->places);
    return 0;
}
