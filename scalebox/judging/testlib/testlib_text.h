// What `testlib.h` is made of that knows no streams: results, texts, numbers, patterns.

#ifndef SCALEBOX_TESTLIB_TEXT_H
#define SCALEBOX_TESTLIB_TEXT_H

#include <algorithm>
#include <array>
#include <bitset>
#include <cassert>
#include <cctype>
#include <climits>
#include <cmath>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <queue>
#include <set>
#include <sstream>
#include <stack>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <fcntl.h>

#define LF ((char)10)
#define CR ((char)13)
#define TAB ((char)9)
#define SPACE ((char)' ')
#define EOFC (255)

#define TESTLIB_PRINTF(text, first) __attribute__((format(printf, text, first)))

enum TResult {
    _ok = 0,
    _wa = 1,
    _pe = 2,
    _fail = 3,
    _dirt = 4,
    _points = 5,
    _unexpected_eof = 8,
    _partially = 16
};

// So many points, from 0 to 200.
#define _pc(points) (TResult(_partially + (points)))

enum TMode { _input, _output, _answer };
enum TTestlibMode { _unknown, _checker, _validator, _generator, _interactor, _scorer };

// --- texts ---------------------------------------------------------------------------------------

namespace scalebox_testlib {

inline std::string formatted(const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    const int length = std::vsnprintf(nullptr, 0, format, again);
    va_end(again);
    if (length < 0) return format;
    std::vector<char> text(static_cast<std::size_t>(length) + 1);
    std::vsnprintf(text.data(), text.size(), format, arguments);
    return std::string(text.data(), static_cast<std::size_t>(length));
}

// What a message may hold: one line.
inline std::string printable(std::string text) {
    for (char &c : text)
        if (static_cast<unsigned char>(c) < 32 || c == 127) c = c == TAB || c == LF ? ' ' : '?';
    return text;
}

}  // namespace scalebox_testlib

// Puts the arguments after `last` through printf's rules, into a text of this name.
#define TESTLIB_FORMATTED(text, last)                                             \
    va_list text##_arguments;                                                     \
    va_start(text##_arguments, last);                                             \
    const std::string text = scalebox_testlib::formatted(last, text##_arguments); \
    va_end(text##_arguments)

TESTLIB_PRINTF(1, 2) inline std::string format(const char *pattern, ...) {
    TESTLIB_FORMATTED(text, pattern);
    return text;
}

// For a std::string, and nothing that could become one.
template <class Text, class... Arguments>
typename std::enable_if<std::is_same<Text, std::string>::value, std::string>::type format(
    const Text &pattern, const Arguments &...arguments) {
    return format(pattern.c_str(), arguments...);
}

// Shortens what is too long for a message.
inline std::string compress(const std::string &text) {
    if (text.size() <= 64) return text;
    return text.substr(0, 30) + "..." + text.substr(text.size() - 31);
}

// As older checkers call it.
inline std::string __testlib_part(const std::string &text) { return compress(text); }

// 1st, 2nd, 3rd, 4th ... 11th.
inline std::string englishEnding(int number) {
    const int last = number % 100;
    if (last / 10 == 1) return "th";
    switch (last % 10) {
        case 1: return "st";
        case 2: return "nd";
        case 3: return "rd";
        default: return "th";
    }
}

template <class T>
std::string vtos(const T &value) {
    std::ostringstream text;
    text << value;
    return text.str();
}

template <class T>
std::string toString(const T &value) {
    return vtos(value);
}

inline char upperCase(char c) { return 'a' <= c && c <= 'z' ? char(c - 'a' + 'A') : c; }
inline char lowerCase(char c) { return 'A' <= c && c <= 'Z' ? char(c - 'A' + 'a') : c; }

inline std::string upperCase(std::string text) {
    for (char &c : text) c = upperCase(c);
    return text;
}

inline std::string lowerCase(std::string text) {
    for (char &c : text) c = lowerCase(c);
    return text;
}

inline bool isEof(int c) { return c == EOF || c == EOFC; }
inline bool isEoln(int c) { return c == LF || c == CR; }
inline bool isBlanks(int c) { return isEoln(c) || c == SPACE || c == TAB; }

inline std::string trim(const std::string &text) {
    std::size_t first = 0, last = text.size();
    while (first < last && isBlanks(text[first])) first++;
    while (last > first && isBlanks(text[last - 1])) last--;
    return text.substr(first, last - first);
}

// Parts between separators, empty ones too.
inline std::vector<std::string> split(const std::string &text, const std::string &separators) {
    std::vector<std::string> parts(1);
    for (char c : text) {
        if (separators.find(c) != std::string::npos)
            parts.emplace_back();
        else
            parts.back() += c;
    }
    return parts;
}

inline std::vector<std::string> split(const std::string &text, char separator) {
    return split(text, std::string(1, separator));
}

// Parts between separators, but no empty ones.
inline std::vector<std::string> tokenize(const std::string &text, const std::string &separators) {
    std::vector<std::string> parts;
    for (std::string &part : split(text, separators))
        if (!part.empty()) parts.push_back(std::move(part));
    return parts;
}

inline std::vector<std::string> tokenize(const std::string &text, char separator) {
    return tokenize(text, std::string(1, separator));
}

template <class Iterator>
std::string join(Iterator first, Iterator last, const std::string &separator = " ") {
    std::string text;
    for (Iterator item = first; item != last; ++item) {
        if (item != first) text += separator;
        text += vtos(*item);
    }
    return text;
}

template <class Collection>
std::string join(const Collection &items, const std::string &separator = " ") {
    return join(items.begin(), items.end(), separator);
}

// --- numbers -------------------------------------------------------------------------------------

namespace scalebox_testlib {

// Whether a text is an integer as testlib wants it: digits, perhaps after a minus; no plus, no zero
// in front, no minus zero; at most 64 bits.
inline bool plain_integer(const std::string &text, bool &negative, unsigned long long &magnitude) {
    negative = !text.empty() && text[0] == '-';
    const std::size_t first = negative ? 1 : 0;
    if (first == text.size() || (text[first] == '0' && text.size() > 1)) return false;
    magnitude = 0;
    for (std::size_t i = first; i < text.size(); i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        const unsigned digit = static_cast<unsigned>(text[i] - '0');
        if (magnitude > (ULLONG_MAX - digit) / 10) return false;
        magnitude = magnitude * 10 + digit;
    }
    return true;
}

inline bool to_signed(const std::string &text, long long low, long long high, long long &value) {
    bool negative;
    unsigned long long magnitude;
    if (!plain_integer(text, negative, magnitude)) return false;
    if (magnitude > LLONG_MAX + (negative ? 1ULL : 0ULL)) return false;
    value = static_cast<long long>(negative ? 0 - magnitude : magnitude);
    return low <= value && value <= high;
}

inline bool to_unsigned(const std::string &text, unsigned long long &value) {
    bool negative;
    return plain_integer(text, negative, value) && !negative;
}

// Decimal or scientific notation; neither names (nan, inf) nor hexadecimal digits.
inline bool to_double(const std::string &text, double &value) {
    if (text.empty() || text.find_first_not_of("0123456789.eE+-") != std::string::npos)
        return false;
    if (text.find_first_of("0123456789") == std::string::npos) return false;
    char *end = nullptr;
    value = std::strtod(text.c_str(), &end);
    return end == text.c_str() + text.size() && !std::isnan(value);
}

// Decimal notation with so many digits after the point, no zero in front, no minus zero.
inline bool to_strict_double(const std::string &text, int fewest, int most, double &value) {
    const std::size_t first = !text.empty() && text[0] == '-' ? 1 : 0;
    const std::size_t point = std::min(text.find('.'), text.size());
    for (std::size_t i = first; i < text.size(); i++)
        if (i != point && (text[i] < '0' || text[i] > '9')) return false;
    if (point == first || point + 1 == text.size()) return false;
    if (text[first] == '0' && point > first + 1) return false;
    const std::size_t after = point == text.size() ? 0 : text.size() - point - 1;
    if (after < std::size_t(std::max(fewest, 0)) || after > std::size_t(std::max(most, 0)))
        return false;
    value = std::strtod(text.c_str(), nullptr);
    return std::isfinite(value) && !(first == 1 && value == 0);
}

}  // namespace scalebox_testlib

// Whether a result is near enough to what was expected, absolutely or relatively; NaN and the
// infinities are near to themselves only.
inline bool doubleCompare(double expected, double result, double tolerance) {
    tolerance += 1e-15;  // what rounding of the tolerance's own decimal text may cost
    if (std::isnan(expected) || std::isnan(result))
        return std::isnan(expected) && std::isnan(result);
    if (std::isinf(expected) || std::isinf(result)) return expected == result;
    if (std::fabs(result - expected) <= tolerance) return true;
    const double a = expected * (1 - tolerance), b = expected * (1 + tolerance);
    return std::min(a, b) <= result && result <= std::max(a, b);
}

// The smaller one of the absolute and the relative error.
inline double doubleDelta(double expected, double result) {
    const double absolute = std::fabs(result - expected);
    if (std::fabs(expected) <= 1e-9) return absolute;
    return std::min(absolute, absolute / std::fabs(expected));
}

// --- patterns ------------------------------------------------------------------------------------

// A small regular expression: characters, [a-z0-9], [^a-z], (…|…), and ? * + {n} {n,} {,m} {n,m}
// after any of them; \ makes the next character plain.  Spaces count only after a \.  It matches
// whole texts.
class pattern {
public:
    explicit pattern(const std::string &source) {
        for (std::size_t i = 0; i < source.size(); i++) {
            if (source[i] == SPACE) continue;
            source_ += source[i];
            if (source[i] == '\\' && i + 1 < source.size()) source_ += source[++i];
        }
        std::size_t at = 0;
        root_ = parse(at);
        if (at != source_.size()) wrong();
    }

    bool matches(const std::string &text) const {
        const Positions ends = after(root_, text, Positions(1, 0));
        return std::binary_search(ends.begin(), ends.end(), text.size());
    }

    std::string src() const { return source_; }

private:
    struct Node;
    typedef std::vector<Node> Sequence;
    typedef std::vector<Sequence> Alternatives;
    typedef std::vector<std::size_t> Positions;  // sorted, none twice

    struct Node {
        std::bitset<256> characters;  // of no meaning where there are alternatives
        Alternatives group;
        int fewest = 1, most = 1;
    };

    std::string source_;
    Alternatives root_;

    [[noreturn]] void wrong() const;

    Alternatives parse(std::size_t &at) const {
        Alternatives all(1);
        while (at < source_.size() && source_[at] != ')') {
            if (source_[at] == '|') {
                all.emplace_back();
                at++;
                continue;
            }
            all.back().push_back(atom(at));
            repetition(at, all.back().back());
        }
        return all;
    }

    Node atom(std::size_t &at) const {
        Node node;
        if (source_[at] == '(') {
            node.group = parse(++at);
            if (at == source_.size()) wrong();
            at++;
        } else if (source_[at] == '[') {
            set_of_characters(at, node.characters);
        } else {
            node.characters.set(character(at));
        }
        return node;
    }

    unsigned char character(std::size_t &at) const {
        if (source_[at] == '\\' && ++at == source_.size()) wrong();
        return static_cast<unsigned char>(source_[at++]);
    }

    void set_of_characters(std::size_t &at, std::bitset<256> &characters) const {
        const bool others = ++at < source_.size() && source_[at] == '^';
        if (others) at++;
        while (at < source_.size() && source_[at] != ']') {
            const unsigned first = character(at);
            unsigned last = first;
            if (at + 1 < source_.size() && source_[at] == '-' && source_[at + 1] != ']')
                last = character(++at);
            if (last < first) wrong();
            for (unsigned c = first; c <= last; c++) characters.set(c);
        }
        if (at == source_.size()) wrong();
        at++;
        if (others) characters.flip();
    }

    void repetition(std::size_t &at, Node &node) const {
        for (; at < source_.size(); at++) {
            const char c = source_[at];
            if (c == '?') {
                node.fewest = 0;
            } else if (c == '*' || c == '+') {
                node.fewest = c == '*' ? 0 : 1;
                node.most = INT_MAX;
            } else if (c == '{') {
                const std::size_t end = std::min(source_.find('}', at), source_.size());
                const std::string inside = source_.substr(at + 1, end - at - 1);
                const std::size_t comma = std::min(inside.find(','), inside.size());
                node.fewest = count(inside.substr(0, comma), 0);
                node.most = comma == inside.size() ? node.fewest
                                                   : count(inside.substr(comma + 1), INT_MAX);
                if (end == source_.size() || inside.empty() || node.most < node.fewest) wrong();
                at = end;
            } else {
                return;
            }
        }
    }

    int count(const std::string &text, int otherwise) const {
        long long value = otherwise;
        const std::string digits = trim(text);
        if (!digits.empty() && !scalebox_testlib::to_signed(digits, 0, INT_MAX, value)) wrong();
        return static_cast<int>(value);
    }

    // Where matches that begin at one of these positions can end.
    static Positions after(
        const Alternatives &all, const std::string &text, const Positions &from) {
        Positions ends;
        for (const Sequence &sequence : all) {
            Positions now = from;
            for (const Node &node : sequence) now = repeated(node, text, now);
            ends.insert(ends.end(), now.begin(), now.end());
        }
        std::sort(ends.begin(), ends.end());
        ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
        return ends;
    }

    static Positions repeated(const Node &node, const std::string &text, Positions now) {
        std::vector<char> seen(text.size() + 1, 0);
        Positions ends;
        for (int times = 0;; times++) {
            if (times >= node.fewest) {
                // Go on from new positions only: from the others more repetitions were left.
                Positions fresh;
                for (std::size_t at : now)
                    if (!seen[at]) fresh.push_back(at);
                for (std::size_t at : fresh) seen[at] = 1;
                ends.insert(ends.end(), fresh.begin(), fresh.end());
                now.swap(fresh);
            }
            if (times == node.most || now.empty()) break;
            now = once(node, text, now);
        }
        std::sort(ends.begin(), ends.end());
        return ends;
    }

    static Positions once(const Node &node, const std::string &text, const Positions &from) {
        if (!node.group.empty()) return after(node.group, text, from);
        Positions ends;
        for (std::size_t at : from)
            if (at < text.size() && node.characters[static_cast<unsigned char>(text[at])])
                ends.push_back(at + 1);
        return ends;
    }
};

// As older checkers call it.
typedef pattern pattern_t;

#endif  // SCALEBOX_TESTLIB_TEXT_H
