// What attacks in C and C++ share: what they were told, and what got through.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char told_line[8192];
static int got_count;

// Of the line of JSON; texts hold no escapes.
static const char *told_text(const char *name) {
    static char found[1024];
    char key[64];
    snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *start = strstr(told_line, key);
    if (!start)
        return "";
    start += strlen(key);
    snprintf(found, sizeof found, "%.*s", (int)strcspn(start, "\""), start);
    return found;
}

static long told_number(const char *name) {
    char key[64];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *start = strstr(told_line, key);
    return start ? atol(start + strlen(key)) : -1;
}

static void attack_begin(void) {
    if (!fgets(told_line, sizeof told_line, stdin))
        exit(3);
}

static void got(const char *what, long detail) {
    printf("%s (%ld); ", what, detail);
    got_count++;
}

// Anything but a refusal of the call itself has got through.
static int is_refusal(int error) {
    return error == EPERM || error == EACCES || error == ENOSYS || error == EAFNOSUPPORT;
}

static void refused(const char *what, long result) {
    if (result != -1)
        got(what, result);
    else if (!is_refusal(errno))
        got(what, -errno);
}

static int attack_end(void) {
    puts(got_count ? "" : "contained");
    return 0;
}
