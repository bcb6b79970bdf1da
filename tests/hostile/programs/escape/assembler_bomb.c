//| what = "Keeps the assembler busy without end"
//| covers = ["compile-time bomb"]
//| verdict = ["compile_error"]
__asm__(".macro again\n.rept 100000\nnop\n.endr\n.endm\n.rept 100000\nagain\n.endr");
int main(void) { return 0; }
