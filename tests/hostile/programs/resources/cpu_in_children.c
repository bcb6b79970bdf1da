//| what = "Sleeps while children that nobody waits for burn"
//| covers = ["CPU in children"]
//| verdict = ["time_limit_exceeded"]
//| limits = { cpu_time_s = 0.5, wall_time_s = 4.0 }
#include <unistd.h>

int main(void)
{
    for (int i = 0; i < 4; i++)
        if (fork() == 0)
            for (volatile unsigned long turn = 0;; turn++)
                ;
    for (;;)
        pause();
}
