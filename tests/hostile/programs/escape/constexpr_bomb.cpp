//| what = "Computes at compile time without end, and an array as large as memory"
//| covers = ["compile-time bomb"]
//| verdict = ["compile_error"]
constexpr unsigned long turns(unsigned long n) {
    unsigned long total = 0;
    for (unsigned long i = 0; i < n; i++)
        for (unsigned long j = 0; j < 200000; j++)
            total += i ^ j;
    return total;
}
template <unsigned long N> struct Value { static constexpr unsigned long value = turns(100) + Value<N - 1>::value; };
template <> struct Value<0> { static constexpr unsigned long value = 0; };
static_assert(Value<800>::value != 1);
char huge[1ul << 36] = {1};
int main() { return 0; }
