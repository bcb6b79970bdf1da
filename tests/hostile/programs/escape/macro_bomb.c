//| what = "Expands a macro to a billion tokens"
//| covers = ["compile-time bomb"]
//| verdict = ["compile_error"]
#define A(x) x x x x x x x x x x
#define B(x) A(A(A(A(A(x)))))
#define C(x) B(B(x))
int main(void) { int n = 0; C(n++;) return n; }
