"""Test programs in C and C++, on real slots: what passes, what must not, and what is said of it."""

from __future__ import annotations

import asyncio

import pytest

from scalebox.engine.service import Engine
from scalebox.errors import BadRequestError
from scalebox.model import AssertCase, AssertTests, Blob, Limits, Report, Submission

from .conftest import LEVELS, StartsEngine, verdicts

RIGHT = "int square(int x) { return x * x; }\n"
WRONG = "int square(int x) { return x + x; }\n"
#: Without a `return`: in `main` alone that is 0.
TESTS = "int main() {\n    assert(square(2) == 4);\n    assert(square(3) == 9);\n}\n"
#: As MultiPL-E has it: it closes the submission's function.
CLOSING = "}\n" + TESTS

#: Each defines a `square` that is wrong, and would rather not be found out.
CHEATS = {
    "exit": "#include <stdlib.h>\nint square(int x) { exit(0); }",
    "_exit": "#include <unistd.h>\nint square(int x) { _exit(0); }",
    "exit before main": "#include <stdlib.h>\n"
    "__attribute__((constructor)) void early(void) { exit(0); }\nint square(int x) { return 0; }",
    "exit after abort": "#include <signal.h>\n#include <unistd.h>\n"
    "void end(int s) { _exit(0); }\n"
    "int square(int x) { signal(SIGABRT, end); return 0; }",
    "a jump out of abort": "#include <setjmp.h>\n#include <signal.h>\n#include <stdlib.h>\n"
    "sigjmp_buf back;\nvoid jump(int s) { siglongjmp(back, 1); }\n"
    "int square(int x) { signal(SIGABRT, jump);\n"
    "    if (sigsetjmp(back, 1)) exit(0);\n    return 0; }",
    "exec": '#include <unistd.h>\nint square(int x) { char *a[] = {(char *)"true", 0};\n'
    '    execv("/bin/true", a); return 0; }',
    "atexit": "#include <stdlib.h>\n#include <unistd.h>\nvoid end(void) { _exit(0); }\n"
    "int square(int x) { atexit(end); return 0; }",
    "a thread of exit": "#include <pthread.h>\n#include <stdlib.h>\n"
    "void *end(void *p) { exit(0); }\nint square(int x) { pthread_t t;\n"
    "    pthread_create(&t, 0, end, 0); for (;;) ; }",
    "assert is nothing": "#include <assert.h>\n#undef assert\n#define assert(x)\n"
    "int square(int x) { return 0; }",
    "main is another": "#define main main() { return 0; } int hidden\n"
    "int square(int x) { return 0; }",
    "int is another": "int square(int x) { return 0; }\n"
    "int main() { return 0; }\n#define int static long\n#define main hidden",
    "if it does not matter": "int square(int x) { return 0; }\n#define if if (1) {} else if",
    "the rest is a comment": "int square(int x) { return 0; }\nint main() { return 0; }\n/*",
    "the rest is left out": "int square(int x) { return 0; }\nint main() { return 0; }\n#if 0",
    "a backslash": "int square(int x) { return 0; }\nint main() { return 0; }\n// \\",
    "own __assert_fail": '#ifdef __cplusplus\nextern "C"\n#endif\n'
    "void __assert_fail(const char *a, const char *b, unsigned c, const char *d) {}\n"
    "int square(int x) { return 0; }",
    "own failure": '#ifdef __cplusplus\nextern "C"\n#endif\n'
    "void scalebox_assert_failed(const char *a, const char *b, unsigned c) {}\n"
    "int square(int x) { return 0; }",
    "own main of ours": '#ifdef __cplusplus\nextern "C"\n#endif\n'
    "int __wrap_main(void) { return 0; }\nint square(int x) { return 0; }",
    "own _start": '#include <stdlib.h>\n#ifdef __cplusplus\nextern "C"\n#endif\n'
    "int __libc_start_main(void) { exit(0); }\nint square(int x) { return 0; }",
    "own write": '#include <unistd.h>\n#ifdef __cplusplus\nextern "C"\n#endif\n'
    "ssize_t write(int f, const void *b, size_t n) { return n; }\nint square(int x) { return 0; }",
    "a forged record": "#include <unistd.h>\n#include <stdlib.h>\n"
    'int square(int x) { char r[] = "{\\"nonce\\": \\"\\", \\"state\\": \\"passed\\", '
    '\\"message\\": \\"\\"}\\n";\n'
    "    for (int f = 3; f < 9; f++) if (write(f, r, sizeof r - 1) < 0) continue; exit(0); }",
    "a child that goes on": "#include <unistd.h>\n#include <stdlib.h>\n"
    "int square(int x) { if (fork()) _exit(0); return 0; }",
    "a signal to all": "#include <signal.h>\nint square(int x) { kill(-1, SIGKILL); return 0; }",
}
TOOLS = ["c", "cpp"]


def _tests(*programs: str) -> AssertTests:
    return AssertTests(cases=[AssertCase(program=program) for program in programs])


async def _judge(
    engine: Engine, source: str, *programs: str, language: str = "cpp", limits: Limits | None = None
) -> Report:
    submission = Submission(
        language=language, source=source, tests=_tests(*programs), limits=limits or Limits()
    )
    return await engine.judge(submission, client="t")


@pytest.mark.parametrize("level", LEVELS)
async def test_cheats_do_not_pass(start_engine: StartsEngine, level: str) -> None:
    limits = Limits(cpu_time_s=1, wall_time_s=5)
    async with start_engine(sandbox={"slots": 2, "isolation": level}) as engine:
        cheats = {(name, tool): text for name, text in CHEATS.items() for tool in TOOLS}
        reports = await asyncio.gather(
            *(
                _judge(engine, text, TESTS, language=tool, limits=limits)
                for (_, tool), text in cheats.items()
            )
        )
        found = dict(zip(cheats, reports, strict=True))
        assert [name for name, report in found.items() if report.accepted] == []
        others = {
            name: (report.verdict.value, report.message)
            for name, report in found.items()
            if not report.verdict.is_about_the_program
        }
        assert others == {}


@pytest.mark.parametrize("language", TOOLS)
async def test_right_and_wrong(engine: Engine, language: str) -> None:
    right = await _judge(engine, RIGHT, TESTS, CLOSING.lstrip("}"), language=language)
    assert verdicts(right) == ["accepted", "accepted"]
    assert right.integrity == "weak"
    wrong = await _judge(engine, WRONG, TESTS, language=language)
    assert verdicts(wrong) == ["wrong_answer"]
    suffix = "c" if language == "c" else "cpp"
    assert wrong.cases[0].message == f"assert (square(3) == 9) failed at tests.{suffix}:3"


async def test_each_program_is_a_case(engine: Engine) -> None:
    first = "int main() { assert(square(2) == 4); }"
    second = "int main() { assert(square(5) == 25); }"
    report = await _judge(engine, WRONG, first, second)
    assert verdicts(report) == ["accepted", "wrong_answer"]
    assert report.compile is not None
    assert report.compile.cpu_time_s > 0


async def test_a_test_program_may_close_the_submission(engine: Engine) -> None:
    assert (await _judge(engine, "int square(int x) { return x * x;", CLOSING)).accepted
    assert not (await _judge(engine, "int square(int x) { return x;", CLOSING)).accepted


async def test_own_mains_are_set_aside(engine: Engine) -> None:
    own = "#include <bits/stdc++.h>\n" + RIGHT + "int main() { std::cout << square(3); }\n"
    assert (await _judge(engine, own, TESTS)).accepted


async def test_asserts_with_commas_and_in_functions_of_the_tests(engine: Engine) -> None:
    source = "#include <vector>\nstd::vector<int> two(int x) { return {x, x}; }\n"
    tests = (
        "#include <map>\n"
        "template <class F> void check(F f) { assert(f(1) == std::vector<int>{1, 1}); }\n"
        "int main() { check(two); assert((std::map<int, int>{{1, 2}}.size() == 1)); }\n"
    )
    assert (await _judge(engine, source, tests)).accepted


@pytest.mark.parametrize("language", TOOLS)
async def test_what_each_end_means(engine: Engine, language: str) -> None:
    async def verdict_of(source: str, tests: str) -> tuple[str, str]:
        report = await _judge(engine, source, tests, language=language)
        return report.verdict.value, report.message

    returned = await verdict_of(RIGHT, "int main() { return square(2) == 5 ? 0 : 3; }")
    assert returned == ("wrong_answer", "case 0: the tests' main returned 3")
    included = "#include <assert.h>\n" + TESTS
    assert (await verdict_of(WRONG, included))[0] == "wrong_answer"
    own = "#include <assert.h>\nint square(int x) { assert(x == 2); return 4; }\n"
    failed = await verdict_of(own, TESTS)
    assert failed[0] == "runtime_error"
    assert "assert (x == 2) failed at solution" in failed[1]
    crashed = await verdict_of("int square(int x) { __builtin_trap(); }", TESTS)
    assert crashed[0] == "runtime_error"
    assert "SIGILL" in crashed[1] or "SIGTRAP" in crashed[1]
    lacking = await verdict_of("int cube(int x) { return x; }", TESTS)
    assert lacking[0] == "compile_error"
    assert "square" in lacking[1]
    late = "#include <stdlib.h>\nvoid end(void) { abort(); }\n"
    late += "int square(int x) { atexit(end); return x * x; }"
    assert (await verdict_of(late, TESTS))[0] == "runtime_error"
    assert (await verdict_of(RIGHT, "#include <stdlib.h>\nint main() { exit(0); }"))[0] == (
        "runtime_error"
    )


async def test_a_long_assertion_is_cut(engine: Engine) -> None:
    text = '\\"\\\\\\t' * 1000
    tests = f'#include <string>\nint main() {{ assert(std::string("{text}").empty()); }}'
    report = await _judge(engine, RIGHT, tests)
    assert report.verdict.value == "wrong_answer"
    assert report.cases[0].message.startswith('assert (std::string("\\"')


async def test_limits_hold(engine: Engine) -> None:
    limits = Limits(cpu_time_s=0.3, memory_bytes=64 << 20)
    busy = "int square(int x) { volatile int n = 0; for (;;) n++; }"
    assert verdicts(await _judge(engine, busy, TESTS, limits=limits)) == ["time_limit_exceeded"]
    large = "#include <string.h>\n#include <stdlib.h>\n"
    large += "char *all; int square(int x) { all = (char *)malloc(1 << 28);\n"
    large += "memset(all, 1, 1 << 28); return all[x]; }"
    found = await _judge(engine, large, TESTS, limits=limits)
    assert verdicts(found) == ["memory_limit_exceeded"]


async def test_what_is_refused(engine: Engine) -> None:
    submission = Submission(
        language="cpp",
        source=RIGHT,
        tests=AssertTests(cases=[AssertCase(program=TESTS)], entry_point="square"),
    )
    with pytest.raises(BadRequestError, match="entry_point"):
        await engine.judge(submission, client="t")
    taken = Submission(
        language="cpp", source=RIGHT, tests=_tests(TESTS), files={"scalebox_completion.cpp": ""}
    )
    with pytest.raises(BadRequestError, match="scalebox_completion"):
        await engine.judge(taken, client="t")
    missing = Submission(
        language="cpp", source=RIGHT, tests=_tests(TESTS), files={"a.h": Blob(sha256="0" * 64)}
    )
    with pytest.raises(BadRequestError):
        await engine.judge(missing, client="t")


async def test_compiled_once(engine: Engine) -> None:
    first = await _judge(engine, RIGHT, TESTS)
    again = await _judge(engine, RIGHT, TESTS)
    assert first.compile is not None
    assert again.compile is not None
    assert (first.compile.cached, again.compile.cached) == (False, True)


async def test_a_plain_program_of_the_same_text_is_another(engine: Engine) -> None:
    """What is linked differently has another address."""
    from scalebox.judging import joining
    from scalebox.judging.sources import harness_file
    from scalebox.languages import table
    from scalebox.model import StdioCase, StdioTests

    (rule,) = (entry.asserts for entry in table.load([]) if entry.name == "cpp")
    assert rule is not None
    text = joining.joined(RIGHT.encode(), TESTS, main=rule.main, before=rule.before)
    plain = Submission(
        language="cpp",
        source=text.decode(),
        tests=StdioTests(cases=[StdioCase(input="", answer="")]),
        files={name: harness_file(text).decode() for name, text in rule.files.items()},
    )
    assert (await engine.judge(plain, client="t")).verdict.value == "compile_error"
    assert (await _judge(engine, RIGHT, TESTS)).accepted
