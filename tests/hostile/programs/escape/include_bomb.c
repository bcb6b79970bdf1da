//| what = "Includes itself twice at every depth"
//| covers = ["compile-time bomb"]
//| verdict = ["compile_error"]
#include __FILE__
#include __FILE__
int main(void) { return 0; }
