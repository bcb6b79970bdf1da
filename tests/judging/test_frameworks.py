"""unittest and doctest in test programs, a test's own end, and the module `__main__`."""

from __future__ import annotations

import pytest

from . import runner

RIGHT = "def square(x): return x * x"
SUITE = "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n"
ENDS = "        self.assertEqual(square(3), 9)\n"
DOCTEST = "def test():\n    '''\n    >>> square(3)\n    9\n    '''\nimport doctest\n"
#: Test programs of the two frameworks: each of them would say so if the submission were wrong.
FRAMEWORKS = {
    "main": SUITE + ENDS + "if __name__ == '__main__':\n    unittest.main()",
    "main that stays": SUITE + ENDS + "unittest.main(exit=False, argv=['x'], verbosity=0)",
    "a part of a test": SUITE + "        with self.subTest(3):\n    " + ENDS + "unittest.main()",
    "expected": SUITE.replace("    def", "    @unittest.expectedFailure\n    def")
    + ENDS.replace("9", "3") + "unittest.main()",
    "a runner that nobody asks": SUITE + ENDS
    + "unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(T))",
    "a runner": SUITE + ENDS
    + "found = unittest.TextTestRunner().run("
    "unittest.defaultTestLoader.loadTestsFromTestCase(T))\nassert found.wasSuccessful()",
    "a set-up": SUITE.replace("    def test", "    def setUp(self): self.f = square\n    def test")
    + ENDS.replace("square", "self.f") + "unittest.main()",
    "doctest": DOCTEST + "assert doctest.testmod().failed == 0",
    "doctest that nobody asks": DOCTEST + "doctest.testmod()",
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_what_fails_in_a_framework_fails_the_program(name: str) -> None:
    program = FRAMEWORKS[name]
    for judge in (runner.judge_strong, runner.judge_weak):
        assert judge(RIGHT, program).state == "passed"
        assert judge("def square(x): return x", program).state == "failed"
        if name != "expected":
            assert judge("def square(x): return 1 // 0", program).state in ("error", "failed")


@pytest.mark.parametrize(
    "submission",
    [
        "def load_tests(*_): return []\ndef square(x): return 0",
        "import unittest\ndef load_tests(*_): return unittest.TestSuite()\ndef square(x): return 0",
        "import sys\ndef square(x): sys.exit(0)",
        "import unittest\ndef square(x): raise unittest.SkipTest",
        "import sys, types\nsys.modules['__main__'] = types.ModuleType('__main__')\n"
        "def square(x): return 0",
    ],
)
def test_a_framework_is_not_talked_out_of_its_tests(submission: str) -> None:
    for judge in (runner.judge_strong, runner.judge_weak):
        assert judge(submission, FRAMEWORKS["main"]).state not in ("passed", "unproxiable")


def test_a_skip_is_not_the_submissions_to_say_where_a_test_skips_too() -> None:
    program = SUITE + "        if not square: self.skipTest('')\n" + ENDS + "unittest.main()"
    skips = "import unittest\ndef square(x): raise unittest.SkipTest"
    assert runner.judge_strong(RIGHT, program).state == "passed"
    assert runner.judge_strong(skips, program).state == "error"
    skipped = SUITE + "        self.skipTest('not here')\nunittest.main()"
    assert runner.judge_strong(RIGHT, skipped).state == "passed"


def test_a_suite_without_tests_is_refused() -> None:
    program = (
        "import unittest\nclass T:\n    def test(self): assert square(3) == 9\nunittest.main()"
    )
    assert runner.judge_strong(RIGHT, program).state == "invalid"


@pytest.mark.parametrize(
    ("ending", "state"),
    [
        ("import sys\nsys.exit()", "passed"),
        ("raise SystemExit(0)", "passed"),
        ("exit(0)", "passed"),
        ("raise SystemExit(1)", "failed"),
        ("raise SystemExit('no')", "failed"),
        ("square('exits')", "error"),
    ],
)
def test_a_test_may_say_itself_that_it_is_at_its_end(ending: str, state: str) -> None:
    exits = "def square(x):\n    if x == 'exits': raise SystemExit(0)\n    return x * x"
    program = f"assert square(3) == 9\n{ending}\nassert False"
    outcome = runner.judge_strong(exits, program)
    assert outcome.state == state


@pytest.mark.parametrize(
    "program",
    [
        "import __main__\nassert __main__.square(3) == 9",
        "import sys\nassert getattr(sys.modules['__main__'], 'square')(3) == 9",
        "assert 'square' in globals() and globals().get('square')(3) == 9",
        "assert 'cube' not in globals() and globals().get('cube') is None and square(3) == 9",
    ],
)
def test_the_module_of_the_test_has_what_the_submission_has(program: str) -> None:
    assert runner.judge_strong(RIGHT, program).state == "passed"
    assert runner.judge_strong("def square(x): return x", program).state == "failed"
