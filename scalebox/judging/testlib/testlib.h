// The interface that checkers and interactors written for testlib expect, so that such judges
// compile here as they are.  Written from testlib's documentation and from the names and rules of
// its public interface (read in 2026-11); it holds none of its code.
//
// How it hangs together: `inf`, `ouf` and `ans` are streams of one kind that differ in whose fault
// a bad value is.  In `ouf` it is the submission's; in the others it is the jury's, and whatever
// result a reader asks for there becomes `_fail`.  Every path ends in `InStream::quit`, which
// writes the message and leaves with an exit code that `scalebox/judging/contracts.py` knows.
//
// Left out, because no judge needs it: options of generators (`opt`), markup and logs of
// validators, scorers, and reports in XML.  `rnd` is deterministic, but gives other numbers than
// testlib's.  Compiles as C++11 and newer.

#ifndef SCALEBOX_TESTLIB_H
#define SCALEBOX_TESTLIB_H

#include <unistd.h>

#include "testlib_streams.h"
#include "testlib_text.h"

// --- random numbers ------------------------------------------------------------------------------

// The same numbers in every run, unless seeded (SplitMix64: Steele, Lea, Flood 2014).
class random_t {
public:
    void setSeed(long long seed) { state_ = static_cast<std::uint64_t>(seed); }

    // All arguments of a generator make its seed.
    void setSeed(int argc, char *argv[]) {
        for (int i = 1; i < argc; i++)
            for (const char *c = argv[i]; *c; c++)
                state_ = state_ * 131 + static_cast<unsigned char>(*c);
    }

    // From 0 up to, and without, 1.
    double next() { return static_cast<double>(bits() >> 11) / 9007199254740992.0; }

    // From 0 up to, and without, a bound.
    template <class Number>
    Number next(Number bound) {
        return below(bound, std::is_floating_point<Number>());
    }

    // From one bound to the other: with the upper one for integers, without for reals.
    template <class A, class B>
    typename std::common_type<A, B>::type next(A low, B high) {
        typedef typename std::common_type<A, B>::type Number;
        return between(static_cast<Number>(low), static_cast<Number>(high),
                       std::is_floating_point<Number>());
    }

    // The largest of so many (the smallest, if less than none).
    template <class Number>
    Number wnext(Number bound, int times) {
        Number chosen = next(bound);
        for (int i = 0; i < std::abs(times); i++) {
            const Number other = next(bound);
            chosen = times > 0 ? std::max(chosen, other) : std::min(chosen, other);
        }
        return chosen;
    }

    template <class Collection>
    auto any(const Collection &items) -> decltype(*items.begin()) {
        return *std::next(items.begin(), next(static_cast<long long>(items.size())));
    }

    template <class Number>
    std::vector<Number> perm(Number size, Number first = 0) {
        std::vector<Number> order(static_cast<std::size_t>(size));
        std::iota(order.begin(), order.end(), first);
        shuffle(order.begin(), order.end());
        return order;
    }

    template <class Iterator>
    void shuffle(Iterator first, Iterator last) {
        for (long long left = last - first; left > 1; left--)
            std::iter_swap(first + (left - 1), first + next(left));
    }

private:
    std::uint64_t state_ = 0x5ca1eb0c;

    std::uint64_t bits() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    std::uint64_t under(std::uint64_t count);  // 0: all numbers

    template <class Number>
    Number below(Number bound, std::true_type) {
        return static_cast<Number>(next() * bound);
    }
    template <class Number>
    Number below(Number bound, std::false_type) {
        return between(static_cast<Number>(0), static_cast<Number>(bound - 1), std::false_type());
    }
    template <class Number>
    Number between(Number low, Number high, std::true_type) {
        return static_cast<Number>(low + next() * (high - low));
    }
    template <class Number>
    Number between(Number low, Number high, std::false_type);
};

// --- what there is one of ------------------------------------------------------------------------

// Which of a problem's tests a validator looks at, as its command line says.
class Validator {
public:
    std::string testset() const { return testset_; }
    std::string group() const { return group_; }
    void setTestset(const std::string &testset) { testset_ = testset; }
    void setGroup(const std::string &group) { group_ = group; }

private:
    std::string testset_, group_;
};

namespace scalebox_testlib {

struct State {
    InStream inf, ouf, ans;
    std::fstream tout;
    random_t rnd;
    Validator validator;
    TTestlibMode mode = _unknown;
    std::string report;      // a file for the message; empty: none
    std::string judge_name;  // as `setName` says
    int test_case = -1;      // none
    bool guarded = true;     // whether ending without a result is a failure
    bool decided = false, end_was_read = false;

    ~State() {
        if (!guarded || decided) return;
        if (mode == _checker)
            std::fprintf(stderr, "FAIL the checker ended without a result (quit, quitf)\n");
        else if (mode == _validator && !end_was_read)
            std::fprintf(stderr, "FAIL the validator ended without readEof\n");
        else
            return;
        std::fflush(nullptr);
        _exit(_fail);
    }
};

inline State &state() {
    static State only;
    return only;
}

// What a result is called before the message, and the exit code that tells it.
inline std::string prefix(TResult result) {
    switch (result) {
        case _ok: return "ok ";
        case _wa: return "wrong answer ";
        case _pe: return "wrong output format ";
        case _dirt: return "wrong output format ";
        case _points: return "points ";
        case _unexpected_eof: return "unexpected eof ";
        case _fail: return "FAIL ";
        default: return format("partially correct (%d) ", result - _partially);
    }
}

inline int exit_code(TResult result) { return result == _points ? 7 : static_cast<int>(result); }

inline bool is_known(TResult result) {
    return (_ok <= result && result <= _points) || result == _unexpected_eof ||
           (_partially <= result && result <= _partially + 200);
}

// Whether a result says that everything in the output was looked at.
inline bool needs_the_end(TResult result) {
    return result == _ok || result == _points || result >= _partially;
}

[[noreturn]] inline void leave(TResult result, const std::string &message) {
    State &all = state();
    const std::string words = printable(message);
    if (!all.report.empty()) {
        std::FILE *file = std::fopen(all.report.c_str(), "w");
        const bool written = file && std::fputs(words.c_str(), file) >= 0;
        if (!file || std::fclose(file) != 0 || !written) {
            all.report.clear();
            leave(_fail, "cannot write the report");
        }
    }
    std::fprintf(stderr, "%s%s\n", prefix(result).c_str(), words.c_str());
    if (all.tout.is_open()) all.tout.close();
    std::exit(exit_code(result));
}

}  // namespace scalebox_testlib

#define TESTLIB_THE(type, name) \
    __attribute__((unused)) static type &name = scalebox_testlib::state().name
TESTLIB_THE(InStream, inf);
TESTLIB_THE(InStream, ouf);
TESTLIB_THE(InStream, ans);
TESTLIB_THE(std::fstream, tout);
TESTLIB_THE(random_t, rnd);
TESTLIB_THE(Validator, validator);
#undef TESTLIB_THE

inline void InStream::note_end() { scalebox_testlib::state().end_was_read = true; }

[[noreturn]] inline void InStream::quit(TResult result, const std::string &text) {
    scalebox_testlib::State &all = scalebox_testlib::state();
    all.decided = true;
    std::string message = trim(text);
    if (!scalebox_testlib::is_known(result)) {
        message = format("%d is no result that a judge can have: ", result) + message;
        result = _fail;
    }
    if (mode != _output && result != _fail) {
        message += " (" + name + (strict && reader_ ? ", line " + vtos(getLine()) : "") + ")";
        result = _fail;
    }
    if (scalebox_testlib::needs_the_end(result) && all.mode == _checker && all.ouf.opened &&
        !all.ouf.seekEof()) {
        result = _dirt;
        message = "there is more in the output than should be";
    }
    if (all.test_case >= 0) {
        const std::string number = vtos(all.test_case);
        if (result != _ok)
            message += " (test case " + number + ")";
        else
            message += " (" + number + (all.test_case == 1 ? " test case)" : " test cases)");
    }
    if (message.size() > maxMessageLength) {
        message.resize(maxMessageLength);
        message += "...";
    }
    scalebox_testlib::leave(result, message);
}

// --- ending --------------------------------------------------------------------------------------

[[noreturn]] inline void quit(TResult result, const std::string &message) {
    ouf.quit(result, message);
}

[[noreturn]] TESTLIB_PRINTF(2, 3) inline void quitf(TResult result, const char *message, ...) {
    TESTLIB_FORMATTED(text, message);
    quit(result, text);
}

TESTLIB_PRINTF(3, 4) inline void quitif(bool yes, TResult result, const char *message, ...) {
    if (!yes) return;
    TESTLIB_FORMATTED(text, message);
    quit(result, text);
}

// Points, and words for people.
[[noreturn]] inline void quitp(double points, const std::string &message = "") {
    if (!std::isfinite(points)) quit(_fail, "the points are no finite number");
    std::string number = format("%.10f", points);
    number.erase(number.find_last_not_of('0') + 1);
    if (number.back() == '.') number.pop_back();
    quit(_points, number + " " + message);
}

template <class Number, class... Arguments>
[[noreturn]] void quitp(Number points, const char *message, const Arguments &...arguments) {
    quitp(static_cast<double>(points), format(message, arguments...));
}

// Points that are told by words of the problem's own, without spaces.
[[noreturn]] inline void quitpi(const std::string &points_info, const std::string &message = "") {
    if (points_info.find(' ') != std::string::npos) quit(_fail, "points_info holds a space");
    quit(_points, "points_info=" + points_info + (message.empty() ? "" : " " + message));
}

// For what must hold whatever the submission wrote; of a stream (`ouf.ensure(…)`) it is `_wa`.
inline void testlib_ensure(bool holds, const char *message) {
    if (!holds) quit(_fail, message);
}

#define ensure(condition) testlib_ensure((condition), "the condition does not hold: " #condition)
#define ensure_ext(condition) ensure(condition)

TESTLIB_PRINTF(2, 3) inline void ensuref(bool holds, const char *message, ...) {
    if (holds) return;
    TESTLIB_FORMATTED(text, message);
    quit(_fail, text);
}

namespace scalebox_testlib {

template <class Value>
std::string for_people(const Value &value) {
    return vtos(value);
}
inline std::string for_people(double value) { return format("%.12f", value); }
inline std::string for_people(const std::string &value) { return compress(value); }

}  // namespace scalebox_testlib

template <class Expected, class Found>
[[noreturn]] void expectedButFound(TResult result, const Expected &expected, const Found &found) {
    quit(result, "expected '" + scalebox_testlib::for_people(expected) + "', found '" +
                     scalebox_testlib::for_people(found) + "'");
}

template <class Expected, class Found, class... Arguments>
[[noreturn]] void expectedButFound(TResult result, const Expected &expected, const Found &found,
                                   const char *before, const Arguments &...arguments) {
    quit(result, format(before, arguments...) + ": expected '" +
                     scalebox_testlib::for_people(expected) + "', found '" +
                     scalebox_testlib::for_people(found) + "'");
}

// --- beginning -----------------------------------------------------------------------------------

// A checker: input, output, answer, and perhaps a file for the message.
inline void registerTestlibCmd(int argc, char *argv[]) {
    scalebox_testlib::State &all = scalebox_testlib::state();
    all.mode = _checker;
    if (argc < 4 || argc > 5)
        quit(_fail, "a checker is called as: checker input output answer [report]");
    if (argc > 4) all.report = argv[4];
    inf.init(argv[1], _input);
    ouf.init(argv[2], _output);
    ans.init(argv[3], _answer);
}

// An interactor: input, output of the interactor, and perhaps an answer and a file for the message;
// the program that it talks with is on its standard streams.
inline void registerInteraction(int argc, char *argv[]) {
    scalebox_testlib::State &all = scalebox_testlib::state();
    all.mode = _interactor;
    if (argc < 3 || argc > 5)
        quit(_fail, "an interactor is called as: interactor input output [answer [report]]");
    if (argc > 4) all.report = argv[4];
    inf.init(argv[1], _input);
    tout.open(argv[2], std::ios_base::out);
    if (!tout.is_open()) quit(_fail, std::string("cannot write the file ") + argv[2]);
    ouf.init(stdin, _output);
    if (argc > 3) ans.init(argv[3], _answer);
}

// A validator: the input, where every space counts, on standard input.
inline void registerValidation() {
    scalebox_testlib::state().mode = _validator;
    inf.init(stdin, _input);
    inf.strict = true;
}

inline void registerValidation(int argc, char *argv[]) {
    registerValidation();
    for (int i = 1; i + 1 < argc; i += 2) {
        if (std::strcmp(argv[i], "--testset") == 0) validator.setTestset(argv[i + 1]);
        if (std::strcmp(argv[i], "--group") == 0) validator.setGroup(argv[i + 1]);
    }
}

// A generator, whose arguments are the seed of `rnd`; there is one version of that.
inline void registerGen(int argc, char *argv[], int = 1) {
    scalebox_testlib::state().mode = _generator;
    rnd.setSeed(argc, argv);
}

TESTLIB_PRINTF(1, 2) inline void setName(const char *name, ...) {
    TESTLIB_FORMATTED(text, name);
    scalebox_testlib::state().judge_name = text;
}

inline void setTestCase(int number) { scalebox_testlib::state().test_case = number; }
inline void unsetTestCase() { scalebox_testlib::state().test_case = -1; }
inline void disableFinalizeGuard() { scalebox_testlib::state().guarded = false; }

namespace scalebox_testlib {

template <class Value>
auto print(std::ostream &out, const Value &value, int) ->
    typename std::enable_if<!std::is_convertible<Value, std::string>::value,
                            decltype(value.begin(), value.end(), void())>::type {
    out << join(value.begin(), value.end());
}
template <class Value>
void print(std::ostream &out, const Value &value, long) {
    out << value;
}

}  // namespace scalebox_testlib

// A line of values, or of what collections hold, with spaces between them.
inline void println() { std::cout << '\n'; }

template <class First, class... Rest>
void println(const First &first, const Rest &...rest) {
    scalebox_testlib::print(std::cout, first, 0);
    const int each[] = {0, (std::cout << ' ', scalebox_testlib::print(std::cout, rest, 0), 0)...};
    static_cast<void>(each);
    std::cout << '\n';
}

// --- the rest ------------------------------------------------------------------------------------

inline int stringToInt(InStream &in, const std::string &text) {
    return static_cast<int>(in.signed_of(text, INT_MIN, INT_MAX));
}
inline long long stringToLongLong(InStream &in, const std::string &text) {
    return in.signed_of(text, LLONG_MIN, LLONG_MAX);
}
inline unsigned long long stringToUnsignedLongLong(InStream &in, const std::string &text) {
    return in.unsigned_of(text);
}
inline double stringToDouble(InStream &in, const std::string &text) { return in.double_of(text); }
inline double stringToStrictDouble(InStream &in, const std::string &text, int fewest, int most) {
    return in.strict_double_of(text, fewest, most);
}

template <class Iterator>
void shuffle(Iterator first, Iterator last) {
    rnd.shuffle(first, last);
}

inline void pattern::wrong() const { quit(_fail, "this is no pattern: " + source_); }

inline std::uint64_t random_t::under(std::uint64_t count) {
    if (count == 0) return bits();
    // What is left over of all numbers would make the small ones likelier.
    const std::uint64_t whole = UINT64_MAX - UINT64_MAX % count;
    std::uint64_t chosen = bits();
    while (chosen >= whole) chosen = bits();
    return chosen % count;
}

template <class Number>
Number random_t::between(Number low, Number high, std::false_type) {
    if (high < low) quit(_fail, "a random number from no range");
    const std::uint64_t first = static_cast<std::uint64_t>(low);
    return static_cast<Number>(first + under(static_cast<std::uint64_t>(high) - first + 1));
}

#endif  // SCALEBOX_TESTLIB_H
