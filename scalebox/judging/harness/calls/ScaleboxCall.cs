// Inside the sandbox: call the submission's method, and write what each call returns.
//
// The lines of standard input and the records on descriptor 5 are those of the harness for Python
// (harness/call.py), and values are written as in harness/common.py.  The parameters' types are found
// by reflection, and so is the method: in Solution, else in any class of the submission.

using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

static class ScaleboxCall {
    const int Loading = -1;
    const BindingFlags Any = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance
        | BindingFlags.Static | BindingFlags.DeclaredOnly;

    // The library opens no descriptor that this process was given.
    [DllImport("libc", EntryPoint = "write")]
    static extern IntPtr WriteTo(int descriptor, byte[] content, IntPtr length);

    static void Record(long index, string kind, string text) {
        byte[] line = Encoding.ASCII.GetBytes(
            "{\"i\":" + index + ",\"" + kind + "\":" + text + "}\n");
        while (line.Length > 0) {
            int count = (int)WriteTo(5, line, (IntPtr)line.Length);
            if (count <= 0) {
                Environment.Exit(1);
            }
            byte[] rest = new byte[line.Length - count];
            Array.Copy(line, count, rest, 0, rest.Length);
            line = rest;
        }
    }

    static MethodInfo Find(string name, int count) {
        var types = new List<Type>();
        foreach (Type type in Assembly.GetExecutingAssembly().GetTypes()) {
            if (!type.FullName.StartsWith("ScaleboxCall")) {
                types.Insert(type.Name == "Solution" ? 0 : types.Count, type);
            }
        }
        MethodInfo other = null;
        foreach (Type type in types) {
            foreach (MethodInfo method in type.GetMethods(Any)) {
                if (method.Name != name) {
                    continue;
                }
                if (method.GetParameters().Length == count && !method.ContainsGenericParameters) {
                    return method;
                }
                other = method;
            }
        }
        if (other != null) {
            throw new MissingMethodException(name + " takes " + other.GetParameters().Length
                + " arguments, not " + count + ", or is generic");
        }
        throw new MissingMethodException(
            "the submission defines no class Solution, and no other, with a method " + name);
    }

    static string Describe(Exception error) {
        string words = error.GetType().FullName + ": " + error.Message;
        return ScaleboxCallWriter.Quoted(words.Length > 300 ? words.Substring(0, 300) : words);
    }

    static void Call(MethodInfo method, long index, List<object> given) {
        object value;
        try {
            ParameterInfo[] parameters = method.GetParameters();
            var args = new object[given.Count];
            for (int at = 0; at < args.Length; at++) {
                args[at] = ScaleboxCallReader.As(given[at], parameters[at].ParameterType);
            }
            // A new object for each call: one must not prepare the next.
            object target = method.IsStatic ? null
                : Activator.CreateInstance(method.DeclaringType, true);
            value = method.Invoke(target, args);
        } catch (TargetInvocationException error) {
            Record(index, "e", Describe(error.InnerException ?? error));
            return;
        } catch (Exception error) {
            Record(index, "e", Describe(error));
            return;
        }
        string text;
        try {
            text = ScaleboxCallWriter.Text(value, method.ReturnType);
        } catch (ScaleboxCallWriter.Unserialisable error) {
            Record(index, "u", ScaleboxCallWriter.Quoted(error.Message));
            return;
        } catch (Exception error) {
            Record(index, "u", Describe(error));
            return;
        }
        Record(index, "v", text);
    }

    static void Main() {
        string[] lines = new StreamReader(Console.OpenStandardInput(), Encoding.ASCII).ReadToEnd()
            .Split(new[] {'\n'}, StringSplitOptions.RemoveEmptyEntries);
        var header = (Dictionary<string, object>)ScaleboxCallReader.Parse(lines[0]);
        var given = new List<List<object>>();
        for (int at = 1; at < lines.Length; at++) {
            given.Add((List<object>)ScaleboxCallReader.Parse(lines[at]));
        }
        try {
            int count = given.Count == 0 ? 0 : ((List<object>)given[0][1]).Count;
            MethodInfo method = Find((string)header["function"], count);
            System.Runtime.CompilerServices.RuntimeHelpers.RunClassConstructor(
                method.DeclaringType.TypeHandle);
            Record(Loading, "v", "null");
            foreach (List<object> one in given) {
                Call(method, (long)one[0], (List<object>)one[1]);
            }
        } catch (TypeInitializationException error) {
            Record(Loading, "e", Describe(error.InnerException ?? error));
        } catch (MissingMethodException error) {
            Record(Loading, "e", ScaleboxCallWriter.Quoted(error.Message));
        }
        Console.Out.Flush();
        // Threads that the submission left running have no say any more.
        Environment.Exit(0);
    }
}
