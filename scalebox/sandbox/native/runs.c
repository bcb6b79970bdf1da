/* The common run of a slot, done natively inside its zygote.
 *
 * Theory of operation.  The zygote is a Python process, because what it forks are warm Python
 * programs.  After a fork every page that either side writes is copied, and an interpreter writes
 * to a page whenever it touches an object: supervising a run in Python costs the zygote some 150
 * page faults, and setting the child up costs it as many.  Here both are done without touching an
 * object.  The zygote calls `zygote_serve`, which receives runs and carries them out as
 * `supervise.py` does, and comes back to Python
 *
 *   - in a forked child that has become the program's user and has to execute Python code;
 *   - when a run needs more than this file knows (a module to preload, very many arguments, another
 *     network);
 *   - when a run has been launched but takes long, has a channel (as every pair of tester and
 *     candidate has), or hands files back: Python watches it from there on;
 *   - when the daemon is gone.
 *
 * Native programs are not forked but spawned: the child borrows the zygote's memory until execve
 * (CLONE_VM | CLONE_VFORK), so that nothing is copied at all.
 *
 * This file is optional.  It is compiled on the host, where there is a compiler, and loaded by
 * ctypes; without it `supervise.py` does the same in Python.  The tests of the sandbox run both.
 * It is used only by pid 1 of a pid namespace of our own.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern void settle_memory(void); /* memory.c */

/* --- the wire: as zygote/wire.py -------------------------------------------------------------- */

enum { RUN = 1, CANCEL = 2, PING = 3, PONG = 4 };
enum { PYTHON_SOURCE = 1, PYTHON_CODE = 2, PYTHON_COMPILE = 3, EXECUTE = 4 };
enum { BODY_FD = 1, STDIN_FD = 2, PROGRAM_FD = 4, CHANNEL = 8, DRIVER = 16, PIPES = 32 };
enum { OUT_OF_MEMORY = 4, OUTPUT_EXCEEDED = 8, SETUP_FAILED = 32, COMPILE_FAILED = 64,
       PROCESSES_EXCEEDED = 128, EXEC_FAILED = 256, STDOUT_FD = 1 << 16, STDERR_FD = 1 << 17 };
enum { SOURCE, CODE, STDIN, DRIVER_CODE, ARGV, ENVIRONMENT, FETCH, FILES, SECTIONS };
#define INLINE_BYTES (48 * 1024)
#define PACKET_BYTES (64 * 1024)

struct request {
    uint32_t type, program;
    uint64_t run_id;
    uint32_t flags, unused;
    uint64_t cpu_ns, wall_ns, memory, output, file_bytes, processes, open_files, stack, records;
    uint64_t length[SECTIONS];
};

struct control {
    uint32_t type, unused;
    uint64_t run_id;
};

struct reply {
    uint64_t run_id;
    uint32_t flags;
    int32_t status, peer_status;
    uint32_t kept_us;
    uint64_t cpu_ns, wall_ns, peak, zygote_ns, out_size, err_size, channel_size;
    uint32_t times_size, message_size, listing_size, unused_too;
};

struct __attribute__((packed)) file_entry {
    uint16_t path_length;
    uint64_t length;
    uint32_t mode;
};

/* --- what Python shares with this file: as zygote/native.py ------------------------------------ */

/* What `zygote_serve` returns, as Python's integers; or from a child with code to execute, that, or
 * if it has traits a tuple of both. */
enum { CLOSED = 0, FOR_PYTHON = 1, IN_CHILD = 2, LAUNCHED = 3, READY = 4 };
/* Traits: as zygote/child.py. */
enum { MAY_USE_RANDOM = 1, LEAVES_SOMETHING = 2, MAY_USE_C_STREAMS = 4 };
/* Of the interpreter that has loaded this file. */
extern void PyOS_BeforeFork(void), PyOS_AfterFork_Parent(void), PyOS_AfterFork_Child(void);
extern void *PyMarshal_ReadObjectFromString(const char *, ssize_t);
extern void *Py_CompileStringExFlags(const char *, const char *, int, void *, int);
extern void *PyLong_FromLong(long);
extern void *Py_BuildValue(const char *, ...);
/* Stages, in the first byte of the page: as zygote/child.py. */
enum { SETUP = 0, COMPILING = 1, RUNNING = 2, EXEC_ERROR = 3, COMPILE_ERROR = 4 };

#define MAX_DESCRIPTORS 8
#define MAX_ARGUMENTS 512
#define STAGE_MESSAGE 1000

struct zygote {
    /* What the slot is; constant. */
    int32_t control, uid, driver_uid, drop_capabilities, cores, poll_ms, oom_score;
    int32_t cpu, usage, peak, limit, events, pids, pids_max; /* of the cgroup; -1: none */
    int32_t cgroup_version, peak_resets;
    int32_t plain_forks;  /* whether nothing in the interpreter has to hear of a fork */
    int32_t scratch_left, gone; /* whether the last run's scratch is mounted; those put aside */
    int32_t network, network_size; /* what counts packets, or -1; length of what it says when idle */
    char *page;         /* shared with every child */
    char *buffer;       /* PACKET_BYTES, private */
    char **environment; /* of native programs; ends with NULL */
    char **hidden;      /* link below /scratch/tmp, target, …; ends with NULL */
    char **on_demand;   /* modules that Python must import first if a source names them */
    char *network_idle; /* what the counters say before any run */
    char **random_words, **leaving_words, **stream_words; /* what gives a text its traits */
    /* The meter, also used by Python: as zygote/meter.py. */
    int64_t usage_at_start, idle_usage, memory_limit, process_limit, oom_kills, pids_hits;
    int64_t lingers;
    int64_t cpu_at_start_ns, own_at_start_ns;
    /* The run at hand. */
    int64_t packet_size, started_ns;
    int32_t descriptors[MAX_DESCRIPTORS], descriptor_count;
    int32_t main_pid, peer_pid, in, out, err, channel, channel_end;
    char *section[SECTIONS];
    int64_t section_length[SECTIONS];
    char *body; /* mapping of a long request; NULL: it is in the buffer */
    int64_t body_size;
};

static struct sigaction interrupt_handler;
static struct rlimit hard[RLIM_NLIMITS];
static int traits;
static int is_driver;
static char own_oom_score[16];
static int own_oom_score_length;

/* As zygote/meter.py: how far an idle slot may grow or shrink before its limit follows, and the least
 * that a group is limited to. */
#define BASELINE_SLACK (4 << 20)
#define SHARED_SLACK (32 << 20) /* what of a resident set may not be the program's own */
#define LEAST_LIMIT (16 << 20)
/* As there: how much beyond resident sets may linger, and how long that is waited for. */
#define LINGERING (16 << 20)
#define LINGER_STEPS 50
#define LINGER_STEP_US 2000
/* Processes of a slot beside the program's. */
#define PIDS_SLACK 16

int64_t zygote_struct_size(void) { return sizeof(struct zygote); }

__attribute__((noreturn)) static void die(const char *what)
{
    /* A slot that cannot go on is replaced; the daemon shows its last words. */
    dprintf(2, "%s: %s\n", what, strerror(errno));
    _exit(1);
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Called once, when Python has installed its own handler for SIGINT: children get it back, and this
 * process, pid 1, goes without any handler. */
void zygote_prepare(struct zygote *z)
{
    struct sigaction none = {.sa_handler = SIG_DFL};
    settle_memory();
    for (int which = 0; which < RLIM_NLIMITS; which++)
        getrlimit(which, &hard[which]);
    sigaction(SIGINT, NULL, &interrupt_handler);
    sigaction(SIGINT, &none, NULL);
    if (z->oom_score >= 0) {
        ssize_t size = pread(z->oom_score, own_oom_score, sizeof own_oom_score, 0);
        own_oom_score_length = size < 0 ? 0 : (int)size;
    }
}

/* --- measuring --------------------------------------------------------------------------------- */

static int64_t number_in(int fd)
{
    char text[32];
    if (fd < 0)
        return 0;
    ssize_t size = pread(fd, text, sizeof text - 1, 0);
    if (size < 0)
        return 0;
    text[size] = 0;
    return strtoll(text, NULL, 10);
}

static int64_t counter_in(int fd, const char *key)
{
    char text[4096];
    if (fd < 0)
        return 0;
    ssize_t size = pread(fd, text, sizeof text - 1, 0);
    if (size < 0)
        return 0;
    text[size] = 0;
    size_t length = strlen(key);
    for (char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0)
            return strtoll(line + length, NULL, 10);
    }
    return 0;
}

static int64_t group_cpu_ns(const struct zygote *z)
{
    char text[64]; /* "usage_usec N\n…" */
    if (z->cpu < 0)
        return 0;
    ssize_t size = pread(z->cpu, text, sizeof text - 1, 0);
    if (size < 12)
        return 0;
    text[size] = 0;
    return strtoll(text + 11, NULL, 10) * 1000;
}

static void write_number(int fd, int64_t number)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%lld", (long long)number);
    if (pwrite(fd, text, size, 0) < 0)
        die("setting a limit of the cgroup");
}

static void begin_measuring(struct zygote *z, int64_t memory, int64_t processes)
{
    z->usage_at_start = number_in(z->usage);
    /* As in meter.py: what the kernel takes its time to free. */
    for (int step = 0; z->lingers && step < LINGER_STEPS &&
                       z->usage_at_start - z->idle_usage > BASELINE_SLACK; step++) {
        usleep(LINGER_STEP_US);
        z->usage_at_start = number_in(z->usage);
    }
    int moved = llabs(z->usage_at_start - z->idle_usage) > BASELINE_SLACK;
    if (z->limit >= 0 && (moved || memory != z->memory_limit)) {
        z->idle_usage = z->usage_at_start;
        write_number(z->limit, z->idle_usage + (memory > LEAST_LIMIT ? memory : LEAST_LIMIT));
    }
    z->memory_limit = memory;
    if (z->pids_max >= 0 && processes != z->process_limit) {
        write_number(z->pids_max, processes + PIDS_SLACK);
        z->process_limit = processes;
    }
    if (z->peak_resets && z->peak >= 0) {
        const char *text = z->cgroup_version == 1 ? "0" : "reset";
        if (pwrite(z->peak, text, strlen(text), 0) < 0)
            die("resetting the peak of the cgroup");
    }
    z->own_at_start_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    z->cpu_at_start_ns = group_cpu_ns(z);
}

/* --- becoming the program ---------------------------------------------------------------------- */

static void close_between(int first, int last)
{
    if (first > last)
        return;
#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, last, 0) == 0)
        return;
#endif
    for (int fd = first; fd <= last && fd < 4096; fd++)
        close(fd);
}

static int write_file(const char *path, const char *content, int64_t length, int mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return -1;
    while (length > 0) {
        ssize_t written = write(fd, content, length);
        if (written < 0)
            return -1;
        content += written;
        length -= written;
    }
    return close(fd);
}

/* The folders above a path, below the working directory or absolute. */
static void make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0777);
        *slash = '/';
    }
}

static int write_files(char *entries, int64_t size)
{
    char path[4096];
    for (int64_t offset = 0; offset < size;) {
        struct file_entry entry;
        errno = EPROTO;
        if (size - offset < (int64_t)sizeof entry)
            return -1;
        memcpy(&entry, entries + offset, sizeof entry);
        offset += sizeof entry;
        if (entry.path_length > size - offset ||
            entry.length > (uint64_t)(size - offset - entry.path_length))
            return -1;
        if (entry.path_length >= sizeof path) {
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(path, entries + offset, entry.path_length);
        path[entry.path_length] = 0;
        offset += entry.path_length;
        make_parents(path);
        if (write_file(path, entries + offset, entry.length, entry.mode) < 0)
            return -1;
        offset += entry.length;
    }
    return 0;
}

static int enter_box(struct zygote *z, const char **what)
{
    char path[4096];
    umask(022);
    *what = "making the program's folders";
    if (mkdir("/scratch/box", 0755) < 0 || mkdir("/scratch/tmp", 0777) < 0 ||
        mkdir("/scratch/shm", 0777) < 0)
        return -1;
    for (char **link = z->hidden; *link != NULL; link += 2) {
        /* Not snprintf, whose code and tables are six pages to map. */
        char *end = path;
        for (const char *one = link[0]; (*end = *one) && end < path + sizeof path - 1; one++)
            end++;
        *end = 0;
        make_parents(path);
        if (symlink(link[1], path) < 0)
            return -1;
    }
    if (chdir("/scratch/box") < 0)
        return -1;
    *what = "writing the program's files";
    int64_t length = z->section_length[SOURCE];
    if (length && write_file("solution.py", z->section[SOURCE], length, 0644) < 0)
        return -1;
    return write_files(z->section[FILES], z->section_length[FILES]);
}

/* A limit that this host's own hard limit is below cannot be had; that one holds then. */
static int limit(int which, uint64_t soft_value, uint64_t hard_value)
{
    rlim_t most = hard[which].rlim_max;
    struct rlimit value = {soft_value < most ? soft_value : most,
                           hard_value < most ? hard_value : most};
    return setrlimit(which, &value);
}

static int set_limits(const struct zygote *z, const struct request *q)
{
    uint64_t cpu_s = q->cpu_ns / 4 * 5 / 1000000000;
    if (q->flags & CHANNEL)
        cpu_s *= q->records + 1; /* the limit is for each record */
    cpu_s = cpu_s + 2 < 1 << 30 ? cpu_s + 2 : 1 << 30;
    uint64_t file = q->output + 4096 > q->file_bytes ? q->output + 4096 : q->file_bytes;
    return limit(RLIMIT_CPU, cpu_s, cpu_s + 1) | limit(RLIMIT_FSIZE, file, file) |
           limit(RLIMIT_NOFILE, q->open_files, q->open_files) |
           /* It counts all that the user has on this host, in slots of other daemons, too. */
           (z->pids_max < 0 && limit(RLIMIT_NPROC, q->processes, q->processes)) |
           limit(RLIMIT_STACK, q->stack, q->stack);
}

#define PROGRAM_PLACE 10
#define CHANNEL_PLACE 5

/* Put descriptors at 0, 1, 2, …; -1 leaves a place closed; all others are closed. */
static int place_descriptors(const int *given, int count, int program)
{
    int last = count - 1;
    for (int place = 0; place < count; place++) {
        if (given[place] < 0)
            close(place);
        else if (dup2(given[place], place) < 0)
            return -1;
    }
    if (program >= 0) {
        if (dup3(program, PROGRAM_PLACE, O_CLOEXEC) < 0)
            return -1;
        close_between(last + 1, PROGRAM_PLACE - 1);
        last = PROGRAM_PLACE;
    }
    close_between(last + 1, INT32_MAX);
    return 0;
}

static int become_user(const struct zygote *z, int uid)
{
    /* The plain system calls: the library's would wait for other threads, and there are none. */
    if (uid >= 0 &&
        (syscall(SYS_setresgid, uid, uid, uid) < 0 || syscall(SYS_setresuid, uid, uid, uid) < 0))
        return -1;
    if (!z->drop_capabilities)
        return 0;
    uint32_t header[2] = {0x20080522, 0}, none[6] = {0};
    return syscall(SYS_capset, header, none) < 0 ? -1 : 0;
}

/* Everything between the birth of a child and its program; 0, or -1 with *what. */
static int become(struct zygote *z, const int *given, int count, int program, int borrows_memory,
                  const char **what)
{
    const struct request *q = (const struct request *)z->buffer;
    *what = "starting a process group";
    /* A session would do as well, but the kernel makes a scheduling group for each. */
    if (setpgid(0, 0) < 0)
        return -1;
    *what = "placing descriptors";
    if (place_descriptors(given, count, program) < 0)
        return -1;
    *what = "becoming the program's user";
    if (become_user(z, z->uid) < 0)
        return -1;
    /* Changing the uid cleared it, and /dev/stdin and /proc/self would be closed to the program.
     * Execve does this by itself; before it the memory is the zygote's, which must stay closed. */
    if (!borrows_memory)
        prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    if (enter_box(z, what) < 0)
        return -1;
    *what = "setting limits";
    return set_limits(z, q);
}

/* The trusted program of a pair: without limits, and closed to the other one even where both are
 * the same user. */
static int become_driver(struct zygote *z, const int *given, int count, const char **what)
{
    *what = "starting a tester";
    if (setpgid(0, 0) < 0 || place_descriptors(given, count, -1) < 0)
        return -1;
    return become_user(z, z->driver_uid);
}

static void tell_stage(struct zygote *z, int stage, const char *what)
{
    snprintf(z->page + 1, STAGE_MESSAGE, "%s: %s", what, strerror(errno));
    z->page[0] = stage;
}

/* --- native programs --------------------------------------------------------------------------- */

static char *arguments[MAX_ARGUMENTS + 1];
static char *variables[MAX_ARGUMENTS + 1];

/* Cut a section of NUL-terminated strings; -1: too many, or the last has no end. */
static int cut(char *text, int64_t size, char **into, int count)
{
    if (size > 0 && text[size - 1] != 0)
        return -1;
    for (char *end = text + size; text < end; text += strlen(text) + 1) {
        if (count == MAX_ARGUMENTS)
            return -1;
        into[count++] = text;
    }
    into[count] = NULL;
    return count;
}

static int same_name(const char *one, const char *other)
{
    size_t length = strcspn(one, "=");
    return strncmp(one, other, length + 1) == 0;
}

static int prepare_exec(struct zygote *z)
{
    if (cut(z->section[ARGV], z->section_length[ARGV], arguments, 0) < 1)
        return -1;
    int count = cut(z->section[ENVIRONMENT], z->section_length[ENVIRONMENT], variables, 0);
    if (count < 0)
        return -1;
    int given = count;
    for (char **one = z->environment; *one != NULL; one++) {
        int replaced = 0;
        for (int i = 0; i < given && !replaced; i++)
            replaced = same_name(*one, variables[i]);
        if (replaced)
            continue;
        if (count == MAX_ARGUMENTS)
            return -1;
        variables[count++] = *one;
    }
    variables[count] = NULL;
    return 0;
}

static int program_descriptor(const struct zygote *z)
{
    const struct request *q = (const struct request *)z->buffer;
    int place = (q->flags & BODY_FD ? 1 : 0) + (q->flags & STDIN_FD ? 1 : 0);
    return q->flags & PROGRAM_FD ? z->descriptors[place] : -1;
}

/* In the child, on a stack of its own, in memory that is the zygote's. */
static int start_native(void *argument)
{
    struct zygote *z = argument;
    const char *what;
    int program = program_descriptor(z);
    int given[] = {z->in, z->out, z->err, -1, -1, z->channel_end};
    if (become(z, given, z->channel_end >= 0 ? 6 : 3, program, 1, &what) < 0) {
        tell_stage(z, SETUP, what);
        _exit(126);
    }
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    z->page[0] = RUNNING;
    if (program >= 0)
        syscall(SYS_execveat, PROGRAM_PLACE, "", arguments, variables, AT_EMPTY_PATH);
    else
        execvpe(arguments[0], arguments, variables);
    snprintf(z->page + 1, STAGE_MESSAGE, "cannot execute %.800s: %s", arguments[0],
             strerror(errno));
    z->page[0] = EXEC_ERROR;
    _exit(127);
}

static pid_t spawn(struct zygote *z)
{
    static char stack[128 * 1024] __attribute__((aligned(16)));
    return clone(start_native, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, z);
}

/* --- one run ----------------------------------------------------------------------------------- */

static int sealed_memfd(const char *content, int64_t length)
{
    int fd = memfd_create("input", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        die("making a file in memory");
    while (length > 0) {
        ssize_t written = write(fd, content, length);
        if (written < 0)
            die("filling a file in memory");
        content += written;
        length -= written;
    }
    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

/* Opened afresh: a passed descriptor shares its offset with every other run that has it. */
static int reopened(int given)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", given);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    struct stat status;
    if (fstat(given, &status) < 0)
        die("looking at an input");
    if (status.st_size == 0)
        return sealed_memfd("", 0);
    char *content = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, given, 0);
    if (content == MAP_FAILED)
        die("reading an input");
    fd = sealed_memfd(content, status.st_size);
    munmap(content, status.st_size);
    return fd;
}

static void unmount(const char *path)
{
    if (umount2(path, 0) < 0)
        umount2(path, MNT_DETACH);
}

/* Unmounting waits until every core has seen it (RCU), some 60 us in which this one is idle and
 * others are interrupted.  So the scratch of a run that wrote next to nothing is put aside by the
 * next run, where no program can enter, and many are unmounted at once. */
#define SCRATCH "/scratch"
#define GONE "/gone"
enum { GONE_PLACES = 16, LEFT_BLOCKS = 16, LEFT_FILES = 64 };

static void leave_scratch(struct zygote *z)
{
    struct statfs status;
    z->scratch_left = statfs(SCRATCH, &status) == 0 &&
                      status.f_blocks - status.f_bfree <= LEFT_BLOCKS &&
                      status.f_files - status.f_ffree <= LEFT_FILES;
    if (!z->scratch_left)
        unmount(SCRATCH);
    if (z->gone < GONE_PLACES)
        return;
    if (umount2(GONE, MNT_DETACH) < 0)
        die("giving up former runs' files");
    z->gone = 0;
}

static void put_scratch_aside(struct zygote *z)
{
    char place[32];
    snprintf(place, sizeof place, GONE "/%d", z->gone);
    if (z->gone == 0 && mount(GONE, GONE, NULL, MS_BIND, NULL) < 0)
        die("making room for former runs' files");
    if (mount(SCRATCH, place, NULL, MS_MOVE, NULL) < 0)
        die("putting a former run's files aside");
    z->gone++;
    z->scratch_left = 0;
}

static void mount_scratch(struct zygote *z, uint64_t size, unsigned owner)
{
    char options[128];
    if (z->scratch_left)
        put_scratch_aside(z);
    snprintf(options, sizeof options, "size=%llu,nr_inodes=16384,mode=755,uid=%u,gid=%u",
             (unsigned long long)size, owner, owner);
    if (mount("scratch", SCRATCH, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
        die("mounting the scratch file system");
}

static int holds(const struct zygote *z, int section, char **words)
{
    for (; *words != NULL; words++)
        if (memmem(z->section[section], z->section_length[section], *words, strlen(*words)))
            return 1;
    return 0;
}

/* Whether the program's text holds one of some words. */
static int names(const struct zygote *z, char **words)
{
    return holds(z, SOURCE, words) || holds(z, FILES, words);
}

/* Whether Python must import something first, also for code that came without its text. */
static int names_on_demand(const struct zygote *z)
{
    return names(z, z->on_demand) || holds(z, CODE, z->on_demand) ||
           holds(z, DRIVER_CODE, z->on_demand);
}

/* Find the sections of the request in the buffer, or in the descriptor that brings them. */
static void find_sections(struct zygote *z)
{
    const struct request *q = (const struct request *)z->buffer;
    char *text = z->buffer + sizeof *q;
    uint64_t left = z->packet_size - sizeof *q;
    int wanted = 0;
    z->body = NULL;
    for (unsigned flags = q->flags & (BODY_FD | STDIN_FD | PROGRAM_FD | DRIVER); flags;
         flags &= flags - 1)
        wanted++;
    wanted += q->flags & PIPES ? 2 : 0;
    errno = EPROTO; /* the daemon is trusted; a defect of its own must not be read as data */
    if (z->packet_size < (int64_t)sizeof *q || z->descriptor_count < wanted)
        die("a request that is cut, or lacks descriptors");
    if (q->flags & BODY_FD) {
        struct stat status;
        if (fstat(z->descriptors[0], &status) < 0)
            die("looking at a request");
        z->body_size = status.st_size;
        z->body = mmap(NULL, z->body_size, PROT_READ, MAP_PRIVATE, z->descriptors[0], 0);
        if (z->body == MAP_FAILED)
            die("reading a request");
        text = z->body;
        left = z->body_size;
    }
    for (int i = 0; i < SECTIONS; i++) {
        errno = EPROTO;
        if (q->length[i] > left)
            die("a request whose lengths do not add up");
        left -= q->length[i];
        z->section[i] = text;
        z->section_length[i] = q->length[i];
        text += q->length[i];
    }
}

/* Let go of a run: its descriptors, and every byte of its request, so that the next program does
 * not find them in its memory. */
void zygote_forget(struct zygote *z)
{
    for (int i = 0; i < z->descriptor_count; i++)
        close(z->descriptors[i]);
    z->descriptor_count = 0;
    if (z->body != NULL)
        munmap(z->body, z->body_size);
    z->body = NULL;
    memset(z->buffer, 0, z->packet_size);
    z->packet_size = 0;
}

static int64_t receive(struct zygote *z)
{
    union {
        char room[CMSG_SPACE(sizeof(int) * MAX_DESCRIPTORS)];
        struct cmsghdr align;
    } ancillary;
    struct iovec place = {z->buffer, PACKET_BYTES};
    struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1, .msg_control = &ancillary,
                             .msg_controllen = sizeof ancillary};
    ssize_t size;
    do
        size = recvmsg(z->control, &message, MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    if (size <= 0)
        return size;
    z->packet_size = size;
    z->descriptor_count = 0;
    for (struct cmsghdr *one = CMSG_FIRSTHDR(&message); one; one = CMSG_NXTHDR(&message, one)) {
        if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS)
            continue;
        int count = (one->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (int i = 0; i < count && z->descriptor_count < MAX_DESCRIPTORS; i++)
            memcpy(&z->descriptors[z->descriptor_count++], CMSG_DATA(one) + i * sizeof(int),
                   sizeof(int));
    }
    return size;
}

static void open_channel(struct zygote *z)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        die("making a channel");
    fcntl(ends[1], F_SETFL, 0);
    z->channel = ends[0];
    z->channel_end = ends[1];
}

/* A program must not change what pid 1 reads there. */
void zygote_close_page(struct zygote *z)
{
    munmap(z->page, 4096);
}

/* In the child: what is left for Python to do.  The common program is READY: its code has only to
 * be executed. */
static int become_python(struct zygote *z)
{
    const struct request *q = (const struct request *)z->buffer;
    if (is_driver) {
        traits = MAY_USE_RANDOM;
        return READY;
    }
    int common = q->program == PYTHON_CODE || q->program == PYTHON_SOURCE;
    if (!common || q->length[ARGV] || q->length[ENVIRONMENT] ||
        memchr(z->section[SOURCE], 0, z->section_length[SOURCE]))
        return IN_CHILD;
    traits = names(z, z->random_words) ? MAY_USE_RANDOM : 0;
    traits |= names(z, z->leaving_words) ? LEAVES_SOMETHING : 0;
    traits |= names(z, z->stream_words) ? MAY_USE_C_STREAMS : 0;
    return READY;
}

/* At this place of the page pid 1 says that its own OOM score is back: until then the kernel could
 * choose it as well as its children. */
#define GO_PLACE 4095

static void wait_for_go(const struct zygote *z)
{
    while (!((volatile char *)z->page)[GO_PLACE])
        sched_yield();
}

/* Fork a Python program; 0 in the zygote.  A child returns with what Python has to do there. */
static int fork_program(struct zygote *z, const int *given, int count, pid_t *pid)
{
    if (!z->plain_forks)
        PyOS_BeforeFork();
    *pid = fork();
    if (*pid != 0) {
        if (!z->plain_forks)
            PyOS_AfterFork_Parent();
        return 0;
    }
    const char *what;
    if (!z->plain_forks)
        PyOS_AfterFork_Child();
    wait_for_go(z);
    int done = is_driver ? become_driver(z, given, count, &what)
                         : become(z, given, count, -1, 0, &what);
    if (done < 0) {
        tell_stage(z, SETUP, what);
        _exit(126);
    }
    sigaction(SIGINT, &interrupt_handler, NULL);
    return become_python(z);
}

/* The trusted program, which decides, and the one under test, joined by crossed pipes. */
static int fork_pair(struct zygote *z)
{
    int to_program[2], to_driver[2];
    int input = reopened(z->descriptors[z->descriptor_count - 1]);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || pipe2(to_program, O_CLOEXEC) < 0 || pipe2(to_driver, O_CLOEXEC) < 0)
        die("joining two programs");
    int of_driver[] = {input, null, z->err, to_driver[0], to_program[1], z->channel_end};
    int of_program[] = {z->in, z->out, z->err, to_program[0], to_driver[1]};
    is_driver = 1;
    int in_child = fork_program(z, of_driver, 6, &z->main_pid);
    if (in_child)
        return in_child;
    is_driver = 0;
    close(input);
    close(null);
    in_child = fork_program(z, of_program, 5, &z->peer_pid);
    if (in_child)
        return in_child;
    /* Each must see the other's end of file. */
    for (int end = 0; end < 2; end++) {
        close(to_program[end]);
        close(to_driver[end]);
    }
    return 0;
}

/* Launch the request in the buffer.  Returns 0 in the zygote; in a Python program's process, what
 * `zygote_serve` returns there. */
static int launch(struct zygote *z)
{
    const struct request *q = (const struct request *)z->buffer;
    unsigned owner = z->uid >= 0 ? (unsigned)z->uid : getuid();
    int in_child = 0;
    begin_measuring(z, q->memory, q->processes);
    mount_scratch(z, q->file_bytes, owner);
    if (q->flags & STDIN_FD)
        z->in = reopened(z->descriptors[q->flags & BODY_FD ? 1 : 0]);
    else
        z->in = sealed_memfd(z->section[STDIN], z->section_length[STDIN]);
    z->out = memfd_create("stdout", MFD_CLOEXEC);
    z->err = memfd_create("stderr", MFD_CLOEXEC);
    if (z->out < 0 || z->err < 0)
        die("making a file in memory");
    z->channel = z->channel_end = -1;
    if (q->flags & CHANNEL)
        open_channel(z);
    z->page[0] = SETUP;
    z->page[GO_PLACE] = 0;
    /* The kernel must choose a program, never pid 1: programs are born with a higher score. */
    if (z->oom_score >= 0 && pwrite(z->oom_score, "800", 3, 0) < 0)
        die("raising the score of the program");
    z->started_ns = clock_ns(CLOCK_MONOTONIC);
    z->peer_pid = 0;
    if (q->flags & DRIVER) {
        in_child = fork_pair(z);
    } else if (q->program == EXECUTE) {
        z->main_pid = spawn(z);
    } else {
        int given[] = {z->in, z->out, z->err, -1, -1, z->channel_end};
        in_child = fork_program(z, given, z->channel_end >= 0 ? 6 : 3, &z->main_pid);
    }
    if (in_child)
        return in_child;
    if (z->main_pid < 0 || z->peer_pid < 0)
        die("making a process");
    if (z->oom_score >= 0 && pwrite(z->oom_score, own_oom_score, own_oom_score_length, 0) < 0)
        die("keeping the score of pid 1");
    z->page[GO_PLACE] = 1;
    return 0;
}

static int64_t in_ns(const struct timeval *time)
{
    return time->tv_sec * 1000000000LL + time->tv_usec * 1000LL;
}

struct ending {
    int status;
    int64_t cpu_ns, largest_rss;
};

static void count_in(struct ending *e, const struct rusage *usage)
{
    int64_t rss = (int64_t)usage->ru_maxrss * 1024;
    e->cpu_ns += in_ns(&usage->ru_utime) + in_ns(&usage->ru_stime);
    if (rss > e->largest_rss)
        e->largest_rss = rss;
}

/* Reap the program, and kill and reap all that it left: whoever loses its parent becomes a child of
 * pid 1, so where there is no child there is no process. */
static struct ending bury(int main_pid)
{
    struct ending e = {0};
    struct rusage usage;
    int status;
    for (;;) {
        pid_t pid = wait4(-1, &status, WNOHANG, &usage);
        if (pid == 0) {
            kill(-1, SIGKILL);
            pid = wait4(-1, &status, 0, &usage);
        }
        if (pid > 0) {
            count_in(&e, &usage);
            if (pid == main_pid)
                e.status = status;
        } else if (errno == ECHILD) {
            return e;
        } else if (errno != EINTR) {
            die("waiting for a program");
        }
    }
}

static int stage_flags(int stage)
{
    if (stage == RUNNING)
        return 0;
    if (stage == COMPILING || stage == COMPILE_ERROR)
        return COMPILE_FAILED;
    return stage == EXEC_ERROR ? EXEC_FAILED : SETUP_FAILED;
}

static int64_t own_rss(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) < 0 ? 0 : (int64_t)usage.ru_maxrss * 1024;
}

/* As in meter.py: whether the run held too much in the room of what was still counted when it began
 * (an output of the run before it, until the daemon has read it). */
static int over_by_what_left(const struct zygote *z, const struct ending *e)
{
    if (z->usage < 0 || e->largest_rss <= z->memory_limit + SHARED_SLACK)
        return 0;
    int64_t usage = number_in(z->usage);
    if (z->usage_at_start - usage <= BASELINE_SLACK)
        return 0;
    if (z->peak < 0 || !z->peak_resets)
        return e->largest_rss - own_rss() > z->memory_limit + SHARED_SLACK;
    return number_in(z->peak) - usage > z->memory_limit;
}

static void finish_measuring(struct zygote *z, const struct ending *e, struct reply *r)
{
    if (z->cpu < 0) {
        r->cpu_ns = e->cpu_ns;
    } else {
        int64_t own = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - z->own_at_start_ns;
        int64_t spent = group_cpu_ns(z) - z->cpu_at_start_ns - own;
        r->cpu_ns = spent > 0 ? spent : 0;
    }
    int64_t peak = e->largest_rss;
    if (z->peak >= 0)
        peak = number_in(z->peak) - z->usage_at_start;
    r->peak = peak > 0 ? peak : 0;
    /* A child's largest resident set begins with what it had of pid 1 before its program, which says
     * nothing of that. */
    int told = z->peak >= 0 || peak > own_rss();
    if (told && (z->limit < 0 || z->memory_limit < LEAST_LIMIT) && peak > z->memory_limit)
        r->flags |= OUT_OF_MEMORY;
    if (over_by_what_left(z, e))
        r->flags |= OUT_OF_MEMORY;
    /* Also of a run that ended well: its children may not have, and what is not counted here would
     * be taken for the next run's. */
    int64_t kills = counter_in(z->events, "oom_kill "), hits = counter_in(z->pids, "max ");
    if (kills > z->oom_kills)
        r->flags |= OUT_OF_MEMORY;
    if (hits > z->pids_hits)
        r->flags |= PROCESSES_EXCEEDED;
    z->lingers = z->peak < 0 || !z->peak_resets ? kills > z->oom_kills
                                                : peak - e->largest_rss > LINGERING;
    if (kills > z->oom_kills && z->limit >= 0) {
        /* As in meter.py: until the next run nobody but pid 1 is there. */
        const char *none = z->cgroup_version == 1 ? "-1" : "max";
        if (pwrite(z->limit, none, strlen(none), 0) < 0)
            die("lifting the limit of the cgroup");
        z->memory_limit = -1;
    }
    z->oom_kills = kills;
    z->pids_hits = hits;
}

static int64_t output_size(int fd, const struct request *q, struct reply *r)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        die("looking at an output");
    if ((uint64_t)status.st_size <= q->output)
        return status.st_size;
    r->flags |= OUTPUT_EXCEEDED;
    if (ftruncate(fd, q->output) < 0)
        die("cutting an output");
    return q->output;
}

static void send_reply(struct zygote *z, struct reply *r)
{
    static char text[INLINE_BYTES];
    union {
        char room[CMSG_SPACE(sizeof(int) * 2)];
        struct cmsghdr align;
    } ancillary;
    const struct request *q = (const struct request *)z->buffer;
    int long_ones[2], long_count = 0;
    int64_t used = 0, room = INLINE_BYTES - STAGE_MESSAGE;
    r->out_size = output_size(z->out, q, r);
    r->err_size = output_size(z->err, q, r);
    for (int i = 0; i < 2; i++) {
        int fd = i ? z->err : z->out;
        int64_t size = i ? r->err_size : r->out_size;
        if (size > room - used) {
            r->flags |= i ? STDERR_FD : STDOUT_FD;
            long_ones[long_count++] = fd;
        } else if (size > 0) {
            if (pread(fd, text + used, size, 0) != size)
                die("reading an output");
            used += size;
        }
    }
    if (r->flags & (SETUP_FAILED | EXEC_FAILED)) {
        z->page[STAGE_MESSAGE] = 0;
        r->message_size = strlen(z->page + 1);
        memcpy(text + used, z->page + 1, r->message_size);
        used += r->message_size;
        memset(z->page + 1, 0, STAGE_MESSAGE);
    }
    r->zygote_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    struct iovec parts[2] = {{r, sizeof *r}, {text, used}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    if (long_count) {
        message.msg_control = &ancillary;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * long_count);
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int) * long_count);
        memcpy(CMSG_DATA(rights), long_ones, sizeof(int) * long_count);
    }
    if (sendmsg(z->control, &message, MSG_NOSIGNAL) < 0)
        die("answering the daemon");
    memset(text, 0, used);
}

/* Wait a short while; 0: the program has ended. */
static int wait_shortly(struct zygote *z)
{
    const struct request *q = (const struct request *)z->buffer;
    int64_t wait_ns = q->cpu_ns / 4 * 5 / z->cores;
    if ((int64_t)q->wall_ns < wait_ns)
        wait_ns = q->wall_ns;
    int64_t wait_ms = wait_ns / 1000000 + 1;
    if (wait_ms > z->poll_ms)
        wait_ms = z->poll_ms;
    int program = syscall(SYS_pidfd_open, z->main_pid, 0);
    if (program < 0)
        die("watching a program");
    struct pollfd watched[2] = {{program, POLLIN, 0}, {z->control, POLLIN, 0}};
    int ready = poll(watched, 2, (int)wait_ms);
    close(program);
    return ready > 0 && watched[0].revents ? 0 : -1;
}

/* The end of a run that was watched here. */
static void finish(struct zygote *z)
{
    struct reply r = {.run_id = ((const struct request *)z->buffer)->run_id, .peer_status = -1};
    struct ending e = bury(z->main_pid);
    r.wall_ns = clock_ns(CLOCK_MONOTONIC) - z->started_ns;
    r.status = e.status;
    finish_measuring(z, &e, &r);
    /* A limit may end a program before it begins: that is no failure of ours. */
    if (!(r.flags & OUT_OF_MEMORY && z->page[0] == SETUP))
        r.flags |= stage_flags(z->page[0]);
    send_reply(z, &r);
    close(z->in);
    close(z->out);
    close(z->err);
    leave_scratch(z);
    zygote_forget(z);
}

/* Whether a run has sent something: then the next one gets another network (zygote/network.py). */
static int network_was_used(const struct zygote *z)
{
    char counted[4096];
    if (z->network < 0)
        return 0;
    ssize_t size = pread(z->network, counted, sizeof counted, 0);
    return size != z->network_size || memcmp(counted, z->network_idle, size) != 0;
}

static void answer_ping(struct zygote *z)
{
    struct control answer = {.type = PONG, .run_id = ((struct control *)z->buffer)->run_id};
    send(z->control, &answer, sizeof answer, MSG_NOSIGNAL);
}

static int serve(struct zygote *z)
{
    const struct request *q = (const struct request *)z->buffer;
    for (;;) {
        if (receive(z) <= 0)
            return CLOSED;
        if (q->type == PING)
            answer_ping(z);
        if (q->type != RUN) {
            zygote_forget(z); /* or a CANCEL for a run that ended in the meantime */
            continue;
        }
        find_sections(z);
        if (q->flags & PIPES || names_on_demand(z) || network_was_used(z) ||
            (q->program == EXECUTE && prepare_exec(z) < 0)) {
            if (z->scratch_left)
                put_scratch_aside(z); /* Python mounts its own */
            return FOR_PYTHON;
        }
        int in_child = launch(z);
        if (in_child)
            return in_child;
        if (q->flags & CHANNEL || q->length[FETCH] || wait_shortly(z) < 0)
            return LAUNCHED;
        finish(z);
    }
}

#define PY_FILE_INPUT 257

/* In the child: the code object to execute, loaded or compiled as `compile(source, path, "exec", 0,
 * True)` does. */
static void *ready_code(struct zygote *z)
{
    int64_t length = z->section_length[SOURCE];
    if (is_driver)
        return PyMarshal_ReadObjectFromString(z->section[DRIVER_CODE],
                                              z->section_length[DRIVER_CODE]);
    z->page[0] = COMPILING;
    if (((const struct request *)z->buffer)->program == PYTHON_CODE)
        return PyMarshal_ReadObjectFromString(z->section[CODE], z->section_length[CODE]);
    char *text = malloc(length + 1);
    if (text == NULL)
        die("making room for a source");
    memcpy(text, z->section[SOURCE], length);
    text[length] = 0;
    void *code =
        Py_CompileStringExFlags(text, "/scratch/box/solution.py", PY_FILE_INPUT, NULL, -1);
    free(text);
    return code;
}

/* Carry out runs until one needs Python; see the enum for what is returned. */
void *zygote_serve(struct zygote *z)
{
    int what = serve(z);
    if (what != READY)
        return PyLong_FromLong(what);
    void *code = ready_code(z);
    if (code == NULL)
        return NULL; /* Python's exception says why; the page, that it was compiling */
    if (!is_driver)
        z->page[0] = RUNNING;
    zygote_close_page(z);
    return traits ? Py_BuildValue("Ni", code, traits) : code;
}
