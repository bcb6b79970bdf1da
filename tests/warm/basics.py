"""Short probes of what a program can see of the interpreter that runs it."""

from __future__ import annotations

BASICS = {
    "main": "print(__name__, __doc__, __package__, __spec__, __cached__)",
    "argv": "import sys; print(sys.argv, sys.flags.interactive, bool(sys.stdin.isatty()))",
    "file": "import os; print(os.path.basename(__file__), os.path.isfile(__file__))",
    "globals": "print(sorted(globals()))",
    "main_module": "import sys; print(sys.modules['__main__'].__dict__ is globals())",
    "input": "while True:\n try:\n  print(input('? '))\n except EOFError:\n  break",
    "stdin_bytes": "import sys; print(sys.stdin.buffer.read())",
    "stdin_lines": "import sys\nfor line in sys.stdin: print(repr(line))",
    "open_stdin": "print(open('/dev/stdin').read())",
    "open_0": "print(open(0).read())",
    "fileno": "import sys; print(sys.stdin.fileno(), sys.stdout.fileno(), sys.stderr.fileno())",
    "encoding": "import sys; print(sys.stdout.encoding, sys.stdout.errors, sys.stdin.encoding)",
    "unicode": "print('ß→😀', len('ß→😀'))",
    "exit_int": "import sys; sys.exit(7)",
    "exit_text": "import sys; sys.exit('words for stderr')",
    "exit_none": "raise SystemExit",
    "exit_large": "import sys; sys.exit(256 + 3)",
    "exit_negative": "import sys; sys.exit(-1)",
    "exit_bool": "import sys; sys.exit(True)",
    "os_exit": "import os; print('lost'); os._exit(3)",
    "quit": "quit(4)",
    "traceback": "def f(n):\n    return 1 // n\nf(0)",
    "chained": "try:\n    {}['x']\nexcept KeyError as e:\n    raise ValueError('y') from e",
    "group": "raise ExceptionGroup('g', [ValueError(1), TypeError(2)])",
    "syntax": "print('never')\ndef f(:",
    "recursion": "def f(): f()\ntry:\n    f()\nexcept RecursionError as e:\n    print(e)",
    "recursion_limit": "import sys; print(sys.getrecursionlimit())",
    "excepthook": "import sys\nsys.excepthook = lambda *a: print('hooked', a[0].__name__)\n1/0",
    "bad_hook": "import sys\ndef h(*a): raise KeyError('k')\nsys.excepthook = h\n1/0",
    "atexit": "import atexit\natexit.register(print, 'a')\natexit.register(print, 'b')\nprint('c')",
    "atexit_error": "import atexit\natexit.register(lambda: 1/0)\nprint('c')",
    "unflushed": "import sys; sys.stdout.write('no newline'); sys.stderr.write('err')",
    "unclosed_file": "f = open('x', 'w'); f.write('kept')\nimport atexit, os\n",
    "del": "class A:\n    def __del__(self): print('gone')\na = A()\nprint('end')",
    "del_cycle": "class A:\n    def __del__(self): print('gone')\na = A(); a.me = a\nprint('end')",
    "generator": "def g():\n    try:\n        yield 1\n    finally:\n        print('closed')\n"
    "x = g(); next(x)",
    "weakref": "import weakref\nclass A: pass\na = A()\nweakref.finalize(a, print, 'final')",
    "thread": "import threading, time\n"
    "threading.Thread(target=lambda: (time.sleep(0.1), print('t'))).start()\nprint('m')",
    "daemon_thread": "import threading, time\n"
    "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\nprint('m')",
    "thread_error": "import threading\nt = threading.Thread(target=lambda: 1/0, name='T')\n"
    "t.start(); t.join(); print('after')",
    "executor": "from concurrent.futures import ThreadPoolExecutor\n"
    "with ThreadPoolExecutor(2) as e: print(list(e.map(abs, [-1, 2])))",
    "asyncio": "import asyncio\nasync def m():\n    await asyncio.sleep(0)\n    print('done')\n"
    "asyncio.run(m())",
    "subprocess": "import subprocess, sys\n"
    "print(subprocess.run([sys.executable, '-c', 'print(6*7)'], capture_output=True).stdout)",
    "fork": "import os\nif os.fork() == 0:\n    print('child', flush=True); os._exit(0)\n"
    "os.wait(); print('parent')",
    "signal_default": "import signal; print(signal.getsignal(signal.SIGINT).__name__, "
    "signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGPIPE))",
    "sigint": "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\n"
    "    import time; time.sleep(5)\nexcept KeyboardInterrupt:\n    print('caught')",
    "alarm": "import signal, time\nsignal.signal(signal.SIGALRM, lambda *a: print('alarm'))\n"
    "signal.setitimer(signal.ITIMER_REAL, 0.05); time.sleep(0.2)",
    "hash": "print(hash('x') == hash('x'), hash('scalebox'), {'a', 'b', 'c', 'd'})",
    "dataclass": "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\nprint(P(1))",
    "pickle": "import pickle\nclass P: x = 1\nprint(type(pickle.loads(pickle.dumps(P()))) is P)",
    "inspect": "import inspect\ndef f(): return 1\nprint(inspect.getsource(f))",
    "annotations": "x: int = 1\nprint(__annotations__)",
    "future": "from __future__ import annotations\ndef f(x: Y): pass\nprint(f.__annotations__)",
    "import_self": "import solution\nprint(solution.__name__)",
    "sys_path": "import sys, os; print(sys.path[0] == os.getcwd())",
    "decimal": "from decimal import *; getcontext().prec = 50; print(Decimal(1) / 7)",
    "gc": "import gc; print(gc.isenabled(), gc.get_threshold())",
    "warnings": "import warnings; warnings.warn('careful')",
    "closed_stdout": "import sys; print('x'); sys.stdout.close()",
    "replaced_stdout": (
        "import io, sys\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer)\nprint('w')"
    ),
    "exec_locals": "exec('y = 5'); print(y)",
    "encoding_cookie": "# -*- coding: latin-1 -*-\nprint('plain')",
    "bom": "\ufeffprint('bom')",
    "crlf": "x = 1\r\nif x:\r\n    print('crlf')\r\n",
    "empty": "",
    "walrus": "print((n := 10) + n)",
    "large_int": "try:\n    print(len(str(10 ** 5000)))\nexcept ValueError as e:\n    print(e)",
    "umask": "import os; m = os.umask(0); print(oct(m))",
    "kill_self": "import os; os.kill(os.getpid(), 15)",
    "modules_absent": "import sys; print([m for m in sys.modules if 'zygote' in m])",
    "fds": "import os; print(sorted(int(n) for n in os.listdir('/proc/self/fd'))[:3])",
}
