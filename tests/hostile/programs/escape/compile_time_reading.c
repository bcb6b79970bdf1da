//| what = "Includes the host's password file when it is compiled"
//| covers = ["compile-time reading"]
//| verdict = ["compile_error"]
#include "/etc/shadow"
int main(void) { return 0; }
