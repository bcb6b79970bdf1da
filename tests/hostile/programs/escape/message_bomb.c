//| what = "Has the compiler write more warnings than anybody stores"
//| covers = ["compile-time bomb"]
//| verdict = ["compile_error"]
#define W(n) _Pragma("GCC warning \"a long text that the compiler repeats in every one of its messages\"")
#define A(x) x x x x x x x x x x
#define B(x) A(A(A(A(x))))
B(A(W(1)))
#include "attack.h"
int main(void) {
    attack_begin();
    return attack_end();
}
