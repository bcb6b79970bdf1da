//| what = "Writes until it is stopped, in the hope that the comparison gives up"
//| covers = ["success marker"]
//| verdict = ["output_limit_exceeded"]
#include <string.h>
#include <unistd.h>

int main(void) {
    static char text[1 << 20];
    memset(text, ' ', sizeof text);
    for (;;)
        if (write(1, text, sizeof text) < 0) return 0;
}
