using System;
using System.Diagnostics;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

/// <summary>
/// Calls the `Main` of a test program made of asserts, and says that it returned.
/// A submission that exits leaves no record, nor does one that throws.  The nonce is read when there
/// is something to say, and no sooner.  See completion.c, which does the same for C.
/// </summary>
static class ScaleboxEnd
{
    const int Nonce = 32;
    const int Channel = 5;
    const int CodeOfAbort = 134;

    /// <summary>What `Debug.Assert` tells when it fails; by itself it would go on.</summary>
    sealed class Listener : TraceListener
    {
        public override void Write(string text) { }

        public override void WriteLine(string text) { }

        public override void Fail(string text) { Fail(text, ""); }

        public override void Fail(string text, string detail)
        {
            Console.Error.WriteLine("Debug.Assert failed: " + text + " " + detail + new StackTrace(true));
            Environment.Exit(CodeOfAbort);
        }
    }

    static int Main()
    {
        Debug.Listeners.Clear();
        Debug.Listeners.Add(new Listener());
        var any = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        // A second one would be the submission's, and nobody could say which of them is the tests'.
        var tests = Assembly.GetExecutingAssembly().GetTypes().Where(type => type != typeof(ScaleboxEnd))
            .SelectMany(type => type.GetMethods(any)).Single(method => method.Name == "Main");
        var takes = tests.GetParameters().Length == 0 ? null : new object[] { new string[0] };
        object returned;
        try
        {
            returned = tests.Invoke(null, takes);
        }
        catch (TargetInvocationException error)
        {
            Console.Error.WriteLine("Unhandled exception: " + error.InnerException);
            return 1;
        }
        if (returned is int && (int)returned != 0)
            return (int)returned;
        Say();
        return 0;
    }

    [DllImport("libc")]
    static extern IntPtr write(int descriptor, byte[] bytes, UIntPtr count);

    static void Say()
    {
        var nonce = new byte[Nonce];
        var input = Console.OpenStandardInput();
        for (int have = 0, got = 1; have < Nonce && got > 0; have += got)
            got = input.Read(nonce, have, Nonce - have);
        var record = "{\"nonce\": \"" + Encoding.ASCII.GetString(nonce) + "\", \"state\": \"passed\"}\n";
        var bytes = Encoding.ASCII.GetBytes(record);
        // Mono's streams know only what Mono has opened.
        write(Channel, bytes, (UIntPtr)bytes.Length);
    }
}
