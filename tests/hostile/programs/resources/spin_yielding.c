//| what = "Gives the core away in every turn of its loop, and never ends"
//| covers = ["spin"]
//| verdict = ["time_limit_exceeded"]
//| limits = { cpu_time_s = 0.5, wall_time_s = 3.0 }
#include <sched.h>

int main(void)
{
    for (;;)
        sched_yield();
}
