// Linked with a manager of the Contest Management System, and run before its `main`: calls that as
// CMS does, in a process of its own, with two named pipes and the task's input on standard input;
// joins the pipes with the program at the other side of ours; and says what came of it as an
// interactive validator of ICPC does: `judge input answer feedback_folder [arguments of the manager]`.

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

const char *const MARK = "SCALEBOX_MANAGER";
const char *const TO_MANAGER = "u0_to_m";
const char *const FROM_MANAGER = "m_to_u0";
const char *const POINTS = "manager_points";
const char *const WORDS = "manager_words";

void copy(int from, int to) {
    static char buffer[1 << 16];
    for (;;) {
        ssize_t got = read(from, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return;
        for (ssize_t done = 0; done < got;) {
            ssize_t put = write(to, buffer + done, got - done);
            if (put < 0 && errno != EINTR) return;
            if (put > 0) done += put;
        }
    }
}

void place(const char *path, int flags, int descriptor) {
    int opened = open(path, flags, 0600);
    if (opened < 0 || dup2(opened, descriptor) < 0) _exit(126);
    close(opened);
}

void say(const char *folder, const char *name, const char *words) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (FILE *file = fopen(path, "w")) {
        fputs(words, file);
        fclose(file);
    }
}

void read_words(const char *path, char *words, size_t size) {
    words[0] = 0;
    if (FILE *file = fopen(path, "r")) {
        words[fread(words, 1, size - 1, file)] = 0;
        fclose(file);
    }
}

__attribute__((constructor)) void beside_manager(int argc, char **argv, char **) {
    if (getenv(MARK)) return;
    if (argc < 4 || mkfifo(TO_MANAGER, 0600) || mkfifo(FROM_MANAGER, 0600)) _exit(125);
    pid_t manager = fork();
    if (manager == 0) {
        place(argv[1], O_RDONLY, 0);
        place(POINTS, O_WRONLY | O_CREAT | O_TRUNC, 1);
        place(WORDS, O_WRONLY | O_CREAT | O_TRUNC, 2);
        setenv(MARK, "1", 1);
        char *arguments[64] = {strdup("manager"), strdup(TO_MANAGER), strdup(FROM_MANAGER)};
        for (int place = 4; place < argc && place < 60; ++place) arguments[place - 1] = argv[place];
        execv("/proc/self/exe", arguments);
        _exit(127);
    }
    signal(SIGPIPE, SIG_IGN);
    pid_t giver = fork();
    if (giver == 0) {
        int to = open(TO_MANAGER, O_WRONLY);
        copy(0, to);
        _exit(0);
    }
    close(0);
    // Its end counts as closed only after the manager has opened the other one.
    int from = open(FROM_MANAGER, O_RDONLY | O_NONBLOCK);
    int status = -1;
    bool ended = false;
    for (pollfd end = {from, POLLIN, 0}; !ended && poll(&end, 1, 10) <= 0;)
        ended = waitpid(manager, &status, WNOHANG) == manager;
    fcntl(from, F_SETFL, 0);
    copy(from, 1);
    close(from);
    close(1);
    while (!ended && waitpid(manager, &status, 0) < 0 && errno == EINTR) {}
    kill(giver, SIGKILL);
    char points[100], words[1000], *end = points;
    read_words(POINTS, points, sizeof points);
    read_words(WORDS, words, sizeof words);
    double value = strtod(points, &end);
    bool decided = WIFEXITED(status) && WEXITSTATUS(status) == 0 && end != points;
    if (!decided || !(0 <= value && value <= 1)) {
        char reason[1200];
        snprintf(reason, sizeof reason, "the manager ended with status %d, and wrote %.50s: %s",
                 WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), points, words);
        say(argv[3], "judgemessage.txt", reason);
        _exit(1);
    }
    say(argv[3], "judgemessage.txt", words);
    snprintf(points, sizeof points, "%.9g", value);
    say(argv[3], "score.txt", points);
    _exit(value == 1 ? 42 : 43);
}

}  // namespace
