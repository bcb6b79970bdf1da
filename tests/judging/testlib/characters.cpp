// A picture, character by character: every space and line end where it should be.
#include "testlib.h"

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    int n = inf.readInt(1, 10);
    for (int i = 0; i < n; i++) {
        ouf.readChar('<');
        char c = ouf.readChar();
        if (c != '#' && c != '.') quitf(_wa, "a strange picture");
        ouf.readSpace();
        ouf.readChar('>');
        ouf.readEoln();
    }
    ouf.readEof();
    quitf(_ok, "%d rows", n);
}
