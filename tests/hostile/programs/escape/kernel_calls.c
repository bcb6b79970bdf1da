//| what = "Asks the kernel for what only an administrator may: modules, kexec, swap, clocks, accounting"
//| covers = ["mount", "setuid"]
//| verdict = ["accepted"]
#include "attack.h"
#include <fcntl.h>

// With arguments that mean nothing: a call that is let through says that they are wrong.
int main(void) {
    attack_begin();
    void *bad = (void *)1;
    refused("init_module", syscall(SYS_init_module, bad, 1, bad));
    refused("finit_module", syscall(SYS_finit_module, -1, bad, 0));
    refused("delete_module", syscall(SYS_delete_module, bad, 0));
    refused("kexec_load", syscall(SYS_kexec_load, 0, -1, bad, 0));
    refused("kexec_file_load", syscall(SYS_kexec_file_load, -1, -1, 0, bad, 0xFF));
    refused("reboot", syscall(SYS_reboot, 1, 2, 3, 0));
    refused("swapon", syscall(SYS_swapon, bad, 0));
    refused("swapoff", syscall(SYS_swapoff, bad));
    refused("acct", syscall(SYS_acct, bad));
    refused("quotactl", syscall(SYS_quotactl, -1, bad, 0, bad));
    refused("quotactl_fd", syscall(443, -1, 0, 0, bad));
    refused("settimeofday", syscall(SYS_settimeofday, bad, bad));
    refused("clock_settime", syscall(SYS_clock_settime, 0, bad));
    refused("clock_adjtime", syscall(SYS_clock_adjtime, 0, bad));
    refused("adjtimex", syscall(SYS_adjtimex, bad));
    refused("sethostname", syscall(SYS_sethostname, bad, -1));
    refused("setdomainname", syscall(SYS_setdomainname, bad, -1));
    refused("syslog", syscall(SYS_syslog, 3, bad, 1));
    refused("vhangup", syscall(SYS_vhangup));
    refused("lookup_dcookie", syscall(SYS_lookup_dcookie, 0L, bad, 1));
    refused("fanotify_init", syscall(SYS_fanotify_init, 0, 0));
    refused("mbind", syscall(SYS_mbind, 0, 0, 99, bad, 1, 0));
    refused("set_mempolicy", syscall(SYS_set_mempolicy, 99, bad, 1));
    refused("set_mempolicy_home_node", syscall(450, 1, 1, -1, -1));
    refused("memfd_secret", syscall(447, -1));
    refused("nfsservctl", syscall(SYS_nfsservctl, 0, 0, 0));
    refused("lsm_set_self_attr", syscall(460, 0, bad, 0, 0));
    refused("statmount", syscall(457, bad, bad, 0, 0));
    refused("listmount", syscall(458, bad, bad, 0, 0));
#if defined(__x86_64__)
    refused("iopl", syscall(SYS_iopl, 3));
    refused("ioperm", syscall(SYS_ioperm, 0, 1, 1));
    refused("modify_ldt", syscall(SYS_modify_ldt, 99, 0, 0));
    refused("uselib", syscall(134, bad));
    refused("ustat", syscall(136, -1, bad));
    refused("sysfs", syscall(139, 99, 0, 0));
    refused("_sysctl", syscall(156, bad));
#endif
    return attack_end();
}
