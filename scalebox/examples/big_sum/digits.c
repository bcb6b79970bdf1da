#include <stdio.h>
#include <string.h>

#define PLACES 400

int main(void) {
    int n;
    static int sum[PLACES];
    char text[PLACES];
    if (scanf("%d", &n) != 1) return 1;
    for (int i = 0; i < n; i++) {
        if (scanf("%399s", text) != 1) return 1;
        int length = (int)strlen(text);
        for (int place = 0; place < length; place++) {
            sum[place] += text[length - 1 - place] - '0';
        }
    }
    for (int place = 0; place + 1 < PLACES; place++) {
        sum[place + 1] += sum[place] / 10;
        sum[place] %= 10;
    }
    int top = PLACES - 1;
    while (top > 0 && sum[top] == 0) top--;
    for (; top >= 0; top--) putchar('0' + sum[top]);
    putchar('\n');
    return 0;
}
