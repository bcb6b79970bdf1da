//| what = "Includes random bytes without end"
//| covers = ["compile-time bomb"]
//| verdict = ["compile_error"]
#include "/dev/urandom"
int main(void) { return 0; }
