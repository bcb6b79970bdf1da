//| what = "Waits for a lock that it holds, after the right answer"
//| covers = ["sleep"]
//| verdict = ["time_limit_exceeded"]
//| limits = { cpu_time_s = 1.0, wall_time_s = 1.0 }
#include <condition_variable>
#include <iostream>
#include <mutex>

int main()
{
    std::cout << "contained" << std::endl;
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock<std::mutex> lock(mutex);
    never.wait(lock, [] { return false; });
}
