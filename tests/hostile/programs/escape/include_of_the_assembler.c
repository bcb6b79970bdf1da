//| what = "Has the assembler include and quote files of the host"
//| covers = ["compile-time reading"]
//| verdict = ["compile_error"]
__asm__(".include \"/etc/passwd\"\n.include \"/etc/shadow\"\n.include \"/proc/1/environ\"");
int main(void) { return 0; }
