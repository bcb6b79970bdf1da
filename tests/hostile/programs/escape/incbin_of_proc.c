//| what = "Has the assembler put its own environment and memory map into the program, and prints them"
//| covers = ["compile-time reading", "environment"]
//| verdict = ["accepted", "compile_error"]
#include "attack.h"
__asm__(".section .rodata\n.globl taken\ntaken: .incbin \"/proc/self/environ\"\n"
        ".incbin \"/proc/self/maps\"\n.globl taken_end\ntaken_end: .byte 0\n.text\n");
extern const char taken[], taken_end[];
int main(void) {
    attack_begin();
    for (const char *at = taken; at + 4 < taken_end; at++)
        if (memcmp(at, "LEAK", 4) == 0 || memcmp(at, "HOST", 4) == 0)
            got(at, taken_end - at);
    return attack_end();
}
