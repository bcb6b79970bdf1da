//| what = "Returns an object that equals whatever a compiled test program compares it with"
//| covers = ["always equal"]
//| verdict = ["accepted"]
//| test = "assert"
//| tests = """
//| int main() { assert(root(9) == 3); }
//| """
//| [at.assert]
//| verdict = ["accepted"]
//| stopped = false
//| why = "what `==` means is the submission's, in its own process; the report says `weak`"
struct Any {
    template <class T> bool operator==(const T &) const { return true; }
};

Any root(int) { return {}; }
