// Yes or no, in any case, and what the jury says.
#include "testlib.h"

using namespace std;

string said(InStream &stream) {
    string word = upperCase(stream.readToken());
    if (word != "YES" && word != "NO") stream.quits(_pe, "'" + word + "' is neither YES nor NO");
    return word;
}

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    string wanted = said(ans), found = said(ouf);
    if (wanted != found) expectedButFound(_wa, wanted, found, "at %d", 1);
    quitf(_ok, "%s", found.c_str());
}
