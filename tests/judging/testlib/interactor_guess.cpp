// Holds a number; says whether a guess is below or above it.
#include "testlib.h"

using namespace std;

int main(int argc, char *argv[]) {
    setName("guess the number");
    registerInteraction(argc, argv);
    int secret = inf.readInt(1, 1000, "secret");
    int most = inf.readInt(1, 100, "most");
    for (int asked = 1; asked <= most; asked++) {
        int guess = ouf.readInt(1, 1000, "guess");
        tout << guess << endl;
        cout << (guess == secret ? "right" : guess < secret ? "more" : "less") << endl;
        if (guess == secret) quitf(_ok, "in %d", asked);
    }
    quitf(_wa, "not in %d", most);
}
