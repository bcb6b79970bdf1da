// Values that go out, as text of ASCII.

namespace scalebox_call {

inline Text real(double number) {
    if (number != number) return "{\"f\":\"nan\"}";
    if (std::isinf(number)) return number > 0 ? "{\"f\":\"inf\"}" : "{\"f\":\"-inf\"}";
    char text[40];
    std::snprintf(text, sizeof text, "%.17g", number);
    return std::strpbrk(text, ".e") ? text : Text(text) + ".0";
}

template <class T> Text whole(T number) {
    bool negative = number < T(1) && number != 0;
    unsigned __int128 size = number;
    if (negative) size = -size;
    bool is_large = size >= ((unsigned __int128)1 << 63) + negative;
    Text digits;
    unsigned base = is_large ? 16 : 10;
    do digits.insert(digits.begin(), "0123456789abcdef"[unsigned(size % base)]);
    while (size /= base);
    if (negative) digits.insert(digits.begin(), '-');
    return is_large ? "{\"i\":\"" + digits + "\"}" : digits;
}

template <class T> void write(Text &out, const T &value, int depth);

template <class Items> void write_items(Text &out, const Items &items, int depth) {
    if (depth >= 200) throw Unserialisable("nested more than 200 deep");
    out += '[';
    bool first = true;
    for (const auto &item : items) {
        if (!first) out += ',';
        first = false;
        write<std::decay_t<typename Items::value_type>>(out, item, depth + 1);
    }
    out += ']';
}

template <class T> void write_map(Text &out, const T &map, int depth) {
    if (depth >= 200) throw Unserialisable("nested more than 200 deep");
    constexpr bool are_texts = std::is_same_v<typename T::key_type, Text>
        || std::is_same_v<typename T::key_type, char>;
    out += are_texts ? "{\"m\":{" : "{\"d\":[";
    bool first = true;
    for (const auto &pair : map) {
        if (!first) out += ',';
        first = false;
        if (!are_texts) out += '[';
        write<typename T::key_type>(out, pair.first, depth + 1);
        out += are_texts ? ':' : ',';
        write<typename T::mapped_type>(out, pair.second, depth + 1);
        if (!are_texts) out += ']';
    }
    out += are_texts ? "}}" : "]}";
}

inline void bound(std::size_t count) {
    if (count > 1000000) throw Unserialisable("more than a million nodes, or nodes in a circle");
}

template <class Node> void write_linked(Text &out, Node *node, int depth) {
    std::vector<std::decay_t<decltype(node->val)>> values;
    for (; node; node = node->next) {
        values.push_back(node->val);
        bound(values.size());
    }
    write_items(out, values, depth);
}

template <class Node> void write_rooted(Text &out, Node *root, int depth) {
    std::vector<Node *> waiting;
    if (root) waiting.push_back(root);
    std::size_t end = 0;
    for (std::size_t turn = 0; turn < waiting.size(); ++turn) {
        Node *node = waiting[turn];
        bound(turn);
        if (!node) continue;
        end = turn + 1;
        waiting.push_back(node->left);
        waiting.push_back(node->right);
    }
    // Of what is missing only what has something after it is told.
    out += '[';
    for (std::size_t turn = 0; turn < end; ++turn) {
        if (turn) out += ',';
        if (waiting[turn]) write<std::decay_t<decltype(root->val)>>(out, waiting[turn]->val, depth + 1);
        else out += "null";
    }
    out += ']';
}

template <class T> void write(Text &out, const T &value, int depth) {
    if constexpr (std::is_same_v<T, bool>) {
        out += value ? "true" : "false";
    } else if constexpr (std::is_same_v<T, char>) {
        out += quoted(Text(1, value));
    } else if constexpr (is_integer<T>) {
        out += whole(value);
    } else if constexpr (std::is_floating_point_v<T>) {
        out += real(double(value));
    } else if constexpr (std::is_same_v<T, Text> || std::is_same_v<T, std::string_view>) {
        out += quoted(Text(value));
    } else if constexpr (std::is_same_v<T, char *> || std::is_same_v<T, const char *>) {
        out += value ? quoted(value) : Text("null");
    } else if constexpr (std::is_same_v<T, std::nullptr_t> || std::is_same_v<T, std::nullopt_t>
                         || std::is_same_v<T, std::monostate>) {
        out += "null";
    } else if constexpr (IsOf<T, std::optional>::value) {
        if (value) write<typename T::value_type>(out, *value, depth + 1);
        else out += "null";
    } else if constexpr (IsOf<T, std::variant>::value) {
        std::visit([&](const auto &one) { write<std::decay_t<decltype(one)>>(out, one, depth + 1); }, value);
    } else if constexpr (is_map<T>) {
        write_map(out, value, depth);
    } else if constexpr (is_tuple<T>) {
        out += '[';
        std::apply([&](const auto &...item) {
            bool first = true;
            ((first ? void() : void(out += ','), first = false,
              write<std::decay_t<decltype(item)>>(out, item, depth + 1)), ...);
        }, value);
        out += ']';
    } else if constexpr (is_set<T>) {
        out += "{\"s\":";
        write_items(out, value, depth);
        out += '}';
    } else if constexpr (is_list<T> || IsArray<T>::value) {
        write_items(out, value, depth);
    } else if constexpr (std::is_pointer_v<T> && IsRooted<std::remove_pointer_t<T>>::value) {
        write_rooted(out, value, depth);
    } else if constexpr (std::is_pointer_v<T> && IsLinked<std::remove_pointer_t<T>>::value) {
        write_linked(out, value, depth);
    } else {
        static_assert(Unsupported<T>::value, "call tests have no values for a result of this type");
    }
}

}  // namespace scalebox_call
