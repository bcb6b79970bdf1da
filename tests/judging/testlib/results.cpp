// Every result, of every stream; what the output holds is not looked at.
#include "testlib.h"

using namespace std;

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    string stream = inf.readToken();
    map<string, TResult> results = {
        {"ok", _ok}, {"wa", _wa}, {"pe", _pe}, {"fail", _fail}, {"dirt", _dirt},
        {"points", _points}, {"eof", _unexpected_eof}, {"partially", _partially}, {"what", TResult(9)}};
    TResult result = results.at(inf.readToken());
    if (stream == "ouf") ouf.quitf(result, "as %s says", "it");
    if (stream == "ans") ans.quits(result, "as it says");
    if (stream == "inf") inf.quit(result, "as it says");
    quitif(stream == "if", result, "as %s says", "it");
    ouf.quitif(stream == "ouf if", result, "never");
    quit(result, "as it says");
}
