// A part of the points.
#include "testlib.h"

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    int p = ouf.readInt();
    quitf(_pc(p), "so many");
}
