// One integer of 32 bits.
#include "testlib.h"

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    int wanted = ans.readInteger();
    int found = ouf.readInt();
    if (wanted != found) quitf(_wa, "expected %d, found %d", wanted, found);
    quitf(_ok, "it is %d", found);
}
