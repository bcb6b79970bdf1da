//| what = "The right answer, and a destructor that does not end"
//| covers = ["spin"]
//| verdict = ["time_limit_exceeded"]
//| limits = { cpu_time_s = 0.5, wall_time_s = 3.0 }
#include <iostream>

static struct Endless {
    ~Endless()
    {
        for (volatile unsigned long turn = 0;; turn = turn + 1)
            ;
    }
} endless;

int main()
{
    std::cout << "contained" << std::endl;
}
