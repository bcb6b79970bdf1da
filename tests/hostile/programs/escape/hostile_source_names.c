//| what = "Comes with source files named like options of the compiler, and files named like its output"
//| covers = ["hostile file names", "compile-time reading"]
//| verdict = ["accepted"]
//| refused = ["../x.c", "/tmp/x.c", "x.c/../../y.c", "\u0000.c"]
//| [files]
//| "-fplugin=x.c" = "int first;"
//| "@x.c" = "int second;"
//| "-o x.c" = "int third;"
//| "a b.c" = "int fourth;"
//| "-.c" = "int fifth;"
//| "specs" = "*link:\n-T /etc/passwd\n"
//| "as" = "#!/bin/sh\necho taken > taken"
//| "ld" = "#!/bin/sh\necho taken > taken"
//| "collect2" = "#!/bin/sh\necho taken > taken"
#include "attack.h"
extern int first, second, third, fourth, fifth;
int main(void) {
    attack_begin();
    if (first + second + third + fourth + fifth)
        got("sources", 0);
    if (access("taken", F_OK) == 0)
        got("a program of the submission's was run for the compiler's", 0);
    return attack_end();
}
