// Inside the sandbox: call the submission's function, and write what each call returns.
//
// The lines of standard input and the records on descriptor 5 are those of the harness for Python
// (`harness/call.py`), and values are written as in `harness/common.py`.  This text comes before
// the submission, so that no macro of its changes it; the types of a function's parameters are
// those of a pointer to it.  A class with members `val` and `next` is a node of a linked list, one
// with `val`, `left` and `right` a node of a tree.

#include <bits/stdc++.h>
#include <cxxabi.h>
#include <unistd.h>

#if __cplusplus < 201703L
#error "call tests need C++17 or newer"
#endif

namespace scalebox_call {

using Text = std::string;

struct Unfit : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct Unserialisable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

template <class T> struct Unsupported : std::false_type {};

// --- JSON ------------------------------------------------------------------------------------

/// A value as the line has it; tags are not read.
struct Tree {
    enum Kind { none, boolean, number, text, list, object } kind = none;
    bool yes = false;
    Text words;  // of a number: its digits
    std::vector<Tree> items;  // of an object: its values
    std::vector<Text> keys;

    Text shown() const {
        switch (kind) {
        case none: return "null";
        case boolean: return yes ? "true" : "false";
        case list: return "a list";
        case object: return "an object";
        default: return words.size() < 60 ? words : words.substr(0, 60) + "...";
        }
    }
};

inline void append_utf8(Text &out, unsigned long code) {
    if (code < 0x80) {
        out += char(code);
        return;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    out += char((more == 1 ? 0xC0 : more == 2 ? 0xE0 : 0xF0) | code >> 6 * more);
    while (more--) out += char(0x80 | (code >> 6 * more & 0x3F));
}

class Parser {
  public:
    explicit Parser(const Text &line) : at_(line.c_str()) {}

    Tree value() {
        while (*at_ == ' ' || *at_ == ',' || *at_ == ':') ++at_;
        Tree made;
        switch (*at_) {
        case '[':
        case '{': {
            bool is_object = *at_++ == '{';
            made.kind = is_object ? Tree::object : Tree::list;
            while (skip(), *at_ != ']' && *at_ != '}') {
                if (is_object) made.keys.push_back(value().words);
                made.items.push_back(value());
            }
            ++at_;
            return made;
        }
        case '"': made.kind = Tree::text; made.words = string(); return made;
        case 't': made.kind = Tree::boolean; made.yes = true; at_ += 4; return made;
        case 'f': made.kind = Tree::boolean; at_ += 5; return made;
        case 'n': at_ += 4; return made;
        default:
            made.kind = Tree::number;
            while (*at_ && std::strchr("+-.eE0123456789", *at_)) made.words += *at_++;
            return made;
        }
    }

  private:
    void skip() {
        while (*at_ == ' ' || *at_ == ',' || *at_ == ':') ++at_;
    }

    unsigned long unit() {
        Text digits(at_, 4);
        at_ += 4;
        return std::strtoul(digits.c_str(), nullptr, 16);
    }

    Text string() {
        Text made;
        for (++at_; *at_ != '"'; ++at_) {
            if (*at_ != '\\') {
                made += *at_;
                continue;
            }
            const char *known = std::strchr("b\bf\fn\nr\rt\t", *++at_);
            if (*at_ != 'u') {
                made += known ? known[1] : *at_;
                continue;
            }
            ++at_;
            unsigned long code = unit();
            if (code >= 0xD800 && code < 0xDC00 && at_[0] == '\\' && at_[1] == 'u') {
                const char *before = at_;
                at_ += 2;
                unsigned long low = unit();
                if (low >= 0xDC00 && low < 0xE000) {
                    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                } else {
                    at_ = before;
                }
            }
            append_utf8(made, code);
            --at_;
        }
        ++at_;
        return made;
    }

    const char *at_;
};

/// Text as JSON has it, in ASCII.
inline Text quoted(const Text &text) {
    Text out = "\"";
    char escape[16];
    for (std::size_t at = 0; at < text.size();) {
        unsigned char first = text[at];
        int more = first < 0x80 ? 0 : first < 0xC2 ? -1 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
        if (more < 0 || first > 0xF4 || at + more >= text.size()) {
            throw Unserialisable("a text that is not UTF-8");
        }
        unsigned long code = more ? first & (0x3F >> more) : first;
        for (int place = 1; place <= more; ++place) {
            unsigned char next = text[at + place];
            if ((next & 0xC0) != 0x80) throw Unserialisable("a text that is not UTF-8");
            code = code << 6 | (next & 0x3F);
        }
        at += 1 + more;
        if (code == '"' || code == '\\') {
            (out += '\\') += char(code);
        } else if (code >= 32 && code < 127) {
            out += char(code);
        } else if (code < 0x10000) {
            std::snprintf(escape, sizeof escape, "\\u%04lx", code);
            out += escape;
        } else {
            code -= 0x10000;
            std::snprintf(escape, sizeof escape, "\\u%04lx\\u%04lx", 0xD800 + (code >> 10),
                          0xDC00 + (code & 0x3FF));
            out += escape;
        }
    }
    return out + '"';
}

// --- what types are --------------------------------------------------------------------------

template <class T, class = void> struct IsLinked : std::false_type {};
template <class T>
struct IsLinked<T, std::void_t<decltype(std::declval<T>().val), decltype(std::declval<T>().next)>>
    : std::true_type {};
template <class T, class = void> struct IsRooted : std::false_type {};
template <class T>
struct IsRooted<T, std::void_t<decltype(std::declval<T>().val), decltype(std::declval<T>().left),
                               decltype(std::declval<T>().right)>> : std::true_type {};

template <class T, template <class...> class... Kinds> struct IsOf : std::false_type {};
template <template <class...> class Kind, class... Of, template <class...> class... Kinds>
struct IsOf<Kind<Of...>, Kind, Kinds...> : std::true_type {};
template <class T, template <class...> class Kind, template <class...> class... Kinds>
struct IsOf<T, Kind, Kinds...> : IsOf<T, Kinds...> {};

template <class T> constexpr bool is_list = IsOf<T, std::vector>::value
    || IsOf<T, std::deque>::value || IsOf<T, std::list>::value;
template <class T> constexpr bool is_set = IsOf<T, std::set>::value
    || IsOf<T, std::unordered_set>::value || IsOf<T, std::multiset>::value;
template <class T> constexpr bool is_map = IsOf<T, std::map>::value
    || IsOf<T, std::unordered_map>::value;
template <class T> constexpr bool is_tuple = IsOf<T, std::pair>::value
    || IsOf<T, std::tuple>::value;
template <class T> struct IsArray : std::false_type {};
template <class T, std::size_t N> struct IsArray<std::array<T, N>> : std::true_type {};
template <class T> constexpr bool is_integer = std::is_integral_v<T>
    || std::is_same_v<T, __int128> || std::is_same_v<T, unsigned __int128>;

// --- values that come in ---------------------------------------------------------------------

/// What a tree is without its tag; the pairs of a dictionary are a list of lists.
inline Tree untagged(const Tree &tree) {
    if (tree.kind != Tree::object) return tree;
    const Text &tag = tree.keys.at(0);
    const Tree &body = tree.items.at(0);
    Tree made;
    if (tag == "t") return body;
    if (tag == "i" || tag == "f") {
        made = body;
        made.kind = Tree::number;
        if (tag == "i") made.words.insert(made.words[0] == '-', "0x");
        return made;
    }
    made.kind = Tree::object;
    if (tag == "m") {
        for (std::size_t at = 0; at < body.items.size(); ++at) {
            Tree key, pair;
            key.kind = Tree::text;
            key.words = body.keys[at];
            pair.items = {key, body.items[at]};
            made.items.push_back(pair);
        }
    } else if (tag == "d") {
        made.items = body.items;
    } else {
        throw Unfit("C++ has no value for it");
    }
    return made;
}

inline Unfit unfit(const Tree &tree, const char *what) { return Unfit(tree.shown() + " is not " + what); }

inline const std::vector<Tree> &list_of(const Tree &tree) {
    static const std::vector<Tree> empty;
    if (tree.kind == Tree::none) return empty;
    if (tree.kind != Tree::list) throw unfit(tree, "a list");
    return tree.items;
}

template <class T> T as_integer(const Tree &tree) {
    if (tree.kind != Tree::number) throw unfit(tree, "an integer");
    Text digits = tree.words;
    if (digits.find_first_of(".en") != Text::npos && digits.find('x') == Text::npos) {
        double number = std::strtod(digits.c_str(), nullptr);
        if (!(std::fabs(number) < 1e15) || number != std::floor(number)) {
            throw unfit(tree, "an integer");
        }
        digits = std::to_string((long long)number);
    }
    bool negative = digits[0] == '-';
    bool is_hex = digits.find('x') != Text::npos;
    unsigned __int128 size = 0, most = ~(unsigned __int128)0;
    for (char digit : digits.substr(negative + 2 * is_hex)) {
        unsigned value = digit <= '9' ? digit - '0' : digit - 'a' + 10;
        unsigned base = is_hex ? 16 : 10;
        if (size > (most - value) / base) throw unfit(tree, "of the parameter's range");
        size = size * base + value;
    }
    T made = T(negative ? -size : size);
    bool fits = made < T(1) && made != 0 ? negative && -(unsigned __int128)made == size
                                         : (!negative || !size) && (unsigned __int128)made == size;
    if (!fits) throw unfit(tree, "of the parameter's range");
    return made;
}

template <class T> double as_real(const Tree &tree) {
    if (tree.kind != Tree::number) throw unfit(tree, "a number");
    return std::strtod(tree.words.c_str(), nullptr);
}

template <class T> T as(const Tree &given);

template <class Node> Node *as_linked(const std::vector<Tree> &values) {
    Node *head = nullptr;
    using Value = std::decay_t<decltype(head->val)>;
    for (auto at = values.rbegin(); at != values.rend(); ++at) {
        Node *made;
        if constexpr (std::is_constructible_v<Node, Value>) made = new Node(as<Value>(*at));
        else made = new Node(), made->val = as<Value>(*at);
        made->next = head;
        head = made;
    }
    return head;
}

template <class Node> Node *as_rooted(const std::vector<Tree> &values) {
    std::vector<Node *> nodes;
    for (std::size_t at = 0; at < values.size(); ++at) {
        if (at && (at - 1) / 2 >= nodes.size()) throw Unfit("a tree with values below no node");
        if (values[at].kind == Tree::none) continue;
        Node *made;
        using Value = std::decay_t<decltype(made->val)>;
        if constexpr (std::is_constructible_v<Node, Value>) made = new Node(as<Value>(values[at]));
        else made = new Node(), made->val = as<Value>(values[at]);
        made->left = made->right = nullptr;
        if (at) (at % 2 ? nodes[(at - 1) / 2]->left : nodes[(at - 1) / 2]->right) = made;
        nodes.push_back(made);
    }
    return nodes.empty() ? nullptr : nodes[0];
}

template <class T, std::size_t... Place>
T as_tuple(const std::vector<Tree> &items, std::index_sequence<Place...>) {
    if (items.size() != sizeof...(Place)) throw Unfit("a list of another length than the tuple's");
    return T{as<std::decay_t<std::tuple_element_t<Place, T>>>(items[Place])...};
}

template <class T> T as_pairs(const Tree &tree) {
    if (tree.kind != Tree::object) throw unfit(tree, "a map");
    T made;
    for (const Tree &pair : tree.items) {
        Tree key = pair.items.at(0);
        // JSON's keys are texts, also where the map's are numbers.
        if (is_integer<typename T::key_type> && key.kind == Tree::text) key.kind = Tree::number;
        made.emplace(as<typename T::key_type>(key), as<typename T::mapped_type>(pair.items.at(1)));
    }
    return made;
}

/// The value of a tree as a parameter wants it.
template <class T> T as(const Tree &given) {
    Tree bare;
    if (given.kind == Tree::object) bare = untagged(given);
    const Tree &tree = given.kind == Tree::object ? bare : given;
    if constexpr (std::is_same_v<T, bool>) {
        if (tree.kind != Tree::boolean) throw unfit(tree, "a boolean");
        return tree.yes;
    } else if constexpr (std::is_same_v<T, char>) {
        if (tree.kind == Tree::number) return as_integer<char>(tree);
        if (tree.kind != Tree::text || tree.words.size() != 1) throw unfit(tree, "a char");
        return tree.words[0];
    } else if constexpr (is_integer<T>) {
        return as_integer<T>(tree);
    } else if constexpr (std::is_floating_point_v<T>) {
        return T(as_real<T>(tree));
    } else if constexpr (std::is_same_v<T, Text>) {
        if (tree.kind != Tree::text) throw unfit(tree, "a text");
        return tree.words;
    } else if constexpr (IsOf<T, std::optional>::value) {
        if (tree.kind == Tree::none) return std::nullopt;
        return as<typename T::value_type>(tree);
    } else if constexpr (is_map<T>) {
        return as_pairs<T>(tree);
    } else if constexpr (is_tuple<T>) {
        return as_tuple<T>(list_of(tree), std::make_index_sequence<std::tuple_size_v<T>>());
    } else if constexpr (IsArray<T>::value) {
        T made{};
        if (list_of(tree).size() != made.size()) throw unfit(tree, "of the array's length");
        for (std::size_t at = 0; at < made.size(); ++at) {
            made[at] = as<typename T::value_type>(tree.items[at]);
        }
        return made;
    } else if constexpr (is_list<T> || is_set<T>) {
        T made;
        for (const Tree &item : list_of(tree)) {
            made.insert(made.end(), as<typename T::value_type>(item));
        }
        return made;
    } else if constexpr (std::is_pointer_v<T> && IsRooted<std::remove_pointer_t<T>>::value) {
        return as_rooted<std::remove_pointer_t<T>>(list_of(tree));
    } else if constexpr (std::is_pointer_v<T> && IsLinked<std::remove_pointer_t<T>>::value) {
        return as_linked<std::remove_pointer_t<T>>(list_of(tree));
    } else {
        static_assert(Unsupported<T>::value, "call tests have no values for a parameter of this type");
    }
}

}  // namespace scalebox_call
