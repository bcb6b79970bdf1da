//| what = "Jumps back out of the abort of an assertion that fails, and exits with success"
//| covers = ["early exit", "forged result"]
//| verdict = ["wrong_answer"]
//| test = "assert"
//| tests = """
//| int main(void) { assert(root(9) == 3); return 0; }
//| """
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static sigjmp_buf back;

static void jump(int number) { siglongjmp(back, 1); }

int root(int number)
{
    signal(SIGABRT, jump);
    if (sigsetjmp(back, 1))
        _exit(0);
    return 0;
}
