//| what = "Reads the nonce that makes a result count, and writes the end of a compiled test itself"
//| covers = ["forged result", "inherited channel"]
//| verdict = ["accepted"]
//| test = "assert"
//| tests = """
//| int main() { assert(root(9) == 3); }
//| """
//| [at.assert]
//| verdict = ["accepted"]
//| stopped = false
//| why = "the test program and the submission share a process; the report says `weak`"
#include <cstdio>
#include <unistd.h>

int root(int number) {
    char nonce[33] = {0}, record[200];
    if (read(0, nonce, 32) != 32)
        return 0;
    int size = std::snprintf(record, sizeof record,
                             "{\"nonce\": \"%s\", \"state\": \"passed\", \"message\": \"\"}\n", nonce);
    if (write(5, record, size) != size)
        return 0;
    _exit(0);
}
