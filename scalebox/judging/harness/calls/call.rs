
// Inside the sandbox: call the submission's function, and write what each call returns.
//
// The lines of standard input and the records on descriptor 5 are those of the harness for Python
// (harness/call.py), and values are written as in harness/common.py.  The types of the parameters
// are inferred: `Take` is what an argument can be made for, `Put` what a result can be.
#[allow(dead_code, unused_imports)]
mod scalebox_call {
    use std::cell::RefCell;
    use std::collections::{
        BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque,
    };
    use std::convert::{TryFrom, TryInto};
    use std::fmt::{Debug, Write as _};
    use std::fs::File;
    use std::hash::Hash;
    use std::io::{Read, Write};
    use std::os::unix::io::FromRawFd;
    use std::panic::{catch_unwind, set_hook, AssertUnwindSafe};
    use std::process::exit;
    use std::rc::Rc;
    use std::sync::Mutex;

    const MOST_DEPTH: usize = 200;
    const MOST_NODES: usize = 1_000_000;

    #[derive(Clone, Debug)]
    pub enum Tree {
        None,
        Bool(bool),
        Int(i128),
        Real(f64),
        Text(String),
        List(Vec<Tree>),
        Pairs(Vec<(Tree, Tree)>),
        Unknown,
    }

    // --- JSON --------------------------------------------------------------------------------

    struct Parser<'a> {
        text: &'a [u8],
        at: usize,
    }

    impl<'a> Parser<'a> {
        fn skip(&mut self) {
            while matches!(self.text[self.at], b' ' | b',' | b':') {
                self.at += 1;
            }
        }

        fn is_at(&mut self, end: u8) -> bool {
            self.skip();
            self.text[self.at] == end
        }

        fn value(&mut self) -> Tree {
            self.skip();
            match self.text[self.at] {
                b'[' => Tree::List(self.items()),
                b'{' => self.tagged(),
                b'"' => Tree::Text(self.string()),
                b't' => self.word(4, Tree::Bool(true)),
                b'f' => self.word(5, Tree::Bool(false)),
                b'n' => self.word(4, Tree::None),
                _ => self.number(),
            }
        }

        fn word(&mut self, length: usize, meaning: Tree) -> Tree {
            self.at += length;
            meaning
        }

        fn items(&mut self) -> Vec<Tree> {
            let mut items = Vec::new();
            self.at += 1;
            while !self.is_at(b']') {
                items.push(self.value());
            }
            self.at += 1;
            items
        }

        fn tagged(&mut self) -> Tree {
            self.at += 1;
            self.skip();
            let tag = self.string();
            self.skip();
            let made = match tag.as_str() {
                "m" => Tree::Pairs(self.members()),
                "d" => Tree::Pairs(self.items().into_iter().filter_map(pair).collect()),
                "t" => self.value(),
                "i" => i128::from_str_radix(&self.string(), 16).map_or(Tree::Unknown, Tree::Int),
                "f" => Tree::Real(self.string().parse().unwrap_or(0.0)),
                _ => {
                    self.value();
                    Tree::Unknown
                }
            };
            self.skip();
            self.at += 1;
            made
        }

        fn members(&mut self) -> Vec<(Tree, Tree)> {
            let mut pairs = Vec::new();
            self.at += 1;
            while !self.is_at(b'}') {
                let key = Tree::Text(self.string());
                pairs.push((key, self.value()));
            }
            self.at += 1;
            pairs
        }

        fn number(&mut self) -> Tree {
            let from = self.at;
            while self.at < self.text.len() && b"+-.eE0123456789".contains(&self.text[self.at]) {
                self.at += 1;
            }
            let digits = String::from_utf8_lossy(&self.text[from..self.at]).into_owned();
            match digits.parse() {
                Ok(number) => Tree::Int(number),
                Err(_) => digits.parse().map_or(Tree::Unknown, Tree::Real),
            }
        }

        fn string(&mut self) -> String {
            let mut units: Vec<u16> = Vec::new();
            self.at += 1;
            while self.text[self.at] != b'"' {
                let mut unit = self.text[self.at] as u16;
                if unit == b'\\' as u16 {
                    self.at += 1;
                    unit = match self.text[self.at] {
                        b'b' => 8,
                        b'f' => 12,
                        b'n' => 10,
                        b'r' => 13,
                        b't' => 9,
                        b'u' => {
                            let digits = &self.text[self.at + 1..self.at + 5];
                            self.at += 4;
                            u16::from_str_radix(&String::from_utf8_lossy(digits), 16).unwrap_or(0)
                        }
                        other => other as u16,
                    };
                }
                units.push(unit);
                self.at += 1;
            }
            self.at += 1;
            String::from_utf16_lossy(&units)
        }
    }

    fn pair(tree: Tree) -> Option<(Tree, Tree)> {
        match tree {
            Tree::List(mut two) if two.len() == 2 => {
                let value = two.pop()?;
                Some((two.pop()?, value))
            }
            _ => None,
        }
    }

    pub fn quote(text: &str, out: &mut String) {
        out.push('"');
        for unit in text.encode_utf16() {
            match unit {
                34 | 92 => {
                    out.push('\\');
                    out.push(unit as u8 as char);
                }
                32..=126 => out.push(unit as u8 as char),
                _ => {
                    let _ = write!(out, "\\u{:04x}", unit);
                }
            }
        }
        out.push('"');
    }

    // --- values that come in -----------------------------------------------------------------

    pub trait Take: Sized {
        fn take(tree: &Tree) -> Result<Self, String>;

        /// JSON's keys are texts, also where the map's are numbers.
        fn take_key(tree: &Tree) -> Result<Self, String> {
            Self::take(tree)
        }

        /// Whether None stands for it.
        fn is_absent(tree: &Tree) -> bool {
            matches!(tree, Tree::None)
        }
    }

    pub fn unfit<T>(tree: &Tree, what: &str) -> Result<T, String> {
        let words: String = format!("{:?}", tree).chars().take(80).collect();
        Err(format!("{} is no {}", words, what))
    }

    pub fn items(tree: &Tree) -> Result<&[Tree], String> {
        match tree {
            Tree::List(items) => Ok(items),
            Tree::None => Ok(&[]),
            _ => unfit(tree, "list"),
        }
    }

    macro_rules! integers {
        ($($kind:ty),*) => {$(
            impl Take for $kind {
                fn take(tree: &Tree) -> Result<Self, String> {
                    let whole = match tree {
                        Tree::Int(number) => *number,
                        Tree::Real(real) if real.fract() == 0.0 && real.abs() < 1e15 => {
                            *real as i128
                        }
                        _ => return unfit(tree, stringify!($kind)),
                    };
                    <$kind>::try_from(whole).or_else(|_| unfit(tree, stringify!($kind)))
                }

                fn take_key(tree: &Tree) -> Result<Self, String> {
                    match tree {
                        Tree::Text(text) => {
                            text.parse().or_else(|_| unfit(tree, stringify!($kind)))
                        }
                        _ => Self::take(tree),
                    }
                }
            }

            impl Put for $kind {
                fn put(&self, out: &mut String, _depth: usize) -> Result<(), String> {
                    let digits = self.to_string();
                    if digits.parse::<i64>().is_ok() {
                        out.push_str(&digits);
                    } else if let Some(positive) = digits.strip_prefix('-') {
                        let size: u128 = positive.parse().unwrap_or(0);
                        let _ = write!(out, "{{\"i\":\"-{:x}\"}}", size);
                    } else {
                        let _ = write!(out, "{{\"i\":\"{:x}\"}}", self);
                    }
                    Ok(())
                }
            }
        )*};
    }
    integers!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);

    macro_rules! reals {
        ($($kind:ty),*) => {$(
            impl Take for $kind {
                fn take(tree: &Tree) -> Result<Self, String> {
                    match tree {
                        Tree::Int(number) => Ok(*number as $kind),
                        Tree::Real(real) => Ok(*real as $kind),
                        _ => unfit(tree, "number"),
                    }
                }
            }

            impl Put for $kind {
                fn put(&self, out: &mut String, _depth: usize) -> Result<(), String> {
                    let real = *self as f64;
                    let _ = if real.is_nan() {
                        write!(out, "{{\"f\":\"nan\"}}")
                    } else if real.is_infinite() {
                        write!(out, "{{\"f\":\"{}inf\"}}", if real < 0.0 { "-" } else { "" })
                    } else {
                        write!(out, "{:e}", real)
                    };
                    Ok(())
                }
            }
        )*};
    }
    reals!(f32, f64);

    impl Take for bool {
        fn take(tree: &Tree) -> Result<Self, String> {
            match tree {
                Tree::Bool(yes) => Ok(*yes),
                _ => unfit(tree, "bool"),
            }
        }
    }

    impl Take for String {
        fn take(tree: &Tree) -> Result<Self, String> {
            match tree {
                Tree::Text(text) => Ok(text.clone()),
                _ => unfit(tree, "text"),
            }
        }
    }

    impl Take for char {
        fn take(tree: &Tree) -> Result<Self, String> {
            let text = String::take(tree)?;
            let mut units = text.chars();
            match (units.next(), units.next()) {
                (Some(only), None) => Ok(only),
                _ => unfit(tree, "char"),
            }
        }
    }

    impl<T: Take> Take for Option<T> {
        fn take(tree: &Tree) -> Result<Self, String> {
            if T::is_absent(tree) {
                return Ok(None);
            }
            T::take(tree).map(Some)
        }
    }

    impl<T: Take> Take for Box<T> {
        fn take(tree: &Tree) -> Result<Self, String> {
            T::take(tree).map(Box::new)
        }

        fn is_absent(tree: &Tree) -> bool {
            T::is_absent(tree)
        }
    }

    // What is borrowed lives as long as the process, which is not long.
    impl<T: Take> Take for &'static T {
        fn take(tree: &Tree) -> Result<Self, String> {
            T::take(tree).map(|value| &*Box::leak(Box::new(value)))
        }
    }

    impl<T: Take> Take for &'static mut T {
        fn take(tree: &Tree) -> Result<Self, String> {
            T::take(tree).map(|value| Box::leak(Box::new(value)))
        }
    }

    impl Take for &'static str {
        fn take(tree: &Tree) -> Result<Self, String> {
            String::take(tree).map(|text| &*Box::leak(text.into_boxed_str()))
        }
    }

    impl<T: Take> Take for &'static [T] {
        fn take(tree: &Tree) -> Result<Self, String> {
            Vec::take(tree).map(|items| &*Box::leak(items.into_boxed_slice()))
        }
    }

    impl<T: Take> Take for &'static mut [T] {
        fn take(tree: &Tree) -> Result<Self, String> {
            Vec::take(tree).map(|items| Box::leak(items.into_boxed_slice()))
        }
    }

    impl<T: Take, const N: usize> Take for [T; N] {
        fn take(tree: &Tree) -> Result<Self, String> {
            Vec::take(tree)?.try_into().or_else(|_| unfit(tree, "array of that length"))
        }
    }

    macro_rules! collections {
        ($($kind:ident [$($bound:ident)*] $open:tt $close:tt),*) => {$(
            impl<T: Take $(+ $bound)*> Take for $kind<T> {
                fn take(tree: &Tree) -> Result<Self, String> {
                    items(tree)?.iter().map(T::take).collect()
                }
            }

            impl<T: Put> Put for $kind<T> {
                fn put(&self, out: &mut String, depth: usize) -> Result<(), String> {
                    out.push_str($open);
                    put_items(self.iter(), out, depth)?;
                    out.push_str($close);
                    Ok(())
                }
            }
        )*};
    }
    collections!(
        Vec [] "" "", VecDeque [] "" "", LinkedList [] "" "", BinaryHeap [Ord] "" "",
        HashSet [Hash Eq] "{\"s\":" "}", BTreeSet [Ord] "{\"s\":" "}"
    );

    macro_rules! maps {
        ($($kind:ident [$($bound:ident)*]),*) => {$(
            impl<K: Take $(+ $bound)*, V: Take> Take for $kind<K, V> {
                fn take(tree: &Tree) -> Result<Self, String> {
                    match tree {
                        Tree::Pairs(pairs) => pairs
                            .iter()
                            .map(|(key, value)| Ok((K::take_key(key)?, V::take(value)?)))
                            .collect(),
                        _ => unfit(tree, "map"),
                    }
                }
            }

            impl<K: Put, V: Put> Put for $kind<K, V> {
                fn put(&self, out: &mut String, depth: usize) -> Result<(), String> {
                    let (open, between, end, close) = if K::IS_TEXT {
                        ("", ":", "", "{\"m\":{")
                    } else {
                        ("[", ",", "]", "{\"d\":[")
                    };
                    out.push_str(close);
                    for (at, (key, value)) in self.iter().enumerate() {
                        out.push_str(if at > 0 { "," } else { "" });
                        out.push_str(open);
                        key.put(out, depth + 1)?;
                        out.push_str(between);
                        value.put(out, depth + 1)?;
                        out.push_str(end);
                    }
                    out.push_str(if K::IS_TEXT { "}}" } else { "]}" });
                    Ok(())
                }
            }
        )*};
    }
    maps!(HashMap [Hash Eq], BTreeMap [Ord]);

    macro_rules! tuples {
        ($($count:literal: $($part:ident $place:tt)*;)*) => {$(
            impl<$($part: Take),*> Take for ($($part,)*) {
                fn take(tree: &Tree) -> Result<Self, String> {
                    let given = items(tree)?;
                    if given.len() != $count {
                        return unfit(tree, "tuple of that length");
                    }
                    Ok(($($part::take(&given[$place])?,)*))
                }
            }

            impl<$($part: Put),*> Put for ($($part,)*) {
                fn put(&self, out: &mut String, depth: usize) -> Result<(), String> {
                    out.push('[');
                    $(
                        out.push_str(if $place > 0 { "," } else { "" });
                        self.$place.put(out, depth + 1)?;
                    )*
                    out.push(']');
                    Ok(())
                }
            }
        )*};
    }
    tuples! {
        1: A 0; 2: A 0 B 1; 3: A 0 B 1 C 2; 4: A 0 B 1 C 2 D 3; 5: A 0 B 1 C 2 D 3 E 4;
        6: A 0 B 1 C 2 D 3 E 4 F 5; 7: A 0 B 1 C 2 D 3 E 4 F 5 G 6;
        8: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7; 9: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8;
        10: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9;
        11: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10;
        12: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11;
    }

    // --- values that go out ------------------------------------------------------------------

    pub trait Put {
        const IS_TEXT: bool = false;

        fn put(&self, out: &mut String, depth: usize) -> Result<(), String>;

        /// What stands for none of these.
        fn put_none(out: &mut String) {
            out.push_str("null");
        }
    }

    pub fn put_items<'a, T: Put + 'a>(
        items: impl Iterator<Item = &'a T>,
        out: &mut String,
        depth: usize,
    ) -> Result<(), String> {
        if depth >= MOST_DEPTH {
            return Err("nested more than 200 deep".to_string());
        }
        out.push('[');
        for (at, item) in items.enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            item.put(out, depth + 1)?;
        }
        out.push(']');
        Ok(())
    }

    pub fn note<T>(values: &mut Vec<T>, value: T) -> Result<(), String> {
        if values.len() == MOST_NODES {
            return Err("more than a million nodes, or nodes in a circle".to_string());
        }
        values.push(value);
        Ok(())
    }

    impl Put for () {
        fn put(&self, out: &mut String, _depth: usize) -> Result<(), String> {
            out.push_str("null");
            Ok(())
        }
    }

    impl Put for bool {
        fn put(&self, out: &mut String, _depth: usize) -> Result<(), String> {
            out.push_str(if *self { "true" } else { "false" });
            Ok(())
        }
    }

    impl Put for str {
        const IS_TEXT: bool = true;

        fn put(&self, out: &mut String, _depth: usize) -> Result<(), String> {
            quote(self, out);
            Ok(())
        }
    }

    impl Put for String {
        const IS_TEXT: bool = true;

        fn put(&self, out: &mut String, depth: usize) -> Result<(), String> {
            self.as_str().put(out, depth)
        }
    }

    impl Put for char {
        const IS_TEXT: bool = true;

        fn put(&self, out: &mut String, depth: usize) -> Result<(), String> {
            self.to_string().put(out, depth)
        }
    }

    impl<T: Put> Put for Option<T> {
        fn put(&self, out: &mut String, depth: usize) -> Result<(), String> {
            match self {
                Some(value) => value.put(out, depth + 1),
                None => {
                    T::put_none(out);
                    Ok(())
                }
            }
        }
    }

    impl<T: Put, E: Debug> Put for Result<T, E> {
        fn put(&self, out: &mut String, depth: usize) -> Result<(), String> {
            match self {
                Ok(value) => value.put(out, depth + 1),
                Err(error) => Err(format!("Err({:?})", error)),
            }
        }
    }

    macro_rules! pointers {
        ($($kind:ty, $value:ident => $inner:expr;)*) => {$(
            impl<T: Put + ?Sized> Put for $kind {
                const IS_TEXT: bool = T::IS_TEXT;

                fn put(&self, out: &mut String, depth: usize) -> Result<(), String> {
                    let $value = self;
                    $inner.put(out, depth)
                }

                fn put_none(out: &mut String) {
                    T::put_none(out);
                }
            }
        )*};
    }
    pointers! {
        &T, value => (**value); Box<T>, value => (**value); Rc<T>, value => (**value);
        RefCell<T>, value => value.borrow();
    }

    impl<T: Put> Put for [T] {
        fn put(&self, out: &mut String, depth: usize) -> Result<(), String> {
            put_items(self.iter(), out, depth)
        }
    }

    impl<T: Put, const N: usize> Put for [T; N] {
        fn put(&self, out: &mut String, depth: usize) -> Result<(), String> {
            put_items(self.iter(), out, depth)
        }
    }

    // --- the run -----------------------------------------------------------------------------

    /// The text of a result; inside, why it has none; outside, why it was not asked for.
    pub type Answer = Result<Result<String, String>, String>;

    static PANIC: Mutex<String> = Mutex::new(String::new());

    fn record(channel: &mut File, index: i128, kind: &str, text: &str) {
        let line = format!("{{\"i\":{},\"{}\":{}}}\n", index, kind, text);
        if channel.write_all(line.as_bytes()).is_err() {
            exit(1);
        }
    }

    fn quoted(words: &str) -> String {
        let mut out = String::new();
        quote(&words.chars().take(300).collect::<String>(), &mut out);
        out
    }

    pub fn missing(name: &str) {
        let mut channel = unsafe { File::from_raw_fd(5) };
        let words = format!("the submission defines no function {} and no Solution with one", name);
        record(&mut channel, -1, "e", &quoted(&words));
    }

    /// Parameters: how many arguments the function takes, and what calls it.
    pub fn run(count: usize, call: fn(&[Tree]) -> Answer) {
        let mut channel = unsafe { File::from_raw_fd(5) };
        let mut all = String::new();
        let _ = std::io::stdin().read_to_string(&mut all);
        set_hook(Box::new(|panic| {
            let payload = panic.payload();
            let words = payload.downcast_ref::<String>().map(String::as_str);
            let words = words.or_else(|| payload.downcast_ref::<&str>().copied());
            let line = panic.location().map_or(0, |place| place.line());
            if let Ok(mut kept) = PANIC.lock() {
                *kept = format!("panic: {} (main.rs, line {})", words.unwrap_or("?"), line);
            }
        }));
        record(&mut channel, -1, "v", "null");
        for line in all.lines().skip(1) {
            let parsed = Parser { text: line.as_bytes(), at: 0 }.items();
            let index = i128::take(&parsed[0]).unwrap_or(0);
            let args = items(&parsed[1]).unwrap_or(&[]);
            if args.len() != count {
                let words = format!("the function takes {} arguments, not {}", count, args.len());
                record(&mut channel, index, "e", &quoted(&words));
                continue;
            }
            match catch_unwind(AssertUnwindSafe(|| call(args))) {
                Ok(Ok(Ok(text))) => record(&mut channel, index, "v", &text),
                Ok(Ok(Err(words))) => record(&mut channel, index, "u", &quoted(&words)),
                Ok(Err(words)) => {
                    let words = format!("an argument does not fit: {}", words);
                    record(&mut channel, index, "e", &quoted(&words));
                }
                Err(_) => {
                    let words = PANIC.lock().map_or_else(|_| String::new(), |kept| kept.clone());
                    record(&mut channel, index, "e", &quoted(&words));
                }
            }
        }
        let _ = std::io::stdout().flush();
        // Threads that the submission left running have no say any more.
        exit(0);
    }
}
