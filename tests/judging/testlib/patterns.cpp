// The input says which pattern a token, or a line, must match.
#include "testlib.h"

using namespace std;

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    string kind = inf.readToken("token|line|object", "kind");
    inf.nextLine();
    string wanted = inf.readLine();
    string found;
    if (kind == "token")
        ouf.readTokenTo(found, wanted, "it");
    else if (kind == "line")
        found = ouf.readLine(wanted, "it");
    else
        found = ouf.readWord(pattern(wanted));
    quitf(_ok, "%s matches", compress(found).c_str());
}
