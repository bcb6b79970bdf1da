// Asks for sums, line by line; the jury's answers are a file.
#include "testlib.h"

using namespace std;

int main(int argc, char *argv[]) {
    registerInteraction(argc, argv);
    int n = inf.readInt(), right = 0;
    for (int i = 1; i <= n; i++) {
        setTestCase(i);
        println(inf.readInts(2));
        cout.flush();
        string line = ouf.readLine();
        if (line == "pass") continue;
        if (stringToInt(ouf, line) != ans.readInt()) quitf(_wa, "no");
        right++;
    }
    unsetTestCase();
    println("end", string("of"), n);
    if (right < n) quitp(right, "of %d", n);
    quitf(_ok, "all");
}
