//| what = "Asks the preprocessor which files the host has"
//| covers = ["compile-time reading"]
//| verdict = ["accepted"]
//| at.minimal.verdict = ["compile_error"]
//| at.user.verdict = ["compile_error"]
#include "attack.h"
int main(void) {
    attack_begin();
#if __has_include("/etc/shadow")
    got("/etc/shadow", 0);
#endif
#if __has_include("/etc/machine-id")
    got("/etc/machine-id", 0);
#endif
#if __has_include("/etc/ssl/openssl.cnf")
    got("/etc/ssl/openssl.cnf", 0);
#endif
#if __has_include("/proc/1/environ")
    got("/proc/1/environ", 0);
#endif
#if __has_include("/etc/gshadow")
    got("/etc/gshadow", 0);
#endif
#if __has_include("/var/lib/dpkg/status")
    got("/var/lib/dpkg/status", 0);
#endif
    return attack_end();
}
