//| what = "Crashes, and turns the crash into success in a handler and in destructors"
//| covers = ["exit in a constructor", "early exit"]
//| verdict = ["wrong_answer"]
#include <csignal>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <unistd.h>

static void succeed() {
    (void)!write(1, "accepted\n", 9);
    _exit(0);
}

static void handler(int) { succeed(); }

struct Late {
    ~Late() { succeed(); }
} late;

int main() {
    for (int number = 1; number < 32; number++) std::signal(number, handler);
    std::set_terminate(succeed);
    std::atexit(succeed);
    throw std::runtime_error("wrong");
}
