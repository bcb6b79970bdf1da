// What `testlib.h` is made of: streams, and everything that can be read from them.

#ifndef SCALEBOX_TESTLIB_STREAMS_H
#define SCALEBOX_TESTLIB_STREAMS_H

#include <sys/stat.h>

#include "testlib_text.h"

namespace scalebox_testlib {

// Bytes of a file or a text.  From a pipe it takes no more than is there, and asks for a byte only
// when somebody wants to see it: an interactor must not wait for what the program has not to say.
class Reader {
public:
    explicit Reader(std::FILE *file) : file_(file) {}
    explicit Reader(const std::string &text) : text_(text) {}
    Reader(const Reader &) = delete;
    Reader &operator=(const Reader &) = delete;
    ~Reader() {
        if (file_ && file_ != stdin) std::fclose(file_);
    }

    // The next byte, or EOF.
    int next() {
        const int c = take();
        if (c == LF) line_++;
        ended_ = c == EOF;
        return c;
    }

    int peek() {
        const int c = take();
        if (c != EOF) back_.push_back(static_cast<char>(c));
        return c;
    }

    void unread(int c) {
        if (c == EOF) return;
        if (c == LF) line_--;
        back_.push_back(static_cast<char>(c));
    }

    int line() const { return line_; }
    // Whether the last byte that was asked for was none.
    bool ended() const { return ended_; }

private:
    std::FILE *file_ = nullptr;
    std::string text_;
    std::size_t at_ = 0;
    std::string back_;  // the last one comes first
    int line_ = 1;
    bool ended_ = false;

    int take() {
        if (!back_.empty()) {
            const char c = back_.back();
            back_.pop_back();
            return static_cast<unsigned char>(c);
        }
        if (file_) return getc_unlocked(file_);
        return at_ < text_.size() ? static_cast<unsigned char>(text_[at_++]) : EOF;
    }
};

}  // namespace scalebox_testlib

class InStream {
public:
    std::string name;
    TMode mode = _input;
    bool opened = false;
    bool stdfile = false;
    // Whether every space and line end counts, as for validators.
    bool strict = false;
    std::size_t maxFileSize = SIZE_MAX;
    std::size_t maxTokenLength = 32 << 20;
    std::size_t maxBlankCount = SIZE_MAX;  // in a row
    std::size_t maxMessageLength = 32000;

    InStream() {}
    // A text, read under the rules of another stream.
    InStream(const InStream &base, const std::string &content)
        : name(base.name), mode(base.mode), opened(true), strict(base.strict),
          reader_(std::make_shared<scalebox_testlib::Reader>(content)) {
        skip_byte_order_mark();
    }

    void init(const std::string &path, TMode whose) {
        name = path;
        mode = whose;
        reset();
    }

    void init(std::FILE *file, TMode whose) {
        name = whose == _input ? "stdin" : "untitled";
        mode = whose;
        stdfile = opened = true;
        reader_ = std::make_shared<scalebox_testlib::Reader>(file);
    }

    // Begin again; not for a stream that is a pipe.
    void reset() {
        if (stdfile) quit(_fail, "a stream that is no file cannot begin again");
        std::FILE *file = std::fopen(name.c_str(), "rb");
        if (!file) quit(mode == _output ? _pe : _fail, "cannot read the file " + name);
        std::setvbuf(file, nullptr, _IOFBF, 1 << 16);
        reader_ = std::make_shared<scalebox_testlib::Reader>(file);
        opened = true;
        struct stat found;
        if (fstat(fileno(file), &found) == 0 && std::size_t(found.st_size) > maxFileSize)
            quit(_pe, "a file of more than " + vtos(maxFileSize) + " bytes");
        skip_byte_order_mark();
    }

    void close() {
        reader_.reset();
        opened = false;
    }

    // Ends the judge.  In streams of the jury everything but `_fail` becomes `_fail`.
    [[noreturn]] void quit(TResult result, const std::string &message);
    [[noreturn]] void quits(TResult result, const std::string &message) { quit(result, message); }

    [[noreturn]] TESTLIB_PRINTF(3, 4) void quitf(TResult result, const char *message, ...) {
        TESTLIB_FORMATTED(text, message);
        quit(result, text);
    }

    TESTLIB_PRINTF(4, 5) void quitif(bool yes, TResult result, const char *message, ...) {
        if (!yes) return;
        TESTLIB_FORMATTED(text, message);
        quit(result, text);
    }

    TESTLIB_PRINTF(3, 4) void ensuref(bool holds, const char *message, ...) {
        if (holds) return;
        TESTLIB_FORMATTED(text, message);
        quit(_wa, text);
    }

    // What `stream.ensure(condition)` becomes.
    void testlib_ensure(bool holds, const char *message) {
        if (!holds) quit(_wa, message);
    }

    // --- characters

    int getLine() { return reader().line(); }
    char curChar() { return as_char(reader().peek()); }
    char nextChar() { return as_char(reader().next()); }
    char readChar() { return nextChar(); }
    void skipChar() { reader().next(); }
    void unreadChar(char c) {
        // The end, which `nextChar` gave as a character, is none.
        if (!reader().ended()) reader().unread(static_cast<unsigned char>(c));
    }

    char readChar(char wanted) {
        const int found = reader().next();
        if (found == static_cast<unsigned char>(wanted)) return wanted;
        const std::string what = found == EOF ? "the end" : std::string("'") + as_char(found) + "'";
        quit(_pe, what + ", where '" + wanted + "' should be");
    }

    void readSpace() {
        if (reader().next() != SPACE) quit(_pe, "no space, where one should be");
    }

    void skipBlanks() {
        for (std::size_t count = 1; isBlanks(reader().peek()); count++) {
            if (count > maxBlankCount) quit(_pe, "more than " + vtos(maxBlankCount) + " blanks");
            reader().next();
        }
    }

    bool eof() { return reader().peek() == EOF; }

    bool seekEof() {
        skipBlanks();
        return eof();
    }

    // Whether the line ends here; if so, goes on to the next one.
    bool eoln() {
        const int c = reader().next();
        if (c == LF || (c == EOF && !strict)) return true;
        if (c == CR && !strict) {
            const int second = reader().next();
            if (second == LF) return true;
            reader().unread(second);
        }
        reader().unread(c);
        return false;
    }

    bool seekEoln() {
        for (int c = reader().peek(); c == SPACE || c == TAB; c = reader().peek()) reader().next();
        return eoln();
    }

    void nextLine() { readLine(); }

    void readEoln() {
        if (!eoln()) quit(_pe, "no end of the line, where one should be");
    }

    void readEof() {
        note_end();
        if (!eof()) quit(_pe, "something, where the end should be");
    }

    // --- tokens

    void readTokenTo(std::string &token) {
        if (!strict) skipBlanks();
        token.clear();
        int c = reader().next();
        if (c == EOF) quit(_unexpected_eof, "the end, where a token should be");
        if (isBlanks(c)) quit(_pe, "white space, where a token should be");
        for (; c != EOF && !isBlanks(c); c = reader_->next()) append(token, c);
        reader_->unread(c);
    }

    void readTokenTo(std::string &token, const pattern &wanted, const std::string &label = "") {
        readTokenTo(token);
        check_pattern("token", token, wanted, label);
    }

    void readTokenTo(std::string &token, const std::string &wanted, const std::string &label = "") {
        readTokenTo(token, pattern(wanted), label);
    }

    std::string readToken() {
        std::string token;
        readTokenTo(token);
        return token;
    }

    std::string readToken(const pattern &wanted, const std::string &label = "") {
        std::string token;
        readTokenTo(token, wanted, label);
        return token;
    }

    std::string readToken(const std::string &wanted, const std::string &label = "") {
        return readToken(pattern(wanted), label);
    }

    std::string readWord() { return readToken(); }
    std::string readWord(const pattern &wanted, const std::string &label = "") {
        return readToken(wanted, label);
    }
    std::string readWord(const std::string &wanted, const std::string &label = "") {
        return readToken(wanted, label);
    }
    template <class... Rest>
    void readWordTo(std::string &token, const Rest &...rest) {
        readTokenTo(token, rest...);
    }

    // --- lines: at the end of the stream there is an empty one, as often as it is asked for

    void readLineTo(std::string &line) {
        line.clear();
        int c = reader().next();
        for (; c != EOF && c != LF; c = reader_->next()) {
            // Another CR is a character like others.
            if (c == CR && reader_->peek() == LF) break;
            append(line, c);
        }
        reader_->unread(c);
        if (strict)
            readEoln();
        else
            eoln();
    }

    void readLineTo(std::string &line, const pattern &wanted, const std::string &label = "") {
        readLineTo(line);
        check_pattern("line", line, wanted, label);
    }

    void readLineTo(std::string &line, const std::string &wanted, const std::string &label = "") {
        readLineTo(line, pattern(wanted), label);
    }

    template <class... Rest>
    std::string readLine(const Rest &...rest) {
        std::string line;
        readLineTo(line, rest...);
        return line;
    }

    template <class... Rest>
    std::string readString(const Rest &...rest) {
        return readLine(rest...);
    }

    template <class... Rest>
    void readStringTo(std::string &line, const Rest &...rest) {
        readLineTo(line, rest...);
    }

    // --- integers

    int readInt() { return static_cast<int>(signed_of(readToken(), INT_MIN, INT_MAX)); }
    int readInt(int low, int high, const std::string &label = "") {
        return bounded(readInt(), low, high, label);
    }
    int readInteger() { return readInt(); }
    int readInteger(int low, int high, const std::string &label = "") {
        return readInt(low, high, label);
    }

    long long readLong() { return signed_of(readToken(), LLONG_MIN, LLONG_MAX); }
    long long readLong(long long low, long long high, const std::string &label = "") {
        return bounded(readLong(), low, high, label);
    }
    // Bounds that only a number without a sign can have.
    template <class Number>
    typename std::enable_if<std::is_same<Number, unsigned long long>::value, Number>::type readLong(
        Number low, Number high, const std::string &label = "") {
        return readUnsignedLong(low, high, label);
    }
    long long readLongLong() { return readLong(); }
    long long readLongLong(long long low, long long high, const std::string &label = "") {
        return readLong(low, high, label);
    }

    unsigned long long readUnsignedLong() { return unsigned_of(readToken()); }
    unsigned long long readUnsignedLong(
        unsigned long long low, unsigned long long high, const std::string &label = "") {
        return bounded(readUnsignedLong(), low, high, label);
    }

    // --- reals

    double readReal() { return double_of(readToken()); }
    double readReal(double low, double high, const std::string &label = "") {
        return bounded(readReal(), low, high, label);
    }
    double readDouble() { return readReal(); }
    double readDouble(double low, double high, const std::string &label = "") {
        return readReal(low, high, label);
    }

    double readStrictReal(
        double low, double high, int fewest, int most, const std::string &label = "") {
        return bounded(strict_double_of(readToken(), fewest, most), low, high, label);
    }
    double readStrictDouble(
        double low, double high, int fewest, int most, const std::string &label = "") {
        return readStrictReal(low, high, fewest, most, label);
    }

    // --- many of a kind: NAMEs(size, [arguments of NAME, label,] number of the first one); where
    // every space counts, there is one between them, and a line each for lines

#define TESTLIB_MANY(type, many, one)                                                    \
    std::vector<type> many(int size, int base = 1) {                                     \
        return many_of<type>(size, base, true, [&](int) { return one(); });              \
    }                                                                                    \
    std::vector<type> many(int size, type low, type high, const std::string &label = "", \
                           int base = 1) {                                               \
        return many_of<type>(size, base, true,                                           \
                             [&](int i) { return one(low, high, indexed(label, i)); });  \
    }
    TESTLIB_MANY(int, readInts, readInt)
    TESTLIB_MANY(int, readIntegers, readInt)
    TESTLIB_MANY(long long, readLongs, readLong)
    TESTLIB_MANY(unsigned long long, readUnsignedLongs, readUnsignedLong)
    TESTLIB_MANY(double, readReals, readReal)
    TESTLIB_MANY(double, readDoubles, readReal)
#undef TESTLIB_MANY

#define TESTLIB_MANY(many)                                                            \
    std::vector<double> many(int size, double low, double high, int fewest, int most, \
                             const std::string &label = "", int base = 1) {           \
        return many_of<double>(size, base, true, [&](int i) {                         \
            return readStrictReal(low, high, fewest, most, indexed(label, i));        \
        });                                                                           \
    }
    TESTLIB_MANY(readStrictReals)
    TESTLIB_MANY(readStrictDoubles)
#undef TESTLIB_MANY

#define TESTLIB_MANY(many, one, spaced)                                                  \
    std::vector<std::string> many(int size, int base = 1) {                              \
        return many_of<std::string>(size, base, spaced, [&](int) { return one(); });     \
    }                                                                                    \
    std::vector<std::string> many(int size, const pattern &wanted,                       \
                                  const std::string &label = "", int base = 1) {         \
        return many_of<std::string>(size, base, spaced,                                  \
                                 [&](int i) { return one(wanted, indexed(label, i)); }); \
    }                                                                                    \
    std::vector<std::string> many(int size, const std::string &wanted,                   \
                                  const std::string &label = "", int base = 1) {         \
        return many(size, pattern(wanted), label, base);                                 \
    }
    TESTLIB_MANY(readTokens, readToken, true)
    TESTLIB_MANY(readWords, readToken, true)
    TESTLIB_MANY(readLines, readLine, false)
    TESTLIB_MANY(readStrings, readLine, false)
#undef TESTLIB_MANY

    // --- what a text must be to be a number; the wrong ones end the judge

    long long signed_of(const std::string &text, long long low, long long high) {
        long long value = 0;
        if (!scalebox_testlib::to_signed(text, low, high, value))
            unreadable(low == INT_MIN ? "an integer of 32 bits" : "an integer of 64 bits", text);
        return value;
    }

    unsigned long long unsigned_of(const std::string &text) {
        unsigned long long value = 0;
        if (!scalebox_testlib::to_unsigned(text, value))
            unreadable("an integer of 64 bits without a sign", text);
        return value;
    }

    double double_of(const std::string &text) {
        double value = 0;
        if (!scalebox_testlib::to_double(text, value)) unreadable("a number", text);
        return value;
    }

    double strict_double_of(const std::string &text, int fewest, int most) {
        double value = 0;
        if (!scalebox_testlib::to_strict_double(text, fewest, most, value))
            unreadable(format("a number with %d to %d digits after the point", fewest, most), text);
        return value;
    }

private:
    std::shared_ptr<scalebox_testlib::Reader> reader_;

    scalebox_testlib::Reader &reader() {
        if (!reader_) quit(_fail, "a stream is read that was not opened");
        return *reader_;
    }

    void skip_byte_order_mark() {
        const int mark[] = {0xef, 0xbb, 0xbf};
        int length = 0;
        while (length < 3 && reader_->peek() == mark[length]) {
            reader_->next();
            length++;
        }
        if (length < 3)
            while (length > 0) reader_->unread(mark[--length]);
    }

    static char as_char(int c) { return static_cast<char>(c == EOF ? EOFC : c); }
    static std::string indexed(const std::string &label, int index) {
        return label.empty() ? label : label + "[" + vtos(index) + "]";
    }
    static std::string labelled(const std::string &label, const std::string &text) {
        return label.empty() ? text : label + ": " + text;
    }

    void append(std::string &text, int c) {
        text.push_back(static_cast<char>(c));
        if (text.size() > maxTokenLength)
            quit(_pe, "more than " + vtos(maxTokenLength) + " characters without an end");
    }

    void note_end();

    [[noreturn]] void unreadable(const std::string &wanted, const std::string &found) {
        quit(_pe, "expected " + wanted + ", but found \"" + compress(found) + "\"");
    }

    template <class Number>
    Number bounded(Number value, Number low, Number high, const std::string &label) {
        if (!(low <= value && value <= high))
            quit(_wa, labelled(label, vtos(value) + " violates the range [" + vtos(low) + ", " +
                                          vtos(high) + "]"));
        return value;
    }

    void check_pattern(const char *kind, const std::string &found, const pattern &wanted,
                       const std::string &label) {
        if (!wanted.matches(found))
            quit(_wa, labelled(label, std::string("the ") + kind + " \"" + compress(found) +
                                          "\" does not match \"" + wanted.src() + "\""));
    }

    template <class Item, class Read>
    std::vector<Item> many_of(int size, int base, bool spaced, Read read) {
        if (size < 0) quit(_fail, "asked for " + vtos(size) + " items");
        std::vector<Item> items;
        for (int i = 0; i < size; i++) {
            if (strict && spaced && i > 0) readSpace();
            items.push_back(read(base + i));
        }
        return items;
    }
};

#endif  // SCALEBOX_TESTLIB_STREAMS_H
