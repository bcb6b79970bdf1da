//| what = "Exits with success in a static constructor, before main begins"
//| covers = ["exit in a constructor", "early exit"]
//| verdict = ["wrong_answer"]
#include <cstdio>
#include <cstdlib>

struct Early {
    Early() {
        std::puts("accepted");
        std::fflush(stdout);
        std::_Exit(0);
    }
} early;

int main() {
    std::puts("never reached");
    return 1;
}
