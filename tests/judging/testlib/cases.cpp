// Several test cases in one file, which messages name.
#include "testlib.h"

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    int cases = inf.readInt();
    for (int t = 1; t <= cases; t++) {
        setTestCase(t);
        if (ouf.readInt() != ans.readInt()) quitf(_wa, "different");
    }
    if (cases > 5) unsetTestCase();
    quitf(_ok, "right");
}
