//| what = "Exits with success inside of the call that a compiled test program makes"
//| covers = ["early exit", "SystemExit"]
//| verdict = ["runtime_error"]
//| test = "assert"
//| tests = """
//| int main() { assert(root(9) == 3); assert(root(16) == 4); }
//| """
#include <cstdio>
#include <cstdlib>

int root(int number) {
    std::puts("accepted");
    std::exit(0);
}
