/* How a test program made of asserts ended, said by the program itself (C, C++, Rust).
 *
 * Linked with the submission and the test program, so that `main` and `__assert_fail` come here
 * first (`--wrap`, see the languages' `asserts`).  Only a `main` that returns is a pass: a
 * submission that exits leaves no record.  The nonce is read when there is something to say, and no
 * sooner.  All three share one process: what is said here can be forged by a submission that looks
 * for the nonce, and is called `weak`.
 */

#ifdef __cplusplus
extern "C" {
#endif

enum { NONCE = 32, CHANNEL = 5, LONGEST = 300, CODE_OF_ABORT = 134 };

/* By the kernel's own entry: a submission may have functions of its own by the names `read`,
 * `write` and `_exit`. */
static long ask_kernel(long number, long a, const void *b, long c)
{
#if defined(__x86_64__)
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long n __asm__("x8") = number;
    register long x __asm__("x0") = a;
    register const void *y __asm__("x1") = b;
    register long z __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x) : "r"(n), "r"(y), "r"(z) : "memory");
    return x;
#else
#error "asserts in C and C++ are there for x86-64 and arm64"
#endif
}

#if defined(__x86_64__)
enum { READ = 0, WRITE = 1, EXIT_GROUP = 231 };
#else
enum { READ = 63, WRITE = 64, EXIT_GROUP = 94 };
#endif

/* A record as it grows; what does not fit is left out. */
struct text {
    char bytes[13 * LONGEST]; /* two texts of escapes alone, and the rest; less than PIPE_BUF */
    int length;
};

static void add(struct text *t, const char *more)
{
    for (; *more && t->length < (int)sizeof t->bytes; more++)
        t->bytes[t->length++] = *more;
}

/* As JSON has it in a string; ASCII only. */
static void add_escaped(struct text *t, const char *more)
{
    static const char digits[] = "0123456789abcdef";
    for (int n = 0; more[n] && n < LONGEST; n++) {
        unsigned char c = (unsigned char)more[n];
        char escape[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15], 0};
        char plain[] = {(char)(c < 128 ? c : '?'), 0};
        add(t, c < 32 || c == '"' || c == '\\' ? escape : plain);
    }
}

static void add_number(struct text *t, unsigned number)
{
    char digits[12];
    int place = sizeof digits - 1;
    digits[place] = 0;
    do
        digits[--place] = (char)('0' + number % 10);
    while (number /= 10);
    add(t, digits + place);
}

/* Begin a record; its message comes next.  Whether there is a nonce, without which nothing counts. */
static int begin(struct text *t, const char *state)
{
    char nonce[NONCE + 1];
    int have = 0;
    while (have < NONCE) {
        long got = ask_kernel(READ, 0, nonce + have, NONCE - have);
        if (got <= 0)
            return 0;
        have += (int)got;
    }
    nonce[NONCE] = 0;
    t->length = 0;
    add(t, "{\"nonce\": \"");
    add_escaped(t, nonce);
    add(t, "\", \"state\": \"");
    add(t, state);
    add(t, "\", \"message\": \"");
    return 1;
}

static void end(struct text *t)
{
    add(t, "\"}\n");
    /* Shorter than PIPE_BUF: the pipe takes all of it at once, or nothing. */
    ask_kernel(WRITE, CHANNEL, t->bytes, t->length);
}

/* It ends the process at once, so that nobody can go on behind a handler of SIGABRT. */
static void assertion_failed(const char *state, const char *words, const char *file, unsigned line)
{
    struct text t;
    if (begin(&t, state)) {
        add(&t, "assert (");
        add_escaped(&t, words);
        add(&t, ") failed at ");
        add_escaped(&t, file);
        add(&t, ":");
        add_number(&t, line);
        end(&t);
    }
    ask_kernel(EXIT_GROUP, CODE_OF_ABORT, 0, 0);
}

/* What `assert` of the test program calls; see `asserts.h`. */
void scalebox_assert_failed(const char *words, const char *file, unsigned line)
{
    assertion_failed("failed", words, file, line);
}

/* What the C library's `assert` calls: the submission's, or one that the test program includes. */
void __wrap___assert_fail(const char *words, const char *file, unsigned line, const char *function)
{
    static const char of_tests[] = "tests.";
    int n = 0;
    while (of_tests[n] && file[n] == of_tests[n])
        n++;
    (void)function;
    assertion_failed(of_tests[n] ? "error" : "failed", words, file, line);
}

int __real_main(int argc, char **argv, char **environment);

int __wrap_main(int argc, char **argv, char **environment)
{
    struct text t;
    int status = __real_main(argc, argv, environment);
    if (begin(&t, status ? "failed" : "passed")) {
        if (status) {
            add(&t, "the tests' main returned ");
            add_number(&t, status & 255);
        }
        end(&t);
    }
    return status;
}

#ifdef __cplusplus
}
#endif
