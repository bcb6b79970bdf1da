//| what = "Its first thread ends, the others burn on"
//| covers = ["CPU in threads"]
//| verdict = ["time_limit_exceeded"]
//| limits = { cpu_time_s = 0.5, wall_time_s = 4.0 }
#include <pthread.h>
#include <thread>

int main()
{
    for (int i = 0; i < 8; i++)
        std::thread([] {
            for (volatile unsigned long turn = 0;; turn = turn + 1)
                ;
        }).detach();
    pthread_exit(nullptr);
}
