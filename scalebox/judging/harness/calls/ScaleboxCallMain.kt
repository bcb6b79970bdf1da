// Inside the sandbox: start the harness (`ScaleboxCall.java`), which lies beside the program as classes.

import java.io.File
import java.lang.reflect.InvocationTargetException
import java.net.URLClassLoader

fun main() {
    val here = arrayOf(File("./").toURI().toURL())
    val harness = URLClassLoader(here, Thread.currentThread().contextClassLoader).loadClass("ScaleboxCall")
    try {
        harness.getMethod("main", Array<String>::class.java).invoke(null, arrayOf<String>())
    } catch (error: InvocationTargetException) {
        throw error.cause ?: error
    }
}
