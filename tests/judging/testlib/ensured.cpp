// What must hold: of the problem, and of the output.
#include "testlib.h"

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    int n = inf.readInt(), x = ouf.readInt();
    ensure(n > 0);
    ensuref(n < 10, "n is %d", n);
    ensure_ext(n != 7);
    ouf.ensure(x > 0);
    ouf.ensuref(x < n, "%d is not below %d", x, n);
    ans.ensuref(ans.seekEof(), "there is an answer");
    quitf(_ok, "%d", x);
}
