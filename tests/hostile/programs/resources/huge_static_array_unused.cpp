//| what = "A static array far over the limit, of which nothing is used"
//| covers = ["huge static array", "memory not touched"]
//| verdict = ["accepted"]
//| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, memory_bytes = 67108864 }
#include <iostream>

static long array[1 << 27];

int main(int count, char **)
{
    array[count] = count;
    std::cout << (array[count] == count ? "contained" : "lost") << std::endl;
}
