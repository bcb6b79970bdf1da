// Integers of 64 bits, with and without a sign.
#include "testlib.h"

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    long long a = ouf.readLong(), b = ouf.readLongLong();
    unsigned long long c = ouf.readUnsignedLong();
    unsigned long long d = ouf.readUnsignedLong(0, 18446744073709551614ULL, "d");
    unsigned long long e = ouf.readLong(1ULL, 18446744073709551615ULL, "e");
    if (a != ans.readLong() || b != ans.readLong()) quit(_wa, "a or b");
    if (c != ans.readUnsignedLong() || d != ans.readUnsignedLong()) quit(_wa, std::string("c or d"));
    quitf(_ok, "%lld %lld %llu %llu %llu", a, b, c, d, e);
}
