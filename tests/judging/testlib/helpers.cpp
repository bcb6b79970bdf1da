// What stands beside the streams; the first thing that is wrong fails.
#include "testlib.h"

using namespace std;

int main(int argc, char *argv[]) {
    registerTestlibCmd(argc, argv);
    ensure(format("%d-%s", 5, "x") == "5-x" && format(string("%d%%"), 100) == "100%");
    ensure(format("%s", string(100000, 'x').c_str()).size() == 100000);
    ensure(compress("short") == "short");
    ensure(compress(string(1000, 'x')).size() == 64);
    ensure(compress("a" + string(1000, 'x') + "b").find("...") == 30);
    const string endings[] = {"th", "st", "nd", "rd", "th"};
    for (int i = 0; i < 5; i++) ensure(englishEnding(i) == endings[i]);
    for (int i = 11; i < 20; i++) ensure(englishEnding(i) == "th");
    ensure(englishEnding(21) == "st" && englishEnding(112) == "th" && englishEnding(1003) == "rd");
    ensure(vtos(-5) == "-5" && toString(string("a b")) == "a b" && vtos(1LL << 40) == "1099511627776");
    ensure(upperCase('a') == 'A' && lowerCase('Z') == 'z' && upperCase('1') == '1');
    ensure(upperCase("aBc1") == "ABC1" && lowerCase("aBc1") == "abc1");
    ensure(trim(" \n a b\r\n") == "a b" && trim(" ").empty());
    ensure(split("a,,b", ',') == vector<string>({"a", "", "b"}));
    ensure(tokenize("a,;b", ",;") == vector<string>({"a", "b"}) && tokenize("", ' ').empty());
    ensure(join(vector<int>{1, 2, 3}) == "1 2 3");
    ensure(isBlanks(' ') && isBlanks('\t') && isBlanks('\r') && !isBlanks('x'));
    ensure(isEoln('\n') && !isEoln(' ') && isEof(EOFC));

    const double nan = numeric_limits<double>::quiet_NaN(), inf_ = numeric_limits<double>::infinity();
    ensure(doubleCompare(nan, nan, 1e-6) && !doubleCompare(nan, 1, 1e9) && !doubleCompare(1, nan, 1e9));
    ensure(doubleCompare(inf_, inf_, 1e-6) && !doubleCompare(inf_, -inf_, 1e-6));
    ensure(!doubleCompare(inf_, 1e308, 1e-6) && !doubleCompare(1, inf_, 1e9));
    ensure(doubleCompare(1e9, 1e9 + 1, 1e-6) && !doubleCompare(1e-3, 2e-3, 1e-6));
    ensure(doubleCompare(-1e9, -1e9 - 1, 1e-6) && doubleCompare(0, -1e-7, 1e-6));
    ensure(doubleCompare(0.0, -0.0, 0));
    ensure(doubleDelta(100, 101) == 0.01 && doubleDelta(0, 0.5) == 0.5 && doubleDelta(0.5, 1) == 0.5);

    InStream text(ouf, "7 x");
    ensure(text.readInt() == 7 && !text.seekEof() && text.readToken() == "x" && text.eof());
    ensure(stringToInt(ouf, "-12") == -12 && stringToLongLong(ouf, "1099511627776") == 1LL << 40);
    ensure(stringToUnsignedLongLong(ouf, "18446744073709551615") == ULLONG_MAX);
    ensure(stringToDouble(ouf, "1e3") == 1000 && stringToStrictDouble(ouf, "0.25", 1, 2) == 0.25);

    set<int> seen;
    for (int i = 0; i < 1000; i++) {
        int r = rnd.next(3, 7);
        seen.insert(r);
        ensuref(3 <= r && r <= 7, "%d is outside", r);
        ensure(rnd.next(5) < 5 && rnd.next() < 1 && rnd.next(2.5) < 2.5);
        ensure(rnd.next(-5LL, 1LL << 40) >= -5 && rnd.wnext(10, 2) < 10);
        ensure(rnd.next(LLONG_MIN, LLONG_MAX) != 5);
    }
    ensure(seen.size() == 5);
    vector<int> order = rnd.perm(10, 1);
    ensure(set<int>(order.begin(), order.end()).size() == 10 && rnd.any(order) >= 1);
    shuffle(order.begin(), order.end());
    rnd.setSeed(5);
    int first = rnd.next(1000000);
    rnd.setSeed(5);
    ensure(first == rnd.next(1000000));

    if (ouf.seekEof()) quitf(_ok, "all of it, %d", first);
    stringToInt(ouf, ouf.readLine());
    quitf(_fail, "that was an integer");
}
