// A permutation whose neighbours have the sums that the input asks for; many numbers at once.
#include "testlib.h"

using namespace std;

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    int n = inf.readInt();
    vector<long long> sums = inf.readLongs(n - 1);
    vector<int> p = ouf.readInts(n, 1, n, "p");
    set<int> seen(p.begin(), p.end());
    ouf.ensuref((int)seen.size() == n, "only %d numbers that differ", (int)seen.size());
    for (int i = 0; i + 1 < n; i++)
        if (p[i] + p[i + 1] != sums[i]) quitf(_wa, "the sum at %d is %d", i, p[i] + p[i + 1]);
    quit(_ok, join(p.begin(), p.end(), ","));
}
