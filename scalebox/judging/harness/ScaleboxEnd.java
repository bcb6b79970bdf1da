import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.lang.reflect.InvocationTargetException;

/**
 * Calls the `main` of a test program made of asserts, and says that it returned.
 *
 * <p>A submission that exits leaves no record, nor does one that throws.  The nonce is read when
 * there is something to say, and no sooner.  See {@code completion.c}, which does the same for C.
 */
final class ScaleboxEnd {
    private static final int NONCE = 32;
    private static final int CHANNEL = 5;

    public static void main(String[] args) throws Throwable {
        var tests = Class.forName(args[0]).getDeclaredMethod("main", String[].class);
        tests.setAccessible(true);
        try {
            tests.invoke(null, (Object) new String[0]);
        } catch (InvocationTargetException error) {
            throw error.getCause();
        }
        var nonce = new String(new FileInputStream(FileDescriptor.in).readNBytes(NONCE));
        var channel = FileDescriptor.class.getDeclaredConstructor(int.class);
        channel.setAccessible(true);
        var record = "{\"nonce\": \"" + nonce + "\", \"state\": \"passed\"}\n";
        new FileOutputStream(channel.newInstance(CHANNEL)).write(record.getBytes());
    }
}
