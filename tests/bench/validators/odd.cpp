// An output is one odd number.  `main` has no parameters.
#include <cstdio>
#include <cstdlib>
#include <cstring>

int main() {
    char word[100], more[2];
    if (scanf("%99s", word) != 1) return 43;
    if (!strcmp(word, "crash")) abort();
    if (!strcmp(word, "other")) return 7;
    int number = atoi(word);
    return number % 2 != 0 && scanf("%1s", more) != 1 ? 42 : 43;
}
