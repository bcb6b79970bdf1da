// Inside the sandbox: call the submission's method, and write what each call returns.
//
// The lines of standard input and the records on descriptor 5 are those of the harness for Python
// (`harness/call.py`), and values are written as in `harness/common.py`.  The parameters' types are
// found by reflection, and so is the method: in `Solution`, else in any class of the submission.

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

public final class ScaleboxCall {
    private static final int LOADING = -1;

    private final FileOutputStream channel;

    private ScaleboxCall() throws Exception {
        channel = new FileOutputStream(descriptor(5));
    }

    /** A descriptor that this process was given; the library has no way to name one. */
    private static FileDescriptor descriptor(int number) throws Exception {
        FileDescriptor made = new FileDescriptor();
        Class<?> kind = Class.forName("sun.misc.Unsafe");
        Field only = kind.getDeclaredField("theUnsafe");
        only.setAccessible(true);
        Object unsafe = only.get(null);
        Field field = FileDescriptor.class.getDeclaredField("fd");
        Object offset = kind.getMethod("objectFieldOffset", Field.class).invoke(unsafe, field);
        kind.getMethod("putInt", Object.class, long.class, int.class)
                .invoke(unsafe, made, offset, number);
        return made;
    }

    private void record(int index, String kind, String text) throws IOException {
        String line = "{\"i\":" + index + ",\"" + kind + "\":" + text + "}\n";
        channel.write(line.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** The method to call; a static one needs no object. */
    private static Method find(String name, int count) throws Exception {
        List<Class<?>> classes = new ArrayList<>();
        collect(new File("."), "", classes);
        File archive = new File(System.getProperty("java.class.path"));
        if (archive.isFile()) {
            collect(archive, classes);
        }
        Method otherCount = null;
        for (Class<?> kind : classes) {
            for (Method method : kind.getDeclaredMethods()) {
                if (!method.getName().equals(name) || method.isBridge() || method.isSynthetic()) {
                    continue;
                }
                if (method.getParameterCount() == count) {
                    method.setAccessible(true);
                    return method;
                }
                otherCount = method;
            }
        }
        if (otherCount != null) {
            throw new NoSuchMethodException(
                    name + " takes " + otherCount.getParameterCount() + " arguments, not " + count);
        }
        throw new NoSuchMethodException(
                "the submission defines no class Solution, and no other, with a method " + name);
    }

    /** The submission's classes, Solution first. */
    private static void collect(File folder, String prefix, List<Class<?>> found) throws Exception {
        File[] files = folder.listFiles();
        if (files == null) {
            return;
        }
        Arrays.sort(files);
        for (File file : files) {
            String name = file.getName();
            if (file.isDirectory()) {
                collect(file, prefix + name + ".", found);
            } else if (name.endsWith(".class") && !name.startsWith("ScaleboxCall")) {
                add(prefix + name, found);
            }
        }
    }

    private static void collect(File archive, List<Class<?>> found) throws Exception {
        try (JarFile opened = new JarFile(archive)) {
            for (JarEntry entry : Collections.list(opened.entries())) {
                String name = entry.getName();
                boolean isOwn = !name.startsWith("ScaleboxCall") && !name.startsWith("META-INF");
                if (isOwn && name.endsWith(".class")) {
                    add(name.replace('/', '.'), found);
                }
            }
        }
    }

    private static void add(String file, List<Class<?>> found) throws Exception {
        String unit = file.substring(0, file.length() - ".class".length());
        Class<?> kind = Class.forName(unit, false, ScaleboxCall.class.getClassLoader());
        found.add(kind.getSimpleName().equals("Solution") ? 0 : found.size(), kind);
    }

    private static String describe(Throwable error) {
        String words = error.getClass().getName();
        try {
            if (error.getMessage() != null) {
                words += ": " + error.getMessage();
            }
        } catch (Throwable another) {
            words += " (its message cannot be had)";
        }
        for (StackTraceElement place : error.getStackTrace()) {
            String file = place.getFileName();
            String unit = place.getClassName();
            boolean own = !unit.startsWith("ScaleboxCall") && !unit.startsWith("java.")
                    && !unit.startsWith("jdk.") && !unit.startsWith("sun.")
                    && !unit.startsWith("kotlin.");
            if (own && place.getLineNumber() > 0) {
                words = words.substring(0, Math.min(words.length(), 300));
                return words + " (" + file + ", line " + place.getLineNumber() + ")";
            }
        }
        return words.substring(0, Math.min(words.length(), 300));
    }

    private void call(Method method, int index, List<?> given) throws IOException {
        Object value;
        try {
            Type[] types = method.getGenericParameterTypes();
            Object[] args = new Object[given.size()];
            for (int at = 0; at < args.length; at++) {
                try {
                    args[at] = ScaleboxCallReader.as(given.get(at), types[at]);
                } catch (ScaleboxCallReader.Unfit error) {
                    String where = "argument " + (at + 1) + " of " + method.getName() + ": ";
                    record(index, "e", ScaleboxCallWriter.quoted(where + error.getMessage()));
                    return;
                }
            }
            value = method.invoke(fresh(method), args);
        } catch (InvocationTargetException error) {
            record(index, "e", ScaleboxCallWriter.quoted(describe(error.getCause())));
            return;
        } catch (Throwable error) {
            record(index, "e", ScaleboxCallWriter.quoted(describe(error)));
            return;
        }
        String text;
        try {
            text = ScaleboxCallWriter.text(value, method.getReturnType());
        } catch (ScaleboxCallWriter.Unserialisable error) {
            record(index, "u", ScaleboxCallWriter.quoted(error.getMessage()));
            return;
        } catch (Throwable error) {
            record(index, "u", ScaleboxCallWriter.quoted(describe(error)));
            return;
        }
        record(index, "v", text);
    }

    /** A new object for each call: one must not prepare the next. */
    private static Object fresh(Method method) throws Exception {
        if (Modifier.isStatic(method.getModifiers())) {
            return null;
        }
        try {
            Field single = method.getDeclaringClass().getDeclaredField("INSTANCE");
            if (Modifier.isStatic(single.getModifiers())) {
                return single.get(null);
            }
        } catch (NoSuchFieldException error) {
            // An ordinary class; Kotlin's objects have such a field.
        }
        Constructor<?> made = method.getDeclaringClass().getDeclaredConstructor();
        made.setAccessible(true);
        return made.newInstance();
    }

    private static byte[] readAll() throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] part = new byte[1 << 16];
        for (int count; (count = System.in.read(part)) > 0; ) {
            all.write(part, 0, count);
        }
        return all.toByteArray();
    }

    public static void main(String[] args) throws Exception {
        ScaleboxCall calls = new ScaleboxCall();
        String[] lines = new String(readAll(), StandardCharsets.ISO_8859_1).split("\n");
        String name = (String) ((Map<?, ?>) ScaleboxCallReader.parse(lines[0])).get("function");
        List<List<?>> given = new ArrayList<>();
        for (int at = 1; at < lines.length; at++) {
            given.add((List<?>) ScaleboxCallReader.parse(lines[at]));
        }
        Method method = null;
        try {
            int count = given.isEmpty() ? 0 : ((List<?>) given.get(0).get(1)).size();
            method = find(name, count);
            Class.forName(
                    method.getDeclaringClass().getName(), true, ScaleboxCall.class.getClassLoader());
        } catch (ExceptionInInitializerError error) {
            Throwable cause = error.getCause() == null ? error : error.getCause();
            calls.record(LOADING, "e", ScaleboxCallWriter.quoted(describe(cause)));
            Runtime.getRuntime().halt(0);
        } catch (NoSuchMethodException error) {
            calls.record(LOADING, "e", ScaleboxCallWriter.quoted(error.getMessage()));
            Runtime.getRuntime().halt(0);
        } catch (Throwable error) {
            calls.record(LOADING, "e", ScaleboxCallWriter.quoted(describe(error)));
            Runtime.getRuntime().halt(0);
        }
        calls.record(LOADING, "v", "null");
        for (List<?> one : given) {
            calls.call(method, ((Long) one.get(0)).intValue(), (List<?>) one.get(1));
        }
        System.out.flush();
        System.err.flush();
        // Threads that the submission left running have no say any more.
        Runtime.getRuntime().halt(0);
    }
}
