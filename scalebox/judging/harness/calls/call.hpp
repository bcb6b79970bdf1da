// The run: every line of standard input is a call, and has its record.

namespace scalebox_call {

inline void put(const Text &line) {
    for (std::size_t at = 0; at < line.size();) {
        ssize_t count = ::write(5, line.data() + at, line.size() - at);
        if (count <= 0) ::_exit(1);
        at += count;
    }
}

inline void record(int index, const char *kind, const Text &text) {
    put("{\"i\":" + std::to_string(index) + ",\"" + kind + "\":" + text + "}\n");
}

inline Text readable(const Text &words) {
    try {
        return quoted(words.substr(0, 300));
    } catch (const Unserialisable &) {
        return "\"an exception whose words are not UTF-8\"";
    }
}

/// What an argument is kept as while the call lasts.
template <class A> struct Kept {
    using Value = std::remove_cv_t<std::remove_reference_t<A>>;
    Value value;
    explicit Kept(const Tree &tree) : value(as<Value>(tree)) {}
    A get() { return static_cast<A>(value); }
};
template <class A> struct KeptText {
    Text value;
    explicit KeptText(const Tree &tree) : value(as<Text>(tree)) {}
};
template <> struct Kept<char *> : KeptText<char *> {
    using KeptText::KeptText;
    char *get() { return value.data(); }
};
template <> struct Kept<const char *> : KeptText<const char *> {
    using KeptText::KeptText;
    const char *get() { return value.c_str(); }
};
template <> struct Kept<std::string_view> : KeptText<std::string_view> {
    using KeptText::KeptText;
    std::string_view get() { return value; }
};

template <class R, class... A, std::size_t... Place, class Call>
Text answer(const Call &call, const std::vector<Tree> &given, std::index_sequence<Place...>) {
    if (given.size() != sizeof...(A)) {
        throw Unfit("the function takes " + std::to_string(sizeof...(A)) + " arguments, not "
                    + std::to_string(given.size()));
    }
    std::tuple<Kept<A>...> kept{Kept<A>(given[Place])...};
    if constexpr (std::is_void_v<R>) {
        call(std::get<Place>(kept).get()...);
        return "null";
    } else {
        Text out;
        const auto &value = call(std::get<Place>(kept).get()...);
        write<std::decay_t<R>>(out, value, 0);
        return out;
    }
}

inline Text kind_of(const std::exception &error) {
    int status = 0;
    char *name = abi::__cxa_demangle(typeid(error).name(), nullptr, nullptr, &status);
    Text words = name && !status ? name : "std::exception";
    std::free(name);
    return words;
}

template <class R, class... A, class Call> int run_calls(const Call &call) {
    std::vector<Text> lines;
    Text all;
    static char part[1 << 16];
    for (ssize_t count; (count = ::read(0, part, sizeof part)) > 0;) all.append(part, count);
    for (std::size_t at = 0, end; (end = all.find('\n', at)) != Text::npos; at = end + 1) {
        lines.push_back(all.substr(at, end - at));
    }
    Text().swap(all);
    record(-1, "v", "null");
    for (std::size_t at = 1; at < lines.size(); ++at) {
        Tree line = Parser(lines[at]).value();
        int index = std::stoi(line.items.at(0).words);
        const char *kind = "v";
        Text text;
        try {
            text = answer<R, A...>(call, line.items.at(1).items, std::index_sequence_for<A...>());
        } catch (const Unfit &error) {
            kind = "e", text = readable(Text("an argument does not fit: ") + error.what());
        } catch (const Unserialisable &error) {
            kind = "u", text = readable(error.what());
        } catch (const std::exception &error) {
            kind = "e", text = readable(kind_of(error) + ": " + error.what());
        } catch (...) {
            kind = "e", text = "\"something was thrown that is no std::exception\"";
        }
        record(index, kind, text);
    }
    std::cout.flush();
    std::fflush(nullptr);
    // Threads that the submission left running have no say any more.
    ::_exit(0);
}

template <class R, class... A> int run(R (*function)(A...)) {
    return run_calls<R, A...>([&](auto &&...args) -> decltype(auto) {
        return function(std::forward<decltype(args)>(args)...);
    });
}

/// A fresh object for each call: one must not prepare the next.
template <class S, class R, class... A> int run(R (S::*method)(A...)) {
    return run_calls<R, A...>([&](auto &&...args) -> std::decay_t<R> {
        S solution{};
        return (solution.*method)(std::forward<decltype(args)>(args)...);
    });
}

template <class S, class R, class... A> int run(R (S::*method)(A...) const) {
    return run_calls<R, A...>([&](auto &&...args) -> std::decay_t<R> {
        S solution{};
        return (solution.*method)(std::forward<decltype(args)>(args)...);
    });
}

inline int missing(const char *name) {
    record(-1, "e", quoted(Text("the submission defines no function ") + name
                           + " and no class Solution with such a method"));
    ::_exit(0);
}

}  // namespace scalebox_call
