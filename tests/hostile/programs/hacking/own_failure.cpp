//| what = "Brings functions and macros of its own for what an assertion does when it fails"
//| covers = ["patched unittest", "patched builtins"]
//| verdict = ["wrong_answer"]
//| test = "assert"
//| tests = """
//| int main() { if (root(4) != 2) { return 1; } assert(root(9) == 3); }
//| """
#include <cassert>
#include <cstdlib>

extern "C" void __assert_fail(const char *, const char *, unsigned, const char *) noexcept {
    std::_Exit(0);
}
extern "C" void abort() noexcept { std::_Exit(0); }

int root(int number) { return 2; }

#undef assert
#define assert(condition) ((void)0)
#define if if (1) { } else if
#define return return 0;
#define main main() { } int never
