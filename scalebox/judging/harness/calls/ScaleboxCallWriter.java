// Values that go out, as text of ASCII.

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

final class ScaleboxCallWriter {
    /** A value that is no plain data. */
    static final class Unserialisable extends Exception {
        Unserialisable(String words) {
            super(words);
        }
    }

    private static final int MOST_DEPTH = 200;
    private static final int MOST_NODES = 1_000_000;

    private final StringBuilder out = new StringBuilder();

    /** Parameters: the type that the method returns, by which no node is an empty list. */
    static String text(Object value, Class<?> type) throws Exception {
        ScaleboxCallWriter writer = new ScaleboxCallWriter();
        writer.write(value == null && isNode(type) ? new ArrayList<>() : value, 0);
        return writer.out.toString();
    }

    static String quoted(String text) {
        ScaleboxCallWriter writer = new ScaleboxCallWriter();
        writer.quote(text == null ? "" : text);
        return writer.out.toString();
    }

    private static boolean isNode(Class<?> kind) {
        return !kind.isArray() && ScaleboxCallReader.field(kind, "val") != null
                && (ScaleboxCallReader.field(kind, "next") != null
                        || ScaleboxCallReader.field(kind, "left") != null);
    }

    private void quote(String text) {
        out.append('"');
        for (int at = 0; at < text.length(); at++) {
            char unit = text.charAt(at);
            if (unit == '"' || unit == '\\') {
                out.append('\\').append(unit);
            } else if (unit < 32 || unit > 126) {
                String digits = Integer.toHexString(unit);
                out.append("\\u").append("0000", 0, 4 - digits.length()).append(digits);
            } else {
                out.append(unit);
            }
        }
        out.append('"');
    }

    private void write(Object value, int depth) throws Exception {
        if (value == null || value instanceof Boolean) {
            out.append(value);
        } else if (value instanceof String || value instanceof Character
                || value instanceof StringBuilder) {
            quote(value.toString());
        } else if (value instanceof Float || value instanceof Double) {
            real(((Number) value).doubleValue(), value.toString());
        } else if (value instanceof BigInteger) {
            BigInteger number = (BigInteger) value;
            out.append(number.bitLength() < 64 ? number.toString()
                    : "{\"i\":\"" + number.toString(16) + "\"}");
        } else if (value instanceof Integer || value instanceof Long || value instanceof Short
                || value instanceof Byte) {
            out.append(value);
        } else if (value instanceof java.math.BigDecimal) {
            double number = ((java.math.BigDecimal) value).doubleValue();
            real(number, Double.toString(number));
        } else if (value.getClass().getName().equals("kotlin.Unit")) {
            out.append("null");
        } else if (depth >= MOST_DEPTH) {
            throw new Unserialisable("nested more than 200 deep");
        } else {
            writeMany(value, depth);
        }
    }

    private void real(double number, String text) {
        if (Double.isNaN(number) || Double.isInfinite(number)) {
            text = Double.isNaN(number) ? "nan" : number > 0 ? "inf" : "-inf";
            out.append("{\"f\":\"").append(text).append("\"}");
        } else {
            out.append(text);
        }
    }

    private void writeMany(Object value, int depth) throws Exception {
        if (value instanceof Optional) {
            write(((Optional<?>) value).orElse(null), depth + 1);
        } else if (value.getClass().isArray()) {
            out.append('[');
            for (int at = 0; at < Array.getLength(value); at++) {
                out.append(at == 0 ? "" : ",");
                write(Array.get(value, at), depth + 1);
            }
            out.append(']');
        } else if (value instanceof Set) {
            out.append("{\"s\":");
            writeItems((Set<?>) value, depth);
            out.append('}');
        } else if (value instanceof Collection) {
            writeItems((Collection<?>) value, depth);
        } else if (value instanceof Map) {
            writeMap((Map<?, ?>) value, depth);
        } else if (value instanceof Map.Entry) {
            Map.Entry<?, ?> pair = (Map.Entry<?, ?>) value;
            writeItems(java.util.Arrays.asList(pair.getKey(), pair.getValue()), depth);
        } else if (isNode(value.getClass())) {
            writeItems(nodes(value), depth);
        } else if (value.getClass().getName().matches("kotlin\\.(Pair|Triple)")) {
            List<Object> parts = new ArrayList<>();
            for (Field field : value.getClass().getDeclaredFields()) {
                if (!java.lang.reflect.Modifier.isStatic(field.getModifiers())) {
                    field.setAccessible(true);
                    parts.add(field.get(value));
                }
            }
            writeItems(parts, depth);
        } else {
            throw new Unserialisable("an object of " + value.getClass().getName());
        }
    }

    private void writeItems(Collection<?> items, int depth) throws Exception {
        out.append('[');
        String separator = "";
        for (Object item : items) {
            out.append(separator);
            write(item, depth + 1);
            separator = ",";
        }
        out.append(']');
    }

    private void writeMap(Map<?, ?> map, int depth) throws Exception {
        boolean areTexts = true;
        for (Object key : map.keySet()) {
            areTexts &= key instanceof String || key instanceof Character;
        }
        out.append(areTexts ? "{\"m\":{" : "{\"d\":[");
        String separator = "";
        for (Map.Entry<?, ?> pair : map.entrySet()) {
            out.append(separator).append(areTexts ? "" : "[");
            write(pair.getKey(), depth + 2);
            out.append(areTexts ? ':' : ',');
            write(pair.getValue(), depth + 2);
            out.append(areTexts ? "" : "]");
            separator = ",";
        }
        out.append(areTexts ? "}}" : "]}");
    }

    private static List<Object> nodes(Object root) throws Exception {
        List<Object> values = new ArrayList<>();
        Class<?> kind = root.getClass();
        Field value = ScaleboxCallReader.field(kind, "val");
        Field next = ScaleboxCallReader.field(kind, "next");
        if (next != null) {
            for (Object node = root; node != null; node = next.get(node)) {
                note(values, value.get(node));
            }
            return values;
        }
        Field left = ScaleboxCallReader.field(kind, "left");
        Field right = ScaleboxCallReader.field(kind, "right");
        List<Object> waiting = new ArrayList<>();
        waiting.add(root);
        int end = 0;
        for (int turn = 0; turn < waiting.size(); turn++) {
            Object node = waiting.get(turn);
            note(values, node == null ? null : value.get(node));
            if (node != null) {
                end = turn + 1;
                waiting.add(left.get(node));
                waiting.add(right.get(node));
            }
        }
        // Of what is missing only what has something after it is told.
        return values.subList(0, end);
    }

    private static void note(List<Object> values, Object value) throws Unserialisable {
        if (values.size() == MOST_NODES) {
            throw new Unserialisable("more than a million nodes, or nodes in a circle");
        }
        values.add(value);
    }
}
