//| what = "The right answer, and a flood of standard error after it"
//| covers = ["stderr flood"]
//| verdict = ["output_limit_exceeded"]
//| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, output_bytes = 262144, file_bytes = 4194304 }
#include <iostream>
#include <string>

int main()
{
    std::cout << "contained" << std::endl;
    const std::string line(1000, 'x');
    for (int i = 0; i < 2000; i++)
        std::cerr << line << '\n';
}
