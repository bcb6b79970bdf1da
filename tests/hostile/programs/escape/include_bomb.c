//| what = "Includes itself twice at every depth"
//| covers = ["compile-time bomb"]
//| verdict = ["compile_error"]
#if __INCLUDE_LEVEL__ < 40
#include __FILE__
#include __FILE__
#else
int again(void);
#endif
#if __INCLUDE_LEVEL__ == 0
int main(void) { return 0; }
#endif
