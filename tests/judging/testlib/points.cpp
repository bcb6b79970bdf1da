// Points, in every way to give them.
#include "testlib.h"

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    std::string way = inf.readToken();
    double points = ouf.readDouble();
    if (way == "plain") quitp(points);
    if (way == "words") quitp(points, "so many of %d", 10);
    if (way == "string") quitp(int(points), std::string("100% sure"));
    if (way == "info") quitpi(format("%.1f/10", points), "well");
    if (way == "bare") quitpi("x=1");
    if (way == "bad") quitpi("a b");
    quitf(_points, "%.0f by hand", points);
}
