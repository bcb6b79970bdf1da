// A validator: every space counts.
#include "testlib.h"

int main(int argc, char *argv[]) {
    registerValidation(argc, argv);
    int n = inf.readInt(1, 5, "n");
    inf.readEoln();
    for (int i = 0; i < n; i++) {
        if (i) inf.readSpace();
        inf.readLong(-9, 9, format("a[%d]", i));
    }
    inf.readEoln();
    inf.readStrictDoubles(n, 0, 9, 1, 1, "d");
    inf.readEoln();
    inf.readLines(2, "[a-z]*");
    if (validator.testset() == "pretests") ensuref(n < 3, "too large for %s", "pretests");
    if (validator.group() != "open") inf.readEof();
}
