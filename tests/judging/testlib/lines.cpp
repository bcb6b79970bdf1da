// The same lines; what ends them does not count.
#include "testlib.h"

using namespace std;

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    int n = 0;
    string wanted, found;
    while (!ans.eof()) {
        n++;
        ans.readLineTo(wanted);
        if (n % 2 == 0)
            found = ouf.readLine();
        else
            ouf.readStringTo(found);
        if (wanted != found)
            quitf(_wa, "line %d: expected '%s', found '%s'", n, wanted.c_str(), found.c_str());
    }
    quitf(_ok, "%d lines", n);
}
