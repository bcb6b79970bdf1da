// Numbers in decimal notation with one to three digits after the point.
#include "testlib.h"

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    int n = inf.readInt();
    std::vector<double> found = ouf.readStrictDoubles(n, -10, 10, 1, 3, "x");
    double sum = ouf.readStrictReal(-1000, 1000, 0, 3, "sum");
    for (double x : found) sum -= x;
    if (!doubleCompare(0, sum, 1e-3)) quitf(_wa, "the sum is wrong by %.3f", sum);
    quitf(_ok, "right");
}
