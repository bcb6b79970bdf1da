/* The zygote's memory, put in order once, so that each of its many children is cheap.
 *
 * A child costs what its page tables and page faults cost.  Three things make them fewer:
 *
 *   - The interpreter's text lies in huge pages.  Mapped from its file, every child would map it
 *     anew, sixteen pages a fault; in memory of its own it comes with the fork, two megabytes by a
 *     single entry.  A tenth of all that a trivial case costs.
 *   - Free memory between what the preloaded modules left is given back.
 *   - What cannot be given back is filled, for good: a child that allocates in a hole copies the
 *     page around it, and holes are everywhere after so many imports.  What children allocate is
 *     then new, and together.
 *
 * Where the kernel does not give one of these, children are as right, and a little slower.
 */

#define _GNU_SOURCE
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of the interpreter that has loaded this file. */
extern void *PyObject_Malloc(size_t);
extern void PyObject_Free(void *);
extern const char *Py_GetVersion(void);

/* --- text in huge pages ------------------------------------------------------------------------ */

#define HUGE ((uintptr_t)2 << 20)
#define WORDS_OF_MAPPING "%lx-%lx %7s %*s %*s %*s %255s"

/* The kernel may have only small pages left, of which every fork would copy the entries. */
static int is_huge(uintptr_t start)
{
    char line[512];
    long kib = 0;
    int inside = 0;
    FILE *maps = fopen("/proc/self/smaps", "re");
    while (maps != NULL && fgets(line, sizeof line, maps)) {
        unsigned long first, end;
        if (sscanf(line, "%lx-%lx ", &first, &end) == 2)
            inside = first <= start && start < end;
        else if (inside && sscanf(line, "AnonHugePages: %ld", &kib) == 1)
            break;
    }
    if (maps != NULL)
        fclose(maps);
    return kib >= (long)(HUGE >> 10);
}

/* Replace one aligned piece of text by a copy in a huge page. */
static void make_huge(uintptr_t start)
{
    char *room = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        return;
    char *copy = (char *)(((uintptr_t)room + HUGE - 1) & ~(HUGE - 1));
    if (madvise(copy, HUGE, MADV_HUGEPAGE) == 0) {
        memcpy(copy, (const char *)start, HUGE);
        __builtin___clear_cache(copy, copy + HUGE);
        if (is_huge((uintptr_t)copy) && mprotect(copy, HUGE, PROT_READ | PROT_EXEC) == 0)
            mremap(copy, HUGE, HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, start);
    }
    munmap(room, 2 * HUGE); /* what was moved away is not there any more */
}

struct stretch {
    uintptr_t start, end;
    int is_text;
    char path[256];
};

static void make_stretch_huge(const struct stretch *s)
{
    if (!s->is_text)
        return;
    for (uintptr_t at = (s->start + HUGE - 1) & ~(HUGE - 1); at + HUGE <= s->end; at += HUGE)
        make_huge(at);
}

/* Stretches of text with the constants beside it, of one file each, that nobody can write to. */
static void make_text_huge(void)
{
    enum { MOST = 8 };
    struct stretch found[MOST] = {0}, *s = found;
    char line[512], mode[8], path[256];
    unsigned long start, end;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps != NULL && fgets(line, sizeof line, maps)) {
        path[0] = 0;
        int words = sscanf(line, WORDS_OF_MAPPING, &start, &end, mode, path);
        if (words < 4 || path[0] != '/' || mode[0] != 'r' || mode[1] == 'w' || mode[3] != 'p')
            continue;
        if (s->end != start || strcmp(s->path, path) != 0) {
            if (s->is_text && s->end - s->start >= HUGE && ++s == found + MOST)
                break;
            *s = (struct stretch){.start = start};
            strcpy(s->path, path);
        }
        s->end = end;
        s->is_text |= mode[2] == 'x';
    }
    if (maps != NULL)
        fclose(maps);
    /* Not while the list is read: these change it. */
    for (struct stretch *one = found; one <= s && one < found + MOST; one++)
        make_stretch_huge(one);
}

/* --- no holes ---------------------------------------------------------------------------------- */

static void fill_holes_of_python(void)
{
    /* A pool of blocks of one size begins with a header; its first block is handed out only when no
     * other pool of that size has a hole.  16 KiB, and 4 KiB before Python 3.10. */
    enum { HEADER = 48, LARGEST = 512, TRIES = 200000 };
    const char *version = Py_GetVersion();
    uintptr_t pool = strncmp(version, "3.8.", 4) && strncmp(version, "3.9.", 4) ? 16384 : 4096;
    for (size_t size = 16; size <= LARGEST; size += 16) {
        for (int i = 0; i < TRIES; i++) {
            void *block = PyObject_Malloc(size);
            if (((uintptr_t)block & (pool - 1)) == HEADER) {
                PyObject_Free(block);
                break;
            }
        }
    }
}

static void fill_holes_of_c(void)
{
    enum { ROOM = 64 * 1024 };
    char *top = (char *)sbrk(0) - mallinfo2().keepcost;
    for (size_t size = ROOM; size >= 24; size = size > 1024 ? size / 2 : size - 8) {
        for (;;) {
            char *block = malloc(size);
            if (block == NULL || block + size > top) {
                free(block);
                break;
            }
        }
    }
    void *room = malloc(ROOM), *more = malloc(ROOM); /* the heap need not grow in every child */
    free(room);
    free(more);
}

/* Called once, when everything is imported. */
void settle_memory(void)
{
    make_text_huge();
    malloc_trim(0);
    fill_holes_of_python();
    fill_holes_of_c();
}
