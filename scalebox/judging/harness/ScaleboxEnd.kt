import java.io.FileDescriptor
import java.io.FileInputStream
import java.io.FileOutputStream
import java.lang.reflect.InvocationTargetException

/** As `ScaleboxEnd.java`: calls the `main` of a test program, and says that it returned. */
object ScaleboxEnd {
    private const val NONCE = 32
    private const val CHANNEL = 5

    @JvmStatic
    fun main(args: Array<String>) {
        val tests = Class.forName(args[0]).getDeclaredMethod("main", Array<String>::class.java)
        tests.isAccessible = true
        try {
            tests.invoke(null, arrayOf<String>())
        } catch (error: InvocationTargetException) {
            throw error.targetException
        }
        val nonce = String(FileInputStream(FileDescriptor.`in`).readNBytes(NONCE))
        val channel = FileDescriptor::class.java.getDeclaredConstructor(Int::class.javaPrimitiveType)
        channel.isAccessible = true
        val record = "{\"nonce\": \"$nonce\", \"state\": \"passed\"}\n"
        FileOutputStream(channel.newInstance(CHANNEL)).write(record.toByteArray())
    }
}
