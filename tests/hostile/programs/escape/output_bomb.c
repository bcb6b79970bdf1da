//| what = "Compiles to a program of a terabyte"
//| covers = ["compile-time bomb"]
//| verdict = ["compile_error"]
__asm__(".data\n.rept 1024\n.fill 1073741824, 1, 65\n.endr\n.text");
int main(void) { return 0; }
