//| what = "Includes a device that never ends"
//| covers = ["compile-time bomb", "compile-time reading"]
//| verdict = ["compile_error"]
#include "/dev/zero"
int main(void) { return 0; }
