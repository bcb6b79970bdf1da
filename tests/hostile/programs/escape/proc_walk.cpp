//| what = "Walks /proc for environments and memory of others, in C++ and before main"
//| covers = ["/proc of others", "environment"]
//| verdict = ["accepted"]
#include "attack.h"
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace fs = std::filesystem;
static std::set<std::string> found;

struct Early {
    Early() {
        std::error_code error;
        std::string own = std::to_string(getpid());
        for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
            std::string name = at->path().filename();
            if (name.find_first_not_of("0123456789") != std::string::npos || name == own)
                continue;
            for (const char *file : {"/environ", "/mem", "/maps", "/auxv", "/io", "/stack"}) {
                std::ifstream stream(at->path().string() + file, std::ios::binary);
                char byte;
                if (stream.read(&byte, 1))
                    found.insert(at->path().string() + file);
            }
            for (const char *link : {"cwd", "root", "exe", "fd/0", "fd/3"})
                if (fs::read_symlink(at->path() / link, error) != fs::path())
                    found.insert(at->path() / link);
            error.clear();
        }
    }
} early;

int main() {
    attack_begin();
    for (const std::string &name : found)
        got(name.c_str(), 0);
    return attack_end();
}
