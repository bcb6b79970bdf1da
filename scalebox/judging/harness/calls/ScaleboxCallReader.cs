// Values that come in: the text of a line as a tree, and a tree as a value of a parameter's type.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Numerics;
using System.Reflection;
using System.Text;

sealed class ScaleboxCallReader {
    const BindingFlags Fields = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance;

    sealed class Pairs : List<KeyValuePair<object, object>> {}

    readonly string text;
    int at;

    ScaleboxCallReader(string text) {
        this.text = text;
    }

    /// JSON as null, bool, long, BigInteger, double, string, List and Dictionary; tags are not read.
    public static object Parse(string text) {
        return new ScaleboxCallReader(text).Value();
    }

    object Value() {
        Skip();
        switch (text[at]) {
            case '[':
                var items = new List<object>();
                for (at++, Skip(); text[at] != ']'; Skip()) {
                    items.Add(Value());
                }
                at++;
                return items;
            case '{':
                var pairs = new Dictionary<string, object>();
                for (at++, Skip(); text[at] != '}'; Skip()) {
                    string key = (string)Value();
                    pairs[key] = Value();
                }
                at++;
                return pairs;
            case '"':
                return String();
            case 't':
                at += 4;
                return true;
            case 'f':
                at += 5;
                return false;
            case 'n':
                at += 4;
                return null;
            default:
                return Number();
        }
    }

    void Skip() {
        while (at < text.Length && " ,:".IndexOf(text[at]) >= 0) {
            at++;
        }
    }

    string String() {
        var made = new StringBuilder();
        for (at++; text[at] != '"'; at++) {
            if (text[at] != '\\') {
                made.Append(text[at]);
                continue;
            }
            char unit = text[++at];
            int known = "bfnrt".IndexOf(unit);
            if (unit == 'u') {
                made.Append((char)Convert.ToInt32(text.Substring(at + 1, 4), 16));
                at += 4;
            } else {
                made.Append(known < 0 ? unit : "\b\f\n\r\t"[known]);
            }
        }
        at++;
        return made.ToString();
    }

    object Number() {
        int from = at;
        while (at < text.Length && "+-.eE0123456789".IndexOf(text[at]) >= 0) {
            at++;
        }
        string digits = text.Substring(from, at - from);
        if (digits.IndexOfAny(new[] {'.', 'e', 'E'}) < 0) {
            return long.Parse(digits, CultureInfo.InvariantCulture);
        }
        return ScaleboxCallReal.Parse(digits);
    }

    static Exception Unfit(object tree, string what) {
        string words = Convert.ToString(tree ?? "null", CultureInfo.InvariantCulture);
        words = words.Length > 60 ? words.Substring(0, 60) + "..." : words;
        return new ArgumentException("an argument does not fit: " + words + " is no " + what);
    }

    static object Untagged(object tree) {
        var tagged = tree as Dictionary<string, object>;
        if (tagged == null) {
            return tree;
        }
        foreach (KeyValuePair<string, object> only in tagged) {
            var pairs = new Pairs();
            switch (only.Key) {
                case "i":
                    return Hexadecimal((string)only.Value);
                case "f":
                    return (string)only.Value == "nan" ? double.NaN
                        : (string)only.Value == "inf" ? double.PositiveInfinity
                        : double.NegativeInfinity;
                case "t":
                    return only.Value;
                case "m":
                    foreach (var pair in (Dictionary<string, object>)only.Value) {
                        pairs.Add(new KeyValuePair<object, object>(pair.Key, pair.Value));
                    }
                    return pairs;
                case "d":
                    foreach (List<object> pair in (List<object>)only.Value) {
                        pairs.Add(new KeyValuePair<object, object>(pair[0], pair[1]));
                    }
                    return pairs;
            }
        }
        throw Unfit("a value", "value of C#");
    }

    static BigInteger Hexadecimal(string digits) {
        bool isNegative = digits[0] == '-';
        var size = BigInteger.Parse("0" + digits.Substring(isNegative ? 1 : 0),
            NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return isNegative ? -size : size;
    }

    /// What a tree means to somebody who asks for no type.
    static object Natural(object given) {
        object tree = Untagged(given);
        if (tree is Pairs) {
            return Map((Pairs)tree, typeof(Dictionary<object, object>), typeof(object), typeof(object));
        }
        if (tree is List<object>) {
            return ((List<object>)tree).ConvertAll(Natural);
        }
        if (tree is long && (long)tree == (int)(long)tree) {
            return (int)(long)tree;
        }
        return tree;
    }

    /// The value of a tree as a parameter wants it.
    public static object As(object given, Type type) {
        object tree = Untagged(given);
        Type inner = Nullable.GetUnderlyingType(type);
        if (inner != null) {
            return tree == null ? null : As(given, inner);
        }
        if (type == typeof(object)) {
            return Natural(given);
        }
        if (type.IsByRef) {
            return As(given, type.GetElementType());
        }
        if (type == typeof(bool) && tree is bool || type == typeof(string) && (tree is string || tree == null)) {
            return tree;
        }
        if (type == typeof(char) && tree is string && ((string)tree).Length == 1) {
            return ((string)tree)[0];
        }
        if (type.IsPrimitive || type == typeof(decimal) || type == typeof(BigInteger)) {
            return Numeric(tree, type);
        }
        if (type.IsArray && type.GetArrayRank() == 1) {
            return AsArray(tree, type.GetElementType());
        }
        return type == typeof(string) ? throw Unfit(tree, "string") : Generic(tree, type);
    }

    static object Numeric(object tree, Type type) {
        if (type == typeof(double) || type == typeof(float)) {
            if (tree is double || tree is long) {
                return Convert.ChangeType(tree, type, CultureInfo.InvariantCulture);
            }
            if (tree is BigInteger) {
                return type == typeof(double) ? (object)(double)(BigInteger)tree : (float)(BigInteger)tree;
            }
        }
        if (type == typeof(decimal) && tree is double) {
            return (decimal)(double)tree;
        }
        if (tree is double && (double)tree == Math.Floor((double)tree) && Math.Abs((double)tree) < 1e15) {
            tree = (long)(double)tree;
        }
        if (type != typeof(bool) && type != typeof(char) && (tree is long || tree is BigInteger)) {
            BigInteger whole = tree is long ? (BigInteger)(long)tree : (BigInteger)tree;
            if (type == typeof(BigInteger)) {
                return whole;
            }
            try {
                return Convert.ChangeType((decimal)whole, type, CultureInfo.InvariantCulture);
            } catch (OverflowException) {
                throw Unfit(tree, type.Name);
            }
        }
        throw Unfit(tree, type.Name);
    }

    static List<object> Items(object tree, Type type) {
        if (tree == null) {
            return new List<object>();
        }
        return tree as List<object> ?? throw Unfit(tree, type.Name);
    }

    static object AsArray(object tree, Type itemType) {
        if (tree == null) {
            return null;
        }
        if (tree is string && itemType == typeof(char)) {
            return ((string)tree).ToCharArray();
        }
        List<object> items = Items(tree, itemType.MakeArrayType());
        Array made = Array.CreateInstance(itemType, items.Count);
        for (int place = 0; place < items.Count; place++) {
            made.SetValue(As(items[place], itemType), place);
        }
        return made;
    }

    static object Generic(object tree, Type type) {
        FieldInfo value = type.GetField("val", Fields);
        if (value != null && type.GetField("next", Fields) != null) {
            return Linked(Items(tree, type), type);
        }
        if (value != null && type.GetField("left", Fields) != null) {
            return Rooted(Items(tree, type), type);
        }
        if (tree == null) {
            return null;
        }
        Type[] of = type.GetGenericArguments();
        if (of.Length == 2 && tree is Pairs) {
            return Map((Pairs)tree, Made(type, of, typeof(Dictionary<,>), typeof(SortedDictionary<,>)), of[0], of[1]);
        }
        if (of.Length == 1 && tree is List<object>) {
            Type full = Made(type, of, typeof(List<>), typeof(HashSet<>));
            object made = Activator.CreateInstance(full);
            Type collection = typeof(ICollection<>).MakeGenericType(of);
            MethodInfo add = collection.IsAssignableFrom(full) ? collection.GetMethod("Add")
                : full.GetMethod("Enqueue") ?? full.GetMethod("Push");
            foreach (object item in (List<object>)tree) {
                add.Invoke(made, new[] {As(item, of[0])});
            }
            return made;
        }
        throw Unfit(tree, type.Name);
    }

    /// A type, or the first of some that an interface allows.
    static Type Made(Type type, Type[] of, params Type[] known) {
        if (!type.IsInterface) {
            return type;
        }
        foreach (Type one in known) {
            Type full = one.MakeGenericType(of);
            if (type.IsAssignableFrom(full)) {
                return full;
            }
        }
        throw Unfit("a value", type.Name);
    }

    static object Map(Pairs pairs, Type type, Type key, Type value) {
        var made = (IDictionary)Activator.CreateInstance(type);
        foreach (KeyValuePair<object, object> pair in pairs) {
            object name = pair.Key;
            long number;
            // JSON's keys are texts, also where the map's are numbers.
            if (name is string && key.IsPrimitive && long.TryParse((string)name, out number)) {
                name = number;
            }
            made.Add(As(name, key), As(pair.Value, value));
        }
        return made;
    }

    static object Node(object tree, Type type) {
        FieldInfo field = type.GetField("val", Fields);
        object made = System.Runtime.Serialization.FormatterServices.GetUninitializedObject(type);
        field.SetValue(made, As(tree, field.FieldType));
        return made;
    }

    static object Linked(List<object> values, Type type) {
        object head = null;
        for (int place = values.Count - 1; place >= 0; place--) {
            object made = Node(values[place], type);
            type.GetField("next", Fields).SetValue(made, head);
            head = made;
        }
        return head;
    }

    static object Rooted(List<object> values, Type type) {
        if (values.Count == 0 || values[0] == null) {
            return null;
        }
        var nodes = new List<object> {Node(values[0], type)};
        for (int place = 1; place < values.Count; place++) {
            int above = (place - 1) / 2;
            if (above >= nodes.Count) {
                throw new ArgumentException("a tree with values below no node");
            }
            if (values[place] != null) {
                object made = Node(values[place], type);
                type.GetField(place % 2 == 1 ? "left" : "right", Fields).SetValue(nodes[above], made);
                nodes.Add(made);
            }
        }
        return nodes[0];
    }
}
