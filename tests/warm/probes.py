"""Probes of rarer things: each a few lines that say what they see."""

from __future__ import annotations

#: Source by name; each is run with the same three lines of standard input.
PROBES = {
    # --- what is left to the interpreter when an exception is not caught
    "traceback_of_a_lambda": "f = lambda: [][1]\nf()",
    "traceback_in_a_class_body": "class A:\n    x = 1 / 0",
    "traceback_through_a_comprehension": "print([1 // (x - 2) for x in range(5)])",
    "traceback_through_a_generator": "def g():\n    yield 1\n    raise KeyError('k')\nlist(g())",
    "traceback_from_exec": "exec('1/0')",
    "traceback_from_compiled_text": "exec(compile('\\n\\n1/0', 'made up', 'exec'))",
    "traceback_with_cause_none": "try:\n    1/0\nexcept Exception:\n    raise ValueError from None",
    "traceback_of_deep_recursion": "def f(n):\n    return f(n + 1)\nf(0)",
    "traceback_with_notes": "e = ValueError('v')\ne.add_note('more')\nraise e",
    "traceback_with_long_lines": "x = 1; y = 0; z = (x +\n     x // y)\n",
    "traceback_of_unicode": "ключ = {}\nключ['ß→😀']",
    "traceback_of_surrogates": "raise ValueError('\\udc80')",
    "error_without_text": "raise Exception",
    "error_whose_text_fails": "class E(Exception):\n    def __str__(self): return 1 / 0\nraise E()",
    "error_that_is_no_exception": "raise 'text'",
    "base_exception": "class Stop(BaseException): pass\nraise Stop('now')",
    "keyboard_interrupt": "raise KeyboardInterrupt",
    "exit_in_a_function": "def f():\n    exit('words')\nf()",
    "exit_tuple": "raise SystemExit((1, 2))",
    "exit_float": "raise SystemExit(2.5)",
    "exit_huge": "raise SystemExit(1 << 80)",
    "exit_with_pending_output": "import sys; sys.stdout.write('x' * 100); sys.exit(3)",
    "exit_in_finally": "import sys\ntry:\n    1/0\nfinally:\n    sys.exit(5)",
    "exit_in_atexit": "import atexit, sys\natexit.register(sys.exit, 9)\nprint('x')",
    "exit_in_thread": "import threading, sys\nt = threading.Thread(target=sys.exit, args=(4,))\n"
    "t.start(); t.join(); print('on')",
    "syntax_indent": "if 1:\nprint(2)",
    "syntax_tab": "if 1:\n        x = 1\n\ty = 2\n",
    "syntax_unclosed": "print((1,\n2\n",
    "syntax_nul": "print(1)\x00print(2)",
    "syntax_return": "return 1",
    "syntax_nonlocal": "nonlocal x",
    "syntax_future": "x = 1\nfrom __future__ import annotations",
    "syntax_warning": "x = 1\nif x is 1:\n    print('is')",
    "escape_warning": "print('\\d')",
    "assertion": "assert 1 == 2, 'not so'",
    "debug_constant": "import sys; print(__debug__, sys.flags.optimize)",
    "flags": "import sys; print(sys.flags)",
    "unraisable_in_del": "class A:\n    def __del__(self): raise ValueError('in del')\n"
    "a = A()\ndel a\nprint('after')",
    "unraisable_hook": "import sys\nsys.unraisablehook = lambda u: print('hook', u.exc_value)\n"
    "class A:\n    def __del__(self): raise ValueError('v')\nA()",
    "thread_hook": "import threading\nthreading.excepthook = lambda a: print('hook', a.exc_value)\n"
    "t = threading.Thread(target=lambda: 1/0); t.start(); t.join()",
    "last_exception": "import atexit, sys\n"
    "atexit.register(lambda: print(sys.last_type.__name__, sys.last_value))\n1/0",
    "display_hook": "import sys; sys.displayhook(5); print(sys.displayhook is sys.__displayhook__)",
    # --- standard streams
    "stream_objects": "import sys; print(type(sys.stdin), sys.stdin.name, sys.stdout.name, "
    "sys.stdin.mode, sys.stdout.mode, sys.__stdout__ is sys.stdout)",
    "stream_buffering": "import sys; print(sys.stdout.line_buffering, sys.stdout.write_through, "
    "sys.stderr.line_buffering, sys.stdout.buffer.raw.closefd)",
    "stream_newlines": "import sys; print(repr(sys.stdin.newlines)); sys.stdin.read(); "
    "print(repr(sys.stdin.newlines))",
    "stdin_read_parts": "import sys; print(repr(sys.stdin.read(3)), repr(sys.stdin.readline()), "
    "sys.stdin.readlines())",
    "stdin_buffer_parts": "import sys; b = sys.stdin.buffer; print(b.peek(4)[:4], b.read1(5), "
    "b.readline(), b.read(), b.read())",
    "stdin_mixed": "import sys; print(sys.stdin.readline(), sys.stdin.buffer.read())",
    "stdin_seek": "import sys; sys.stdin.read(); sys.stdin.seek(0); print(sys.stdin.read())",
    "stdin_tell": "import sys; sys.stdin.readline(); print(sys.stdin.tell())",
    "stdin_stat": "import os, stat; print(stat.S_ISREG(os.fstat(0).st_mode), os.fstat(0).st_size)",
    "stdin_os_read": "import os; print(os.read(0, 5), os.read(0, 100), os.read(0, 1))",
    "stdin_mmap": "import mmap; print(mmap.mmap(0, 0, prot=mmap.PROT_READ)[:5])",
    "stdin_write": "import os\ntry:\n    os.write(0, b'x')\nexcept OSError as e: print(e.errno)",
    "stdin_select": "import select; print(select.select([0], [], [], 0)[0])",
    "fileinput": "import fileinput\nfor line in fileinput.input(): print(line, end='')",
    "input_prompt": "print(input('first? '), input('second? '))",
    "input_at_end": "while True: input()",
    "input_after_close": "import sys; sys.stdin.close(); input()",
    "input_replaced": "import io, sys; sys.stdin = io.StringIO('a\\nb'); print(input(), input())",
    "input_map": "print(list(map(len, open(0))))",
    "undecodable_input": "import sys; sys.stdin.reconfigure(encoding='ascii')\nprint(sys.stdin.read())",
    "reconfigured": "import sys; sys.stdout.reconfigure(encoding='latin-1', newline='\\r\\n')\n"
    "print('ß')\nprint('x')",
    "unencodable_output": "print('\\udc80')",
    "output_order": "import os, sys\nprint('a')\nos.write(1, b'b\\n')\nprint('c', flush=True)\n"
    "os.write(1, b'd\\n')",
    "output_both": "import sys\nfor i in range(3):\n    print(i); print(-i, file=sys.stderr)",
    "output_large": "print('x' * 300000)",
    "output_many_lines": "for i in range(20000): print(i)",
    "output_bytes": "import sys; sys.stdout.buffer.write(bytes(range(256)))",
    "output_through_new_file": "open(1, 'w', closefd=False).write('new\\n'); print('old')",
    "output_dup": "import os; f = os.fdopen(os.dup(1), 'w'); f.write('dup\\n'); f.close(); print('x')",
    "output_redirect": "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as f:"
    "\n    print('in')\nprint(repr(f.getvalue()))",
    "output_none": "import sys; sys.stdout = None; print('lost')",
    "output_closed_then_print": "import sys; sys.stdout.close(); print('x')",
    "output_fd_closed": "import os; print('x'); os.close(1)",
    "errors_fd_closed": "import os; os.close(2); 1/0",
    "stderr_partial": "import sys; sys.stderr.write('part'); print('out')",
    "stderr_replaced": "import io, sys; sys.stderr = io.StringIO(); 1/0",
    "stdout_subclass": "import sys\nclass T:\n    def write(self, s): sys.__stdout__.write(s.upper())\n"
    "    def flush(self): sys.__stdout__.write('[flush]')\nsys.stdout = T()\nprint('t')",
    "stdout_flush_fails": "import sys\nclass T:\n    def write(self, s): pass\n"
    "    def flush(self): raise OSError('no')\nsys.stdout = T()\nprint('t')",
    "stdout_flush_patched": "import sys\nsys.stdout.flush = lambda: print('f', file=sys.stderr)\n",
    "print_to_closed_file": "f = open('x', 'w'); f.close(); print('x', file=f)",
    # --- the module and its surroundings
    "module_of_a_class": "class A: pass\nprint(A, A.__module__, A.__qualname__)",
    "module_repr": "import sys; print(sys.modules['__main__'])",
    "module_loader": "print(type(__loader__).__name__, __loader__.name, __loader__.path[-11:])",
    "module_spec": "print(__spec__)",
    "module_doc": "'The text.'\nprint(__doc__)",
    "module_file": "import sys; print(__file__ == sys.argv[0] or __file__.endswith(sys.argv[0]))",
    "module_dir": "print(dir())",
    "module_del": "del __file__\nprint('__file__' in globals())",
    "builtins_module": "import builtins; print(__builtins__ is builtins)",
    "builtins_count": "import builtins; print(sorted(vars(builtins)))",
    "path": "import sys; print([p for p in sys.path if 'zygote' in p], len(sys.path))",
    "path_hooks": "import sys; print(len(sys.path_hooks), len(sys.meta_path))",
    "importer_cache": "import os, sys; print(os.getcwd() in sys.path_importer_cache)",
    "import_own_module": "open('helper.py', 'w').write('x = 5')\nimport helper\nprint(helper.x)",
    "import_missing": "import no_such_module",
    "import_inspect_main": "import __main__; print(__main__.__name__)",
    "import_many": "import json, csv, sqlite3, decimal, fractions, statistics, datetime, uuid, re\n"
    "import collections.abc, concurrent.futures, html, xml.etree.ElementTree, zlib, hashlib\n"
    "print(json.dumps([1]), hashlib.sha256(b'x').hexdigest())",
    "import_star": "from math import *\nprint(floor(pi))",
    "import_error_inside": "open('bad.py', 'w').write('1/0')\nimport bad",
    "import_reload": "import importlib, string; print(importlib.reload(string) is string)",
    "run_as_module": "import runpy; open('m.py', 'w').write('print(__name__)'); runpy.run_path('m.py')",
    "pkg_resources": "import importlib.metadata as m; print(isinstance(list(m.distributions()), list))",
    "executable": "import os, sys; print(os.path.exists(sys.executable), sys.executable)",
    "prefix": "import sys; print(sys.prefix, sys.base_prefix, sys.exec_prefix, sys.pycache_prefix)",
    "version": "import sys; print(sys.version, sys.implementation, sys.hexversion)",
    "settings": "import sys; print(sys.getswitchinterval(), sys.getfilesystemencoding(), "
    "sys.dont_write_bytecode, sys.byteorder, sys.maxunicode, sys.float_repr_style)",
    "int_digits": "import sys; print(sys.get_int_max_str_digits())\nint('9' * 5000)",
    "environment": "import os; print(sorted(os.environ.items()))",
    "environment_change": "import os, subprocess; os.environ['A'] = 'b'; "
    "print(subprocess.run(['printenv', 'A'], capture_output=True).stdout)",
    "folder": "import os; print(os.listdir(), os.path.basename(os.getcwd()))",
    "source_file": "print(open('solution.py').read() == open(__file__).read())",
    "linecache": "import linecache; print(linecache.getline(__file__, 1))",
    "stack": "import sys, inspect\nprint(len(inspect.stack()), sys._getframe().f_code.co_name)",
    "code_object": "import sys; c = sys._getframe().f_code\nprint(c.co_name, c.co_firstlineno, "
    "c.co_filename[-11:], c.co_flags)",
    "locals_are_globals": "print(locals() is globals())",
    "class_source": "import inspect\nclass A:\n    'doc'\n    x = 1\nprint(inspect.getsource(A))",
    "warn_filters": "import warnings; print(warnings.filters)",
    "deprecation": "import warnings; warnings.warn('old', DeprecationWarning)",
    "resource_warning": "f = open('x', 'w'); del f; print('x')",
    "gc_freeze": "import gc; print(gc.get_freeze_count() >= 0, gc.get_debug(), gc.collect() >= 0)",
    "tracemalloc": "import tracemalloc; print(tracemalloc.is_tracing())",
    "trace_functions": "import sys, threading; print(sys.gettrace(), sys.getprofile())",
    "recursion_own_limit": "import sys\nsys.setrecursionlimit(50000)\n"
    "def f(n): return 0 if n == 0 else 1 + f(n - 1)\nprint(f(40000))",
    "recursion_counts": "def f(n):\n    try:\n        return f(n + 1)\n    except RecursionError:\n"
    "        return n\nprint(f(0))",
    "stack_limit": "import resource; print(resource.getrlimit(resource.RLIMIT_STACK))",
    "limits": "import resource as r; print(r.getrlimit(r.RLIMIT_NOFILE), r.getrlimit(r.RLIMIT_CORE))",
    # --- randomness, hashes, order
    "random_seeded": "import random; random.seed(7); print(random.random(), random.randint(1, 99))",
    "random_objects": "import random; print(random.Random(3).sample(range(100), 5))",
    "random_differs": "import random; print(len({random.random() for _ in range(100)}))",
    "random_by_another_way": "r = __import__('ran' + 'dom'); r.seed(1); print(r.random())",
    "hash_order": "print(list({'one', 'two', 'three', 'four', 'five'}), hash('words'), hash(b'b'))",
    "hash_numbers": "print(hash(1.5), hash(10 ** 30), hash((1, 2)), hash(float('inf')))",
    "set_pop": "s = set('abcdefgh'); print([s.pop() for _ in range(8)])",
    "id_order": "a = object(); b = object(); print(a is not b, id(a) != id(b))",
    # --- threads, processes, signals
    "thread_main": "import threading as t; m = t.main_thread()\nprint(m.name, m.ident == "
    "t.get_ident(), t.active_count(), t.current_thread() is m, m.daemon)",
    "thread_many": "import threading\nseen = []\nts = [threading.Thread(target=seen.append, args=(i,))"
    " for i in range(20)]\n[t.start() for t in ts]\n[t.join() for t in ts]\nprint(sorted(seen))",
    "thread_locals": "import threading\nl = threading.local(); l.x = 1; print(l.x)",
    "thread_at_exit": "import atexit, threading, time\natexit.register(print, 'atexit')\n"
    "def work():\n    time.sleep(0.05)\n    print('thread')\nthreading.Thread(target=work).start()",
    "thread_stack_size": "import threading\nthreading.stack_size(64 << 20)\n"
    "import sys\nsys.setrecursionlimit(10 ** 6)\ndef f(n): return n and f(n - 1)\n"
    "t = threading.Thread(target=lambda: print(f(20000))); t.start(); t.join()",
    "thread_lock": "import _thread; l = _thread.allocate_lock(); print(l.acquire(), l.locked())",
    "timer": "import threading\nthreading.Timer(0.05, print, args=('tick',)).start()",
    "fork_hooks": "import os\nos.register_at_fork(before=lambda: print('before', flush=True), "
    "after_in_child=lambda: print('child', flush=True))\nif os.fork() == 0: os._exit(0)\nos.wait()",
    "fork_random": "import os, random\nif os.fork() == 0: os._exit(0)\n"
    "print(os.waitstatus_to_exitcode(os.wait()[1]))",
    "fork_exit_runs_atexit": "import atexit, os\natexit.register(print, 'bye')\nif os.fork() == 0:\n"
    "    raise SystemExit\nos.wait()",
    "subprocess_input": "import subprocess; print(subprocess.run(['cat'], input=b'x', "
    "capture_output=True).stdout)",
    "subprocess_shares_stdin": "import subprocess, sys; sys.stdout.flush(); subprocess.run(['cat'])",
    "subprocess_inherits": "import subprocess; subprocess.run(['ls', '/proc/self/fd'])",
    "os_system": "import os; print(os.system('exit 3') >> 8)",
    "popen": "import os; print(os.popen('echo hi').read())",
    "exec": "import os; os.execvp('echo', ['echo', 'replaced'])",
    "exec_python": "import os, sys; os.execv(sys.executable, [sys.executable, '-c', 'print(1)'])",
    "asyncio_run": "import asyncio\nasync def f(x):\n    await asyncio.sleep(0.01)\n    return x * 2\n"
    "async def m(): print(await asyncio.gather(*map(f, range(5))))\nasyncio.run(m())",
    "asyncio_never_awaited": "async def f(): pass\nf()\nprint('x')",
    "asyncio_subprocess": "import asyncio\nasync def m():\n    p = await asyncio."
    "create_subprocess_exec('echo', 'x', stdout=-1)\n    print(await p.communicate())\n"
    "asyncio.run(m())",
    "asyncio_signal": "import asyncio, os, signal\nasync def m():\n    e = asyncio.Event()\n"
    "    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, e.set)\n"
    "    os.kill(os.getpid(), signal.SIGUSR1)\n    await e.wait()\n    print('got it')\n"
    "asyncio.run(m())",
    "signal_all": "import signal\nprint([(s.name, str(signal.getsignal(s))) for s in "
    "signal.valid_signals() if isinstance(s, signal.Signals) and s.name not in ('SIGINT',)])",
    "signal_mask": "import signal; print(signal.pthread_sigmask(signal.SIG_BLOCK, []))",
    "signal_handler_raises": "import os, signal\ndef h(*a): raise ValueError('in handler')\n"
    "signal.signal(signal.SIGUSR1, h)\nos.kill(os.getpid(), signal.SIGUSR1)\nprint('never')",
    "signal_wakeup": "import signal; print(signal.set_wakeup_fd(-1))",
    "signal_term": "import os, signal\nsignal.signal(signal.SIGTERM, lambda s, f: print('term', s))\n"
    "os.kill(os.getpid(), 15)\nprint('on')",
    "signal_segv": "import os; os.kill(os.getpid(), 11)",
    "signal_pipe": "import os, signal\nr, w = os.pipe(); os.close(r)\ntry:\n    os.write(w, b'x')\n"
    "except BrokenPipeError as e: print(e.errno)",
    "signal_pipe_default": "import os, signal; signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
    "r, w = os.pipe(); os.close(r); os.write(w, b'x')",
    "abort": "import os; print('x', flush=True); os.abort()",
    "faulthandler": "import faulthandler; print(faulthandler.is_enabled())",
    "process_group": "import os; print(os.getpgid(0) == os.getpid())",
    "file_too_large": "import signal; print(signal.getsignal(signal.SIGXFSZ))",
    # --- classes of __main__, data, endings
    "pickle_function": "import pickle\ndef f(): return 3\nprint(pickle.loads(pickle.dumps(f))())",
    "pickle_text": "import pickle\nclass A: pass\nprint(pickle.dumps(A, 0))",
    "pickle_from_file": "import pickle\nclass A:\n    def __init__(s): s.x = 1\n"
    "pickle.dump(A(), open('p', 'wb'))\nprint(pickle.load(open('p', 'rb')).x)",
    "copy": "import copy\nclass A: pass\na = A(); a.l = [1]\nprint(copy.deepcopy(a).l is not a.l)",
    "dataclass_fields": "from dataclasses import dataclass, field, asdict\n@dataclass(order=True)\n"
    "class P:\n    x: int\n    y: list = field(default_factory=list)\nprint(asdict(P(1)), P(1) < P(2))",
    "enum": "import enum\nclass C(enum.Enum):\n    A = enum.auto()\nprint(C.A, repr(C.A), list(C))",
    "typing": "from typing import *\nT = TypeVar('T')\nclass S(Generic[T]): pass\n"
    "print(get_type_hints(S), List[int], Optional[str])",
    "named_tuple": "from collections import namedtuple\nP = namedtuple('P', 'x y')\nprint(P(1, 2))",
    "lru_cache": "import functools\n@functools.lru_cache(None)\ndef f(n):\n"
    "    return n if n < 2 else f(n - 1) + f(n - 2)\nprint(f(300), f.cache_info())",
    "heap": "import heapq; h = [3, 1, 2]; heapq.heapify(h); print(heapq.heappop(h), h)",
    "bisect": "import bisect; print(bisect.bisect([1, 3, 5], 3))",
    "big_numbers": "print(2 ** 1000 % 997, 3 ** 500)",
    "floats": "print(0.1 + 0.2, 1e308 * 10, -0.0, float('nan'), 1 / 3, round(2.5))",
    "format": "print(f'{3.14159:.2f} {255:#x} {1234567:,} {\"x\":>5}', '%5.1f' % 2.25)",
    "locale": "import locale; print(locale.getlocale(), locale.localeconv()['decimal_point'])",
    "time_zone": "import time, datetime; print(time.tzname, datetime.datetime(2020, 1, 1).isoformat())",
    "time_clocks": "import time; print(time.perf_counter() >= 0, time.process_time() >= 0)",
    "struct": "import struct; print(struct.pack('<iq', 1, 2), struct.calcsize('P'))",
    "ctypes": "import ctypes; print(ctypes.sizeof(ctypes.c_long), ctypes.CDLL(None).abs(-3))",
    "ctypes_printf": "import ctypes; ctypes.CDLL(None).printf(b'from C\\n')",
    "ctypes_segfault": "import ctypes; ctypes.string_at(0)",
    "sqlite": "import sqlite3; c = sqlite3.connect(':memory:'); print(c.execute('select 1+1').fetchone())",
    "tempfile": "import tempfile\nwith tempfile.TemporaryFile() as f:\n    f.write(b'x'); f.seek(0)\n"
    "    print(f.read())\nprint(tempfile.gettempdir() != '')",
    "file_left_open": "f = open('x', 'w'); f.write('kept'); f2 = open('x'); print(f2.read())",
    "file_seen_by_atexit": "import atexit\nf = open('x', 'w'); f.write('kept')\n"
    "atexit.register(lambda: (f.flush(), print(open('x').read())))",
    "del_order": "class A:\n    def __init__(s, n): s.n = n\n    def __del__(s): print('del', s.n)\n"
    "x = A('x'); y = A('y'); _z = A('_z')\nprint('end')",
    "del_in_module": "class A:\n    def __del__(s): print('del', print is not None)\nimport math\n"
    "math.kept = A()\nprint('end')",
    "del_after_exception": "class A:\n    def __del__(s): print('del')\ndef f():\n    a = A()\n"
    "    1/0\nf()",
    "del_global_access": "import sys\nclass A:\n    def __del__(s): print(sys is not None)\na = A()",
    "generator_finally": "def g():\n    try:\n        yield\n    finally:\n        print('finally')\n"
    "a = g(); next(a)\nprint('end')",
    "generator_left_in_list": "def g():\n    try:\n        yield\n    finally:\n        print('f')\n"
    "kept = [g() for _ in range(3)]\n[next(x) for x in kept]",
    "context_manager_left": "import contextlib\n@contextlib.contextmanager\ndef c():\n    print('in')\n"
    "    yield\n    print('out')\nm = c(); m.__enter__()",
    "weakref_callback": "import weakref\nclass A: pass\na = A(); r = weakref.ref(a, lambda r: print('cb'))"
    "\ndel a\nprint('x')",
    "weakref_at_end": "import weakref\nclass A: pass\na = A()\nweakref.finalize(a, print, 'one')\n"
    "weakref.finalize(a, print, 'two')",
    "contextvars": "import contextvars; v = contextvars.ContextVar('v', default=3); print(v.get())",
    "logging": "import logging; logging.warning('w %d', 1); logging.info('i')",
    "logging_basic": "import logging, sys; logging.basicConfig(stream=sys.stdout, format="
    "'%(levelname)s %(message)s', level=10); logging.debug('d')",
    "argparse_error": "import argparse; p = argparse.ArgumentParser(); p.add_argument('x'); "
    "p.parse_args()",
    "unittest_main": "import unittest\nclass T(unittest.TestCase):\n    def test(self): "
    "self.assertEqual(1, 1)\nif __name__ == '__main__':\n    T('test').debug(); print('ok')",
    "doctest": "'''\n>>> 1 + 1\n2\n'''\nimport doctest; print(doctest.testmod())",
    "match": "match [1, 2]:\n    case [x, y]: print(x + y)",
    "async_generator": "import asyncio\nasync def g():\n    try:\n        yield 1\n    finally:\n"
    "        print('closed')\nasync def m():\n    async for x in g():\n        print(x)\n        break\n"
    "asyncio.run(m())",
    "star_arguments": "def f(*a, k=1, **o): return a, k, o\nprint(f(1, 2, k=3, z=4))",
    "global_statement": "def f():\n    global made\n    made = 1\nf()\nprint(made)",
    "walrus_scope": "print([y := x for x in range(3)], y)",
    "metaclass": "class M(type):\n    def __call__(c, *a): return 'called'\nclass A(metaclass=M): pass\n"
    "print(A())",
    "slots": "class A:\n    __slots__ = ('x',)\na = A(); a.y = 1",
    "large_source": "x = [" + "1, " * 20000 + "]\nprint(len(x))",
    "long_line": "print('" + "x" * 60000 + "'[-1])",
    "many_lines": "\n" * 30000 + "1/0",
    "deep_nesting": "print(" + "(" * 80 + "1" + ")" * 80 + ")",
    "form_feed": "x = 1\n\x0cprint(x)\n",
    "mixed_line_ends": "x = 1\r\ny = 2\rz = 3\nprint(x)\n",
    "utf8_names": "π = 3\nprint(π)",
    "bad_utf8_cookie": "# coding: no-such\nprint(1)",
    "utf8_cookie": "# -*- coding: utf-8 -*-\nprint('ß')",
    "shebang": "#!/usr/bin/env python3\nprint('x')",
    "only_comment": "# nothing",
    "no_newline_at_end": "print('x')",
}  # fmt: skip
