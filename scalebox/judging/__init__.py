"""Is this output right?  Comparison, and the harnesses for calls and asserts.

This room answers for everything between "the program ran" and a verdict about one case: it compares
outputs with answers (`compare`), prepares the runs that call a submission's function (`call`) or
execute a test program against it (`asserts`), and reads what those runs wrote.  It starts nothing
and schedules nothing: the engine runs programs and asks here what their results mean.  Whatever
comes out of a sandbox is treated as hostile: every reader is bounded in time, memory and depth.

`harness/` holds the scripts that run inside the sandbox: standard library only, Python >= 3.8; in
`harness/calls/` are those of other languages, which `callers` makes one program with a submission.
`testlib/` holds the headers that judges in C++ are compiled with.
"""
