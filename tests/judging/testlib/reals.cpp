// Numbers near enough, absolutely or relatively.
#include "testlib.h"

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    const double tolerance = 1e-6;
    for (int n = 1; !ans.seekEof(); n++) {
        double wanted = ans.readDouble(), found = ouf.readDouble();
        if (!doubleCompare(wanted, found, tolerance))
            quitf(_wa, "%d%s: expected %.6f, found %.6f, error %.6f", n, englishEnding(n).c_str(),
                  wanted, found, doubleDelta(wanted, found));
    }
    quit(_ok, "near enough");
}
