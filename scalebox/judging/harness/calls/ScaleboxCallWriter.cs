// Values that go out, as text of ASCII.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Numerics;
using System.Reflection;
using System.Text;

sealed class ScaleboxCallWriter {
    /// A value that is no plain data.
    public sealed class Unserialisable : Exception {
        public Unserialisable(string words) : base(words) {}
    }

    const int MostDepth = 200;
    const int MostNodes = 1000000;
    const BindingFlags Fields = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance;

    readonly StringBuilder made = new StringBuilder();

    /// Parameters: the type that the method returns, by which no node is an empty list.
    public static string Text(object value, Type type) {
        var writer = new ScaleboxCallWriter();
        writer.Write(value == null && IsNode(type) ? new object[0] : value, 0);
        return writer.made.ToString();
    }

    public static string Quoted(string text) {
        var writer = new ScaleboxCallWriter();
        writer.Quote(text);
        return writer.made.ToString();
    }

    static bool IsNode(Type type) {
        return type.GetField("val", Fields) != null
            && (type.GetField("next", Fields) != null || type.GetField("left", Fields) != null);
    }

    void Quote(string text) {
        made.Append('"');
        foreach (char unit in text) {
            if (unit == '"' || unit == '\\') {
                made.Append('\\').Append(unit);
            } else if (unit < 32 || unit > 126) {
                made.Append("\\u").Append(((int)unit).ToString("x4"));
            } else {
                made.Append(unit);
            }
        }
        made.Append('"');
    }

    void Write(object value, int depth) {
        if (value == null) {
            made.Append("null");
        } else if (value is bool) {
            made.Append((bool)value ? "true" : "false");
        } else if (value is string || value is char || value is StringBuilder) {
            Quote(value.ToString());
        } else if (value is double || value is float || value is decimal) {
            Real(Convert.ToDouble(value, CultureInfo.InvariantCulture));
        } else if (value.GetType().IsPrimitive || value is BigInteger) {
            Whole(BigInteger.Parse(Convert.ToString(value, CultureInfo.InvariantCulture),
                CultureInfo.InvariantCulture));
        } else if (depth >= MostDepth) {
            throw new Unserialisable("nested more than 200 deep");
        } else if (IsNode(value.GetType())) {
            WriteItems(Nodes(value), depth);
        } else {
            WriteMany(value, depth);
        }
    }

    void Real(double number) {
        if (double.IsNaN(number) || double.IsInfinity(number)) {
            string word = double.IsNaN(number) ? "nan" : number > 0 ? "inf" : "-inf";
            made.Append("{\"f\":\"").Append(word).Append("\"}");
        } else {
            made.Append(ScaleboxCallReal.Text(number));
        }
    }

    void Whole(BigInteger number) {
        if (number >= long.MinValue && number <= long.MaxValue) {
            made.Append(number.ToString(CultureInfo.InvariantCulture));
        } else {
            string digits = BigInteger.Abs(number).ToString("x").TrimStart('0');
            made.Append("{\"i\":\"").Append(number.Sign < 0 ? "-" : "").Append(digits).Append("\"}");
        }
    }

    void WriteMany(object value, int depth) {
        Type type = value.GetType();
        Type bare = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        if (value is IDictionary) {
            WriteMap((IDictionary)value, depth);
        } else if (bare == typeof(HashSet<>) || bare == typeof(SortedSet<>)) {
            made.Append("{\"s\":");
            WriteItems((IEnumerable)value, depth);
            made.Append('}');
        } else if (value is Array || value is IList || bare == typeof(LinkedList<>)
                || bare == typeof(Queue<>) || bare == typeof(Stack<>)) {
            WriteItems((IEnumerable)value, depth);
        } else if (bare.FullName.StartsWith("System.Tuple`") || bare == typeof(KeyValuePair<,>)) {
            var parts = new List<object>();
            foreach (PropertyInfo part in type.GetProperties()) {
                parts.Add(part.GetValue(value, null));
            }
            WriteItems(parts, depth);
        } else if (bare.FullName.StartsWith("System.ValueTuple`")) {
            var parts = new List<object>();
            foreach (FieldInfo part in type.GetFields()) {
                parts.Add(part.GetValue(value));
            }
            WriteItems(parts, depth);
        } else {
            throw new Unserialisable("an object of " + type.FullName);
        }
    }

    void WriteItems(IEnumerable items, int depth) {
        made.Append('[');
        bool isFirst = true;
        foreach (object item in items) {
            made.Append(isFirst ? "" : ",");
            Write(item, depth + 1);
            isFirst = false;
        }
        made.Append(']');
    }

    void WriteMap(IDictionary map, int depth) {
        bool areTexts = true;
        foreach (object key in map.Keys) {
            areTexts &= key is string || key is char;
        }
        made.Append(areTexts ? "{\"m\":{" : "{\"d\":[");
        bool isFirst = true;
        foreach (DictionaryEntry pair in map) {
            made.Append(isFirst ? "" : ",").Append(areTexts ? "" : "[");
            Write(pair.Key, depth + 1);
            made.Append(areTexts ? ':' : ',');
            Write(pair.Value, depth + 1);
            made.Append(areTexts ? "" : "]");
            isFirst = false;
        }
        made.Append(areTexts ? "}}" : "]}");
    }

    static List<object> Nodes(object root) {
        Type type = root.GetType();
        FieldInfo value = type.GetField("val", Fields);
        FieldInfo next = type.GetField("next", Fields);
        var values = new List<object>();
        if (next != null) {
            for (object node = root; node != null; node = next.GetValue(node)) {
                Note(values, value.GetValue(node));
            }
            return values;
        }
        FieldInfo left = type.GetField("left", Fields);
        FieldInfo right = type.GetField("right", Fields);
        var waiting = new List<object> {root};
        int end = 0;
        for (int turn = 0; turn < waiting.Count; turn++) {
            object node = waiting[turn];
            Note(values, node == null ? null : value.GetValue(node));
            if (node != null) {
                end = turn + 1;
                waiting.Add(left.GetValue(node));
                waiting.Add(right.GetValue(node));
            }
        }
        // Of what is missing only what has something after it is told.
        return values.GetRange(0, end);
    }

    static void Note(List<object> values, object value) {
        if (values.Count == MostNodes) {
            throw new Unserialisable("more than a million nodes, or nodes in a circle");
        }
        values.Add(value);
    }
}
