//| what = "Calls the kernel by the table of another architecture, where other numbers mean other calls"
//| covers = ["ptrace", "keyrings"]
//| verdict = ["runtime_error"]
#include "attack.h"
#include <signal.h>

int main(void) {
    attack_begin();
#if defined(__x86_64__)
    // keyctl, ptrace and socketcall of i386: the first must end the program.
    int numbers[] = {288, 26, 102};
    for (int i = 0; i < 3; i++) {
        int result;
        __asm__ volatile("int $0x80" : "=a"(result) : "a"(numbers[i]), "b"(0), "c"(0), "d"(0));
        got("int 0x80", result);
    }
    return attack_end();
#else
    raise(SIGSYS);  // there is no other table
    return 0;
#endif
}
