// Sends bits one by one, and hears each of them again as a character.
#include "testlib.h"

int main(int argc, char *argv[]) {
    registerInteraction(argc, argv);
    std::string bits = inf.readToken("[01]{1,100}", "bits");
    for (char bit : bits) {
        std::cout << bit << std::flush;
        ouf.readChar(bit);
    }
    std::cout << "." << std::flush;
    ouf.readEoln();
    ouf.readEof();
    quitf(_pc(int(bits.size())), "heard");
}
