// Asks for sums, line by line; the jury's answers are a file.
#include "testlib.h"

using namespace std;

int main(int argc, char *argv[]) {
    registerInteraction(argc, argv);
    int n = inf.readInt(), right = 0;
    for (int i = 1; i <= n; i++) {
        setTestCase(i);
        printf("%s\n", join(inf.readInts(2)).c_str());
        fflush(stdout);
        string line = ouf.readLine();
        if (line == "pass") continue;
        if (stringToInt(ouf, line) != ans.readInt()) quitf(_wa, "no");
        right++;
    }
    unsetTestCase();
    cout << "end" << endl;
    if (right < n) quitp(right, "of %d", n);
    quitf(_ok, "all");
}
