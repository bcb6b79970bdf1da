//| what = "Exits with success before a compiled test program's main begins"
//| covers = ["exit in a constructor", "early exit"]
//| verdict = ["runtime_error"]
//| test = "assert"
//| tests = """
//| int main(void) { assert(root(9) == 3); return 0; }
//| """
#include <unistd.h>

__attribute__((constructor)) static void early(void) { _exit(0); }

int root(int number) { return 0; }
