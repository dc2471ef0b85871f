/* Attempts at the kernel's wide doors. Arguments are wrong on purpose: what counts is whether the kernel looked at them. */
#include "fault/tries/tries.h"
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static bool set_up_io_uring(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_io_uring_setup, 1UL, NULL));
}

static bool enter_io_uring(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0UL));
}

static bool register_io_uring(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_io_uring_register, -1, 0, NULL, 0));
}

static bool use_bpf(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_bpf, (long)BPF_MAP_CREATE, NULL, 0UL));
}

static bool use_perf(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0UL));
}

static bool use_userfaultfd(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_userfaultfd, 0x40000000));
}

static bool use_keyrings(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_keyctl, 0L, -3L, 0L, 0L, 0L)) || was_let_in(syscall(SYS_add_key, "user", "x", "x", 1UL, -3L));
}

static bool watch_all_files(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_fanotify_init, 0, 0));
}

static bool load_a_module(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_init_module, NULL, 0UL, NULL)) || was_let_in(syscall(SYS_finit_module, -1, NULL, 0));
}

static bool load_a_kernel(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_kexec_load, 0UL, -1L, NULL, -1L));
}

static bool reboot_it(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_reboot, 0, 0, 0, NULL));
}

static bool set_the_clock(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_clock_settime, CLOCK_REALTIME, NULL)) || was_let_in(syscall(SYS_settimeofday, NULL, NULL));
}

static bool name_the_host(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_sethostname, NULL, -1));
}

static bool swap(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_swapoff, NULL)) || was_let_in(syscall(SYS_acct, (char *)-1));
}

static bool read_the_kernels_log(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_syslog, 10, NULL, 0));
}

static bool type_on_a_terminal(const page *p)
{
    (void)p;
    return syscall(SYS_ioctl, -1, TIOCSTI, "") < 0 && errno == EBADF;
}

static bool lift_the_filter(const page *p)
{
    (void)p;
    return prctl(PR_SET_SECCOMP, 0, 0, 0, 0) == 0 || prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0;
}

#ifdef __x86_64__
static bool use_ports(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_iopl, 4)) || was_let_in(syscall(SYS_ioperm, -1L, 1L, 1));
}

static bool change_segments(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_modify_ldt, 0, NULL, 0UL));
}

static bool call_as_32_bit(const page *p)
{
    long answer = 20; /* getpid there */
    (void)p;
    __asm__ volatile("int $0x80" : "+a"(answer) : : "memory", "r8", "r9", "r10", "r11");
    return answer > 0;
}

static bool call_as_x32(const page *p)
{
    (void)p;
    return syscall(0x40000000L | SYS_getpid) > 0;
}
#endif

const attempt kernel_attempts[] = {
    { "io_uring_setup", 0, set_up_io_uring },
    { "io_uring_enter", 0, enter_io_uring },
    { "io_uring_register", 0, register_io_uring },
    { "bpf", 0, use_bpf },
    { "perf_event_open", 0, use_perf },
    { "userfaultfd", 0, use_userfaultfd },
    { "keyrings", 0, use_keyrings },
    { "fanotify", 0, watch_all_files },
    { "load a kernel module", 0, load_a_module },
    { "load a kernel", 0, load_a_kernel },
    { "reboot", 0, reboot_it },
    { "set the clock", 0, set_the_clock },
    { "name the host", 0, name_the_host },
    { "swapoff and acct", 0, swap },
    { "read the kernel's log", 0, read_the_kernels_log },
    { "type on a terminal", 0, type_on_a_terminal },
    { "lift the filter", 0, lift_the_filter },
#ifdef __x86_64__
    { "use I/O ports", 0, use_ports },
    { "change segments", 0, change_segments },
    { "make a 32-bit call", 0, call_as_32_bit },
    { "make an x32 call", 0, call_as_x32 },
#endif
};
const size_t kernel_attempt_count = sizeof kernel_attempts / sizeof *kernel_attempts;
