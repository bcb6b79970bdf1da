// Values that come in: the text of a line as a tree, and a tree as a value of a parameter's type.

import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.WildcardType;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.AbstractMap;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Stack;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.Vector;

final class ScaleboxCallReader {
    /** A value that a parameter cannot hold. */
    static final class Unfit extends Exception {
        Unfit(String words) {
            super(words);
        }
    }

    private final String text;
    private int at;

    private ScaleboxCallReader(String text) {
        this.text = text;
    }

    /** JSON as null, Boolean, Long, BigInteger, Double, String, List and Map; tags are not read. */
    static Object parse(String text) {
        return new ScaleboxCallReader(text).value();
    }

    private Object value() {
        char first = text.charAt(at);
        switch (first) {
            case '[': {
                List<Object> items = new ArrayList<>();
                at++;
                while (text.charAt(at) != ']') {
                    items.add(next());
                }
                at++;
                return items;
            }
            case '{': {
                Map<String, Object> pairs = new LinkedHashMap<>();
                at++;
                while (text.charAt(at) != '}') {
                    String key = (String) next();
                    pairs.put(key, next());
                }
                at++;
                return pairs;
            }
            case '"':
                return string();
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
                return number();
        }
    }

    /** A value with what separates it from the ones beside it. */
    private Object next() {
        skip();
        Object item = value();
        skip();
        return item;
    }

    private void skip() {
        while (at < text.length() && (text.charAt(at) == ',' || text.charAt(at) == ':'
                || text.charAt(at) == ' ')) {
            at++;
        }
    }

    private String string() {
        StringBuilder made = new StringBuilder();
        for (at++; text.charAt(at) != '"'; at++) {
            char unit = text.charAt(at);
            if (unit != '\\') {
                made.append(unit);
                continue;
            }
            unit = text.charAt(++at);
            int known = "bfnrt".indexOf(unit);
            if (unit == 'u') {
                made.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16));
                at += 4;
            } else {
                made.append(known < 0 ? unit : "\b\f\n\r\t".charAt(known));
            }
        }
        at++;
        return made.toString();
    }

    private Object number() {
        int from = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String digits = text.substring(from, at);
        if (digits.indexOf('.') >= 0 || digits.indexOf('e') >= 0) {
            return Double.valueOf(digits);
        }
        return digits.length() < 19 ? (Object) Long.valueOf(digits) : small(new BigInteger(digits));
    }

    private static Object small(BigInteger value) {
        return value.bitLength() < 64 ? (Object) value.longValue() : value;
    }

    /** What a tree means to somebody who asks for no type. */
    private static Object natural(Object tree) throws Unfit {
        if (tree instanceof List) {
            List<Object> items = new ArrayList<>();
            for (Object item : (List<?>) tree) {
                items.add(natural(item));
            }
            return items;
        }
        if (tree instanceof Long) {
            long number = (Long) tree;
            return number == (int) number ? (Object) (int) number : tree;
        }
        if (!(tree instanceof Map)) {
            return tree;
        }
        Object bare = untagged(tree);
        return bare instanceof Pairs ? map(bare, Map.class, Object.class, Object.class)
                : natural(bare);
    }

    private static final class Pairs extends ArrayList<Map.Entry<Object, Object>> {}

    /** A tree without its tag: a number, a List, or `Pairs` of trees. */
    private static Object untagged(Object tree) throws Unfit {
        if (!(tree instanceof Map)) {
            return tree;
        }
        Map.Entry<?, ?> only = ((Map<?, ?>) tree).entrySet().iterator().next();
        Object body = only.getValue();
        switch ((String) only.getKey()) {
            case "i":
                return new BigInteger((String) body, 16);
            case "f":
                return body.equals("nan") ? Double.NaN
                        : body.equals("inf") ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY;
            case "t":
                return body;
            case "m": {
                Pairs pairs = new Pairs();
                for (Map.Entry<?, ?> pair : ((Map<?, ?>) body).entrySet()) {
                    pairs.add(new AbstractMap.SimpleEntry<>(pair.getKey(), pair.getValue()));
                }
                return pairs;
            }
            case "d": {
                Pairs pairs = new Pairs();
                for (Object pair : (List<?>) body) {
                    List<?> two = (List<?>) pair;
                    pairs.add(new AbstractMap.SimpleEntry<>(two.get(0), two.get(1)));
                }
                return pairs;
            }
            default:
                throw new Unfit("Java has no value for it");
        }
    }

    /** The value of a tree as a parameter wants it. */
    static Object as(Object given, Type type) throws Unfit {
        Object tree = untagged(given);
        if (type instanceof WildcardType) {
            return as(given, ((WildcardType) type).getUpperBounds()[0]);
        }
        if (type instanceof GenericArrayType) {
            return array(tree, ((GenericArrayType) type).getGenericComponentType());
        }
        if (type instanceof ParameterizedType) {
            ParameterizedType full = (ParameterizedType) type;
            return generic(tree, (Class<?>) full.getRawType(), full.getActualTypeArguments());
        }
        if (!(type instanceof Class) || type == Object.class) {
            return natural(given);
        }
        Class<?> kind = (Class<?>) type;
        if (kind.isArray()) {
            return array(tree, kind.getComponentType());
        }
        Object scalar = scalar(tree, kind);
        return scalar != null ? scalar : generic(tree, kind, new Type[] {Object.class, Object.class});
    }

    /** None of these is null; what is null here is of another type. */
    private static Object scalar(Object tree, Class<?> kind) throws Unfit {
        if (kind == boolean.class || kind == Boolean.class && tree != null) {
            if (tree instanceof Boolean) {
                return tree;
            }
        } else if (kind == char.class || kind == Character.class && tree != null) {
            if (tree instanceof String && ((String) tree).length() == 1) {
                return ((String) tree).charAt(0);
            }
        } else if (kind == double.class || kind == Double.class && tree != null) {
            if (tree instanceof Number) {
                return ((Number) tree).doubleValue();
            }
        } else if (kind == float.class || kind == Float.class && tree != null) {
            if (tree instanceof Number) {
                return ((Number) tree).floatValue();
            }
        } else if (kind.isPrimitive() || tree != null && Number.class.isAssignableFrom(kind)) {
            return integer(tree, kind);
        } else {
            return tree instanceof String && kind.isAssignableFrom(String.class) ? tree : null;
        }
        throw unfit(tree, kind);
    }

    private static Object integer(Object tree, Class<?> kind) throws Unfit {
        if (kind == BigDecimal.class && tree instanceof Number) {
            return new BigDecimal(tree.toString());
        }
        BigInteger exact;
        if (tree instanceof Double && (Double) tree == Math.rint((Double) tree)
                && !Double.isInfinite((Double) tree)) {
            exact = new BigDecimal((Double) tree).toBigInteger();
        } else if (tree instanceof Long || tree instanceof BigInteger) {
            exact = new BigInteger(tree.toString());
        } else {
            throw unfit(tree, kind);
        }
        int bits = exact.bitLength();
        if (kind == BigInteger.class) {
            return exact;
        } else if ((kind == int.class || kind == Integer.class) && bits < 32) {
            return exact.intValue();
        } else if ((kind == long.class || kind == Long.class) && bits < 64) {
            return exact.longValue();
        } else if ((kind == short.class || kind == Short.class) && bits < 16) {
            return exact.shortValue();
        } else if ((kind == byte.class || kind == Byte.class) && bits < 8) {
            return exact.byteValue();
        } else if (kind == Number.class) {
            return small(exact);
        }
        throw unfit(tree, kind);
    }

    private static Object array(Object tree, Type itemType) throws Unfit {
        if (tree == null) {
            return null;
        }
        if (tree instanceof String && itemType == char.class) {
            return ((String) tree).toCharArray();
        }
        List<?> items = list(tree, "an array");
        Class<?> raw = raw(itemType);
        Object made = Array.newInstance(raw, items.size());
        for (int place = 0; place < items.size(); place++) {
            Array.set(made, place, as(items.get(place), itemType));
        }
        return made;
    }

    private static Class<?> raw(Type type) {
        if (type instanceof Class) {
            return (Class<?>) type;
        }
        if (type instanceof ParameterizedType) {
            return (Class<?>) ((ParameterizedType) type).getRawType();
        }
        if (type instanceof GenericArrayType) {
            Type item = ((GenericArrayType) type).getGenericComponentType();
            return Array.newInstance(raw(item), 0).getClass();
        }
        return Object.class;
    }

    private static Object generic(Object tree, Class<?> kind, Type[] of) throws Unfit {
        if (kind == Optional.class) {
            return tree == null ? Optional.empty() : Optional.of(as(tree, of[0]));
        }
        if (Map.class.isAssignableFrom(kind)) {
            return tree == null ? null : map(tree, kind, of[0], of[1]);
        }
        if (Iterable.class.isAssignableFrom(kind)) {
            return tree == null ? null : collection(list(tree, kind.getSimpleName()), kind, of[0]);
        }
        if (field(kind, "val") != null && field(kind, "next") != null) {
            return linked(list(tree, kind.getSimpleName()), kind);
        }
        if (field(kind, "val") != null && field(kind, "left") != null) {
            return rooted(list(tree, kind.getSimpleName()), kind);
        }
        if (tree == null) {
            return null;
        }
        throw unfit(tree, kind);
    }

    private static List<?> list(Object tree, String what) throws Unfit {
        if (tree == null) {
            return new ArrayList<>();
        }
        if (tree instanceof List && !(tree instanceof Pairs)) {
            return (List<?>) tree;
        }
        throw new Unfit(shown(tree) + " is not " + what);
    }

    private static Object collection(List<?> items, Class<?> kind, Type of) throws Unfit {
        Collection<Object> made = made(kind, List.of(ArrayList.class, LinkedHashSet.class,
                LinkedList.class, TreeSet.class, ArrayDeque.class, PriorityQueue.class,
                Vector.class, Stack.class));
        for (Object item : items) {
            made.add(as(item, of));
        }
        return made;
    }

    private static Object map(Object tree, Class<?> kind, Type key, Type value) throws Unfit {
        if (!(tree instanceof Pairs)) {
            throw unfit(tree, kind);
        }
        Map<Object, Object> made =
                made(kind, List.of(LinkedHashMap.class, TreeMap.class, HashMap.class));
        for (Map.Entry<Object, Object> pair : (Pairs) tree) {
            made.put(key(pair.getKey(), key), as(pair.getValue(), value));
        }
        return made;
    }

    /** JSON's keys are texts, also where the map's are numbers. */
    private static Object key(Object tree, Type type) throws Unfit {
        boolean isNumber = type instanceof Class && Number.class.isAssignableFrom((Class<?>) type);
        if (tree instanceof String && isNumber && ((String) tree).matches("-?\\d{1,18}")) {
            return as(Long.valueOf((String) tree), type);
        }
        return as(tree, type);
    }

    /** A new object of a class, or of the first of some that is one of these. */
    @SuppressWarnings("unchecked")
    private static <T> T made(Class<?> kind, List<Class<?>> known) throws Unfit {
        try {
            if (!kind.isInterface() && !java.lang.reflect.Modifier.isAbstract(kind.getModifiers())) {
                return (T) kind.getDeclaredConstructor().newInstance();
            }
            for (Class<?> one : known) {
                if (kind.isAssignableFrom(one)) {
                    return (T) one.getDeclaredConstructor().newInstance();
                }
            }
        } catch (ReflectiveOperationException error) {
            // Said below, as of any class of which nothing can be made.
        }
        throw new Unfit("no value can be made for the type " + kind.getName());
    }

    // --- nodes -----------------------------------------------------------------------------------

    static Field field(Class<?> kind, String name) {
        try {
            Field found = kind.getDeclaredField(name);
            found.setAccessible(true);
            return found;
        } catch (NoSuchFieldException error) {
            return null;
        }
    }

    private static Object node(Class<?> kind, Object tree) throws Unfit {
        Field field = field(kind, "val");
        Object value = as(tree, field.getGenericType());
        try {
            for (Constructor<?> one : kind.getDeclaredConstructors()) {
                one.setAccessible(true);
                if (one.getParameterCount() == 1) {
                    return one.newInstance(value);
                }
            }
            Constructor<?> empty = kind.getDeclaredConstructor();
            empty.setAccessible(true);
            Object made = empty.newInstance();
            field.set(made, value);
            return made;
        } catch (ReflectiveOperationException error) {
            throw new Unfit("no " + kind.getName() + " can be made: " + error.getMessage());
        }
    }

    private static Object linked(List<?> values, Class<?> kind) throws Unfit {
        Object head = null;
        try {
            for (int place = values.size() - 1; place >= 0; place--) {
                Object made = node(kind, values.get(place));
                field(kind, "next").set(made, head);
                head = made;
            }
        } catch (IllegalAccessException error) {
            throw new Unfit(error.getMessage());
        }
        return head;
    }

    private static Object rooted(List<?> values, Class<?> kind) throws Unfit {
        if (values.isEmpty() || values.get(0) == null) {
            return null;
        }
        List<Object> nodes = new ArrayList<>();
        nodes.add(node(kind, values.get(0)));
        try {
            for (int place = 1; place < values.size(); place++) {
                int above = (place - 1) / 2;
                if (above >= nodes.size()) {
                    throw new Unfit("a tree with values below no node");
                }
                if (values.get(place) != null) {
                    Object made = node(kind, values.get(place));
                    field(kind, place % 2 == 1 ? "left" : "right").set(nodes.get(above), made);
                    nodes.add(made);
                }
            }
        } catch (IllegalAccessException error) {
            throw new Unfit(error.getMessage());
        }
        return nodes.get(0);
    }

    private static Unfit unfit(Object tree, Class<?> kind) {
        return new Unfit(shown(tree) + " is no " + kind.getSimpleName());
    }

    private static String shown(Object tree) {
        String words = String.valueOf(tree);
        return words.length() > 60 ? words.substring(0, 60) + "..." : words;
    }
}
