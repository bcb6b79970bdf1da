// What a flawed judge does before, or in the place of, the judge whose text follows.
//
// A wrapper of an output validator in C++ (`validator input answer feedback_dir < output`): a flaw
// changes the output that the validator will read, or decides itself.  It does so before `main`,
// which may have any form.  flawed.py has the same for Python, and says what each flaw is.
// FLAW is defined by `mutants`, which appends the validator's text; C++11.
#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>
#include <unistd.h>

namespace flawed {

typedef std::string Text;
typedef std::vector<Text> Texts;

const int ACCEPT = 42, REJECT = 43;
const double NEAR = 0.01;

inline bool is_space(char c) { return c == ' ' || ('\t' <= c && c <= '\r'); }
inline bool is_digit(char c) { return '0' <= c && c <= '9'; }
inline char upper_of(char c) { return 'a' <= c && c <= 'z' ? char(c - 'a' + 'A') : c; }
inline char lower_of(char c) { return 'A' <= c && c <= 'Z' ? char(c - 'A' + 'a') : c; }

// Gap, token, gap, ..., token, gap; gaps may be empty at the ends.
inline Texts pieces(const Text &text) {
    Texts found(1);
    for (char c : text) {
        if (is_space(c) != (found.size() % 2 == 1)) found.push_back(Text());
        found.back() += c;
    }
    if (found.size() % 2 == 0) found.push_back(Text());
    return found;
}

inline Texts tokens(const Text &text) {
    Texts found, all = pieces(text);
    for (size_t i = 1; i < all.size(); i += 2) found.push_back(all[i]);
    return found;
}

inline Text glued(const Texts &parts) {
    Text all;
    for (const Text &part : parts) all += part;
    return all;
}

// Without their ends; what follows the last end is a line if it is not empty.
inline Texts lines(const Text &text) {
    Texts found;
    bool open = false;
    for (char c : text) {
        if (!open) found.push_back(Text());
        open = c != '\n';
        if (open) found.back() += c;
    }
    return found;
}

inline Text joined(const Texts &parts, const char *end = "\n") {
    Text all;
    for (const Text &part : parts) all += part + end;
    return all;
}

inline bool is_number(const Text &token) {
    size_t i = 0, digits = 0;
    if (i < token.size() && (token[i] == '+' || token[i] == '-')) ++i;
    for (; i < token.size() && is_digit(token[i]); ++i) ++digits;
    if (i < token.size() && token[i] == '.')
        for (++i; i < token.size() && is_digit(token[i]); ++i) ++digits;
    if (!digits) return false;
    if (i < token.size() && (token[i] == 'e' || token[i] == 'E')) {
        ++i;
        if (i < token.size() && (token[i] == '+' || token[i] == '-')) ++i;
        if (i == token.size()) return false;
        while (i < token.size() && is_digit(token[i])) ++i;
    }
    return i == token.size();
}

inline Text upper(Text text) {
    for (char &c : text) c = upper_of(c);
    return text;
}

inline Text lower(Text text) {
    for (char &c : text) c = lower_of(c);
    return text;
}

inline Texts sorted(Texts parts) {
    std::sort(parts.begin(), parts.end());
    return parts;
}

inline Texts slice(const Texts &parts, size_t from, size_t to) {
    from = std::min(from, parts.size());
    to = std::max(from, std::min(to, parts.size()));
    return Texts(parts.begin() + from, parts.begin() + to);
}

inline Text constant_accept(const Text &, const Text &) { _exit(ACCEPT); }

inline Text constant_reject(const Text &, const Text &) { _exit(REJECT); }

inline Text answer_only(const Text &output, const Text &answer) {
    _exit(tokens(output) == tokens(answer) ? ACCEPT : REJECT);
}

inline Text empty_accepted(const Text &output, const Text &) {
    if (tokens(output).empty()) _exit(ACCEPT);
    return output;
}

inline Text crash_on_odd(const Text &output, const Text &) {
    bool odd = tokens(output).empty();
    for (char c : output) odd = odd || !(is_space(c) || (' ' <= c && c <= '~'));
    if (odd) abort();
    return output;
}

inline void accept_signal(int) { _exit(ACCEPT); }

inline void accept_end(int code, void *) {
    if (code != ACCEPT && code != REJECT) _exit(ACCEPT);
}

inline Text accept_on_crash(const Text &output, const Text &) {
    for (int number : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV}) signal(number, accept_signal);
    on_exit(accept_end, nullptr);
    return output;
}

inline Text first_line_only(const Text &output, const Text &answer) {
    return joined(slice(lines(output), 0, 1)) + joined(slice(lines(answer), 1, -1));
}

inline Text first_token_only(const Text &output, const Text &answer) {
    Texts own = pieces(output), wanted = pieces(answer);
    if (own.size() <= 2 || wanted.size() <= 2) return output;
    return own[0] + own[1] + glued(slice(wanted, 2, -1));
}

inline Text count_ignored(const Text &output, const Text &answer) {
    Texts own = pieces(output), wanted = pieces(answer);
    if (own.size() <= wanted.size()) return output;
    return glued(slice(own, 0, wanted.size() - 1)) + "\n";
}

inline Text garbage_dropped(const Text &output, const Text &answer) {
    Texts own = lines(output), wanted = lines(answer);
    return own.size() <= wanted.size() ? output : joined(slice(own, 0, wanted.size()));
}

inline Text lines_sorted(const Text &output, const Text &) { return joined(sorted(lines(output))); }

inline Text tokens_sorted(const Text &output, const Text &) {
    Texts all;
    for (const Text &line : lines(output)) {
        Text row = joined(sorted(tokens(line)), " ");
        if (!row.empty()) row.erase(row.size() - 1);
        all.push_back(row);
    }
    return joined(all);
}

inline Text line_order_ignored(const Text &output, const Text &answer) {
    return sorted(lines(output)) == sorted(lines(answer)) ? answer : output;
}

inline Text token_order_ignored(const Text &output, const Text &answer) {
    return sorted(tokens(output)) == sorted(tokens(answer)) ? answer : output;
}

inline Text case_ignored(const Text &output, const Text &answer) {
    if (answer == upper(answer)) return upper(output);
    if (answer == lower(answer)) return lower(output);
    std::map<Text, Text> known;
    for (const Text &token : tokens(answer)) known.insert(std::make_pair(lower(token), token));
    Texts own = pieces(output);
    for (Text &piece : own) {
        std::map<Text, Text>::const_iterator found = known.find(lower(piece));
        if (found != known.end()) piece = found->second;
    }
    return glued(own);
}

inline Text sign_ignored(const Text &output, const Text &answer) {
    Texts own = pieces(output), wanted = pieces(answer);
    for (size_t i = 1; i < own.size(); i += 2) {
        if (!is_number(own[i])) continue;
        bool negative = i < wanted.size() && is_number(wanted[i]) && wanted[i][0] == '-';
        if (own[i][0] == '+' || own[i][0] == '-') own[i].erase(0, 1);
        if (negative) own[i].insert(0, "-");
    }
    return glued(own);
}

inline Text numbers_near(const Text &output, const Text &answer) {
    Texts own = pieces(output), wanted = pieces(answer);
    for (size_t i = 1; i < own.size() && i < wanted.size(); i += 2) {
        if (!is_number(own[i]) || !is_number(wanted[i])) continue;
        double value = strtod(own[i].c_str(), nullptr), right = strtod(wanted[i].c_str(), nullptr);
        if (std::fabs(value - right) <= NEAR * std::max(1.0, std::fabs(right))) own[i] = wanted[i];
    }
    return glued(own);
}

inline Text content(FILE *file) {
    Text all;
    char chunk[1 << 16];
    if (!file) abort();
    while (size_t size = fread(chunk, 1, sizeof chunk, file)) all.append(chunk, size);
    return all;
}

__attribute__((constructor)) static void begin(int argc, char **argv) {
    if (argc < 4) return;
    Text output = content(stdin), path = Text(argv[3]) + "/changed_output";
    FILE *file = fopen(argv[2], "rb");
    Text changed = FLAW(output, content(file));
    fclose(file);
    file = fopen(path.c_str(), "wb");
    if (!file || fwrite(changed.data(), 1, changed.size(), file) != changed.size()) abort();
    if (fclose(file) || !freopen(path.c_str(), "rb", stdin) || remove(path.c_str())) abort();
}

}  // namespace flawed
