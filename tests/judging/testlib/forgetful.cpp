// Ends without saying anything, unless told otherwise.
#include "testlib.h"

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    std::string how = inf.readToken();
    if (how == "throws") throw std::runtime_error("no");
    if (how == "free") disableFinalizeGuard();
    if (how == "exits") std::exit(0);
    return 0;
}
