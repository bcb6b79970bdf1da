//| what = "A vector that doubles; bad_alloc is caught, and it goes on"
//| covers = ["memory touched"]
//| verdict = ["memory_limit_exceeded"]
//| limits = { cpu_time_s = 2.0, wall_time_s = 5.0, memory_bytes = 67108864 }
#include <list>
#include <new>
#include <vector>

int main()
{
    std::list<std::vector<long>> kept;
    for (std::size_t size = 1024;; size *= 2) {
        try {
            kept.emplace_back(size, 7);
        } catch (const std::bad_alloc &) {
            size = 1024;
        }
    }
}
