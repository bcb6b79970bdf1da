//| what = "Has the assembler put a file of the host into the program"
//| covers = ["compile-time reading"]
//| verdict = ["compile_error"]
#include <stdio.h>
__asm__(".section .rodata\n.globl taken\ntaken: .incbin \"/etc/shadow\"\n.byte 0\n.text\n");
extern const char taken[];
int main(void) { puts(taken); return 0; }
