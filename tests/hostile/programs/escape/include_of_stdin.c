//| what = "Includes the compiler's standard input, error output and the terminal"
//| covers = ["compile-time reading", "inherited descriptors"]
//| verdict = ["accepted", "compile_error"]
#include "attack.h"
#include "/dev/stdin"
#if __has_include("/dev/tty")
#include "/dev/tty"
#endif
int main(void) {
    attack_begin();
    return attack_end();
}
