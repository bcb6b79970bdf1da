import java.io.{FileDescriptor, FileInputStream, FileOutputStream}
import java.lang.reflect.InvocationTargetException

/** As `ScaleboxEnd.java`: calls the `main` of a test program, and says that it returned. */
object ScaleboxEnd {
  private val Nonce = 32
  private val Channel = 5

  def main(args: Array[String]): Unit = {
    val tests = Class.forName(args(0)).getMethod("main", classOf[Array[String]])
    try tests.invoke(null, Array.empty[String])
    catch { case error: InvocationTargetException => throw error.getCause }
    val nonce = new String(new FileInputStream(FileDescriptor.in).readNBytes(Nonce))
    val channel = classOf[FileDescriptor].getDeclaredConstructor(classOf[Int])
    channel.setAccessible(true)
    val record = "{\"nonce\": \"" + nonce + "\", \"state\": \"passed\"}\n"
    new FileOutputStream(channel.newInstance(Int.box(Channel))).write(record.getBytes)
  }
}
