//| what = "Exits with success in a constructor function of the loader"
//| covers = ["exit in a constructor"]
//| verdict = ["wrong_answer"]
#include <unistd.h>

__attribute__((constructor(101))) static void early(void) {
    write(1, "OK\n", 3);
    _exit(0);
}

int main(void) { return 1; }
