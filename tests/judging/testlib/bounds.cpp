// Numbers within bounds that the input gives.
#include "testlib.h"

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    int n = inf.readInt(1, 100, "n");
    int x = ouf.readInt(1, n, "x");
    long long y = ouf.readLong(-n, n, "y");
    double z = ouf.readDouble(0, 1.5, "z");
    ans.readReal(0, 1);
    quitf(_ok, "%d %lld %.2f", x, y, z);
}
