// One function reads both answers: a way through a graph, as short as the jury's.
#include "testlib.h"

using namespace std;

int n;
set<pair<int, int>> edges;

int length_of(InStream &stream) {
    int length = stream.readInt(-1, n, "length");
    if (length < 0) return INT_MAX;
    vector<int> way = stream.readInts(length + 1, 1, n, "way");
    if (way.front() != 1 || way.back() != n) stream.quitf(_wa, "not from 1 to %d", n);
    for (int i = 0; i < length; i++)
        if (!edges.count({way[i], way[i + 1]}))
            stream.quitf(_wa, "no edge from %d to %d", way[i], way[i + 1]);
    return length;
}

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    n = inf.readInt();
    int m = inf.readInt();
    for (int i = 0; i < m; i++) {
        int a = inf.readInt(1, n), b = inf.readInt(1, n);
        edges.insert({a, b});
    }
    int jury = length_of(ans), found = length_of(ouf);
    if (found > jury) quitf(_wa, "longer than the jury's");
    if (found < jury) quitf(_fail, "shorter than the jury's");
    quitf(_ok, "as short");
}
