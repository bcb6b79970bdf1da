//| what = "Looks through its descriptors and its memory for what its parent left there, from many threads"
//| covers = ["inherited descriptors", "answers", "keys"]
//| verdict = ["accepted"]
#include "attack.h"
#include <fcntl.h>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

int main() {
    attack_begin();
    for (int fd = 3; fd < 4096; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            got("descriptor", fd);
    std::vector<std::pair<unsigned long, unsigned long>> places;
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long start, stop;
        char mode[8];
        if (sscanf(line, "%lx-%lx %7s", &start, &stop, mode) == 3 && mode[0] == 'r' && !strstr(line, "[v"))
            places.emplace_back(start, stop);
    }
    if (maps)
        fclose(maps);
    std::mutex lock;
    std::vector<std::thread> threads;
    for (auto [start, stop] : places)
        threads.emplace_back([&, start = start, stop = stop] {
            int memory = open("/proc/self/mem", O_RDONLY);
            std::string part(stop - start, '\0');
            ssize_t size = memory < 0 ? -1 : pread(memory, part.data(), part.size(), start);
            // In two pieces, so as not to find itself.
            std::string wanted = std::string("LEA") + "K";
            for (size_t at = 0; size > 0 && (at = part.find(wanted, at)) != part.npos; at++)
                if (part.find_first_not_of("0123456789abcdef", at + 4) >= at + 20) {
                    std::lock_guard guard(lock);
                    got(part.substr(at, 20).c_str(), start);
                }
            close(memory);
        });
    for (auto &thread : threads)
        thread.join();
    return attack_end();
}
