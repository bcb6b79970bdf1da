//| what = "Includes the compiler's environment, command line and descriptors, to read them in its messages"
//| covers = ["compile-time reading", "environment"]
//| verdict = ["compile_error"]
#include "/proc/self/environ"
#include "/proc/self/cmdline"
#include "/proc/1/environ"
#include "/proc/1/cmdline"
#include "/proc/self/fd/3"
int main(void) { return 0; }
