// Each reader of many values; the labels count from where they are told to.
#include "testlib.h"

using namespace std;

template <class T>
void same(const vector<T> &a, const vector<T> &b) {
    if (a != b) quitf(_wa, "different");
}

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    same(ouf.readIntegers(2), ans.readInts(2, -5, 5));
    same(ouf.readLongs(2, 0, 1LL << 40, "long", 0), ans.readLongs(2));
    same(ouf.readUnsignedLongs(1, 0, 9, "u"), ans.readUnsignedLongs(1));
    same(ouf.readReals(1, 0, 1, "r"), ans.readDoubles(1));
    same(ouf.readWords(2, "[a-z]{1,3}", "word", 7), ans.readTokens(2));
    ouf.nextLine();
    ans.nextLine();
    same(ouf.readLines(2), ans.readStrings(2, ".*|[a-z\\ ]*", "line"));
    quitf(_ok, "all the same");
}
