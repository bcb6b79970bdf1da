// Tokens are the same, whatever the white space.
#include "testlib.h"

using namespace std;

int main(int argc, char *argv[]) {
    setName("compare sequences of %s", "tokens");
    registerTestlibCmd(argc, argv);
    int n = 0;
    while (!ans.seekEof() && !ouf.seekEof()) {
        n++;
        string wanted = ans.readWord(), found = ouf.readToken();
        if (wanted != found)
            quitf(_wa, "%d%s words differ - expected: '%s', found: '%s'", n,
                  englishEnding(n).c_str(), compress(wanted).c_str(), compress(found).c_str());
    }
    if (!ans.seekEof()) quitf(_wa, "only %d tokens", n);
    if (!ouf.seekEof()) quitf(_wa, "more than %d tokens", n);
    quitf(_ok, "%d tokens", n);
}
