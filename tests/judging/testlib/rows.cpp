// Rows of any length: the sum of each, told by where its line ends.
#include "testlib.h"

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    int rows = 0;
    while (!ans.seekEof()) {
        rows++;
        ouf.skipBlanks();
        if (ouf.curChar() == '=') ouf.skipChar();
        long long sum = 0;
        while (!ouf.seekEoln()) sum += ouf.readInt();
        if (sum != ans.readLong()) quitf(_wa, "row %d: %lld, before line %d", rows, sum, ouf.getLine());
    }
    char next = ouf.nextChar();
    if (next == '.') {
        if (!ouf.eoln()) quit(_pe, "no line may go on after the point");
    } else {
        ouf.unreadChar(next);
    }
    quit(_ok, vtos(rows) + " rows");
}
