//| what = "Instantiates templates without end"
//| covers = ["compile-time bomb"]
//| verdict = ["compile_error"]
template <int N, int M> struct Tree { Tree<N - 1, 2 * M> left; Tree<N - 1, 2 * M + 1> right; };
template <int M> struct Tree<0, M> { char leaf[M & 7 ? 1 : 2]; };
int main() { return sizeof(Tree<30, 1>) == 0; }
