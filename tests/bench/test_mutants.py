"""Flawed variants: each errs as its name says, and whatever the text is, they are made."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bench import cpp_mutations, python_mutations
from bench.cpp_text import CppText, tokens
from bench.mutants import MOST, WRAPPERS, Mutant, mutants_of
from scalebox.model import Blob, ProgramJudge

VALIDATORS = Path(__file__).parent / "validators"
_HEADER = (VALIDATORS / "streams.h").read_text()
_LANGUAGES = {".cpp": "cpp", ".py": "python"}

Decide = Callable[[str], int]


def judge_of(name: str) -> ProgramJudge:
    path = VALIDATORS / name
    return ProgramJudge(
        contract="icpc",
        language=_LANGUAGES[path.suffix],
        source=path.read_text(),
        files={"streams.h": _HEADER} if name == "factors.cpp" else {},
        flags=["strict"],
    )


def decider(
    judge: ProgramJudge, folder: Path, given: str = "", answer: str = "", *flags: str
) -> Decide:
    """Build a judge: what it says about an output; less than 0: the signal that ended it."""
    folder.mkdir()
    (folder / "feedback").mkdir()
    (folder / "input").write_text(given)
    (folder / "answer").write_text(answer)
    for name, content in judge.files.items():
        assert isinstance(content, str)
        (folder / name).write_text(content)
    assert isinstance(judge.source, str)
    source = folder / ("judge.cpp" if judge.language == "cpp" else "judge.py")
    source.write_text(judge.source)
    command = [sys.executable, str(source)]
    if judge.language == "cpp":
        command = [str(folder / "judge")]
        build = ["g++", "-w", *flags, "-o", command[0], str(source)]
        subprocess.run(build, check=True, cwd=folder)

    def decide(output: str) -> int:
        called = [*command, "input", "answer", "feedback/", *judge.flags]
        done = subprocess.run(
            called, cwd=folder, input=output.encode("latin-1"), capture_output=True, timeout=60
        )
        assert sorted(path.name for path in (folder / "feedback").iterdir()) == []
        return done.returncode

    return decide


def mutant_with(mutants: Sequence[Mutant], operator: str, change: str) -> Mutant:
    found = [one for one in mutants if one.operator == operator and change in one.change]
    assert len(found) == 1, [one.change for one in mutants if one.operator == operator]
    return found[0]


# Operator, what its change says, an output, and what the judge and its variant say about it.  The
# input is 3, the answer 2.
_CPP = [
    ("condition_negated", "`!(!seen[i])`", "3 1 2 2", 42, 43),
    ("condition_dropped", "(!seen[i]) && 0", "3 1 1 2", 43, 42),
    ("condition_dropped", "(ends_well) || 1", "1 2 3 2", 43, 42),
    ("condition_dropped", '(scanf(" %c", &more) == 1) && 0', "3 1 2 2 x", 43, 42),
    ("relation_shifted", "`<` became `<=` in `for (int i = 0;", "3 1 2 2", 42, 43),
    ("relation_shifted", "`>` became `>=` in `if (value < 1 ||", "3 1 2 2", 42, 43),
    ("relation_shifted", "`<` became `<=` in `if (value < 1 ||", "3 1 2 2", 42, 43),
    ("bound_shifted", "`2` became `3` in `if (values[0] % 2", "2 3 1 2", 43, 42),
    ("bound_shifted", "`1` became `2` in `if (values[n - 1] == n", "1 3 2 2", 42, 43),
    ("connective_swapped", "in `if (values[0] % 2 == 0 && n > 1", "3 1 2 2", 42, 43),
    ("tolerance_loose", "`1e-6` became `0.001`", "3 1 2 2.0009", 43, 42),
    ("tolerance_loose", "`1e-6` became `1.0`", "3 1 2 2.9", 43, 42),
    ("loop_skips_first", "`1` became `2` in `rep(i, 1, n + 1)", "3 2 2 2", 43, 42),
    ("loop_skips_last", "`n + 1` became `(n + 1) - 1`", "1 1 2 2", 43, 42),
    ("loop_skips_last", "`n` became `n - 1` in `for", "3 1 2 2", 42, 43),
    ("value_flipped", "`true` became `false` in `return true;`", "3 1 2 2", 42, 43),
    ("value_flipped", "`43` became `42` in `if (scanf", "3 1 2", 43, 42),
    ("value_flipped", "`false` became `true` in `if (values[n - 1]", "1 2 3 2", 43, 42),
    ("rejection_deleted", '`wrong_answer("begins with', "2 3 1 2", 43, 42),
    ("rejection_deleted", '`wrong_answer("ends with n")`', "1 2 3 2", 43, 42),
    ("other_stream", "`1` became `2` in `FILE *input = fopen(argv[1]", "3 1 2 2", 42, 43),
    ("other_stream", "`2` became `1` in `FILE *answer = fopen(argv[2]", "3 1 2 3", 43, 42),
]
_PYTHON = [
    ("condition_negated", "not (value not in seen)", "3 1 2 2", 42, 43),
    ("condition_dropped", "(value not in seen) and False", "3 1 1 2", 43, 42),
    ("condition_dropped", "(len(values) > n) and False", "3 1 2 2 2", 43, 42),
    ("relation_shifted", "(value <= 1)", "3 1 2 2", 42, 43),
    ("relation_shifted", "(len(values) >= n)", "3 1 2 2", 42, 43),
    ("bound_shifted", "`2` became `3` in `if values[0] % 2", "2 3 1 2", 43, 42),
    ("connective_swapped", "(values[0] % 2 == 0 or n > 1)", "3 1 2 2", 42, 43),
    ("tolerance_loose", "`1e-6` became `0.001`", "3 1 2 2.0009", 43, 42),
    ("loop_skips_first", "became `list(range(1, n + 1))[1:]`", "3 2 2 2", 43, 42),
    ("loop_skips_last", "became `list(range(1, n + 1))[:-1]`", "1 1 2 2", 43, 42),
    ("value_flipped", "`True` became `False`", "3 1 2 2", 42, 43),
    ("value_flipped", "`42` became `43`", "3 1 2 2", 42, 43),
    ("rejection_deleted", 'wrong_answer("no numbers")', "", 43, 1),
    ("rejection_deleted", 'wrong_answer("there is more")', "3 1 2 2 2", 43, 0),
    ("other_stream", "`sys.stdin` became `open(", "3 1 2 2", 42, 43),
    ("other_stream", "`1` became `2` in `n = int(open(", "3 1 2 2", 42, 43),
]
# An operator with rows for one language only would not be seen in the other.
assert {row[0] for row in _CPP} == {row[0] for row in _PYTHON}


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Decide]:
    folder = tmp_path_factory.mktemp("right")
    return {
        name: decider(judge_of(name), folder / name, "3", "2")
        for name in ("permutation.cpp", "permutation.py")
    }


@pytest.mark.parametrize(
    ("name", "operator", "change", "output", "verdict", "wrong"),
    [("permutation.cpp", *row) for row in _CPP] + [("permutation.py", *row) for row in _PYTHON],
)
def test_a_changed_judge_errs_as_its_name_says(
    right: dict[str, Decide], tmp_path: Path,
    name: str, operator: str, change: str, output: str, verdict: int, wrong: int,
) -> None:  # fmt: skip
    mutant = mutant_with(mutants_of(judge_of(name)), operator, change)
    assert right[name](output) == verdict
    assert decider(mutant.judge, tmp_path / "changed", "3", "2")(output) == wrong


@pytest.mark.parametrize("name", ["permutation.cpp", "factors.cpp"])
def test_changed_judges_compile(name: str, tmp_path: Path) -> None:
    judge = judge_of(name)
    changed = [one for one in mutants_of(judge) if one.operator not in WRAPPERS]
    assert len(changed) > 25
    # Each in a namespace of its own, and what they include once: one run of the compiler.
    lines = [line for line in str(judge.source).splitlines() if line.startswith("#include")]
    lines.append("using namespace std;")
    for number, one in enumerate(changed):
        body = str(one.judge.source).splitlines()
        lines += [f"namespace variant_{number} {{", f'#line 1 "{one.name}"']
        lines += ["" if line.startswith("#include") else line for line in body] + ["}"]
    (tmp_path / "streams.h").write_text(_HEADER)
    (tmp_path / "all.cpp").write_text("\n".join(lines) + "\n")
    command = ["g++", "-w", "-fsyntax-only", "all.cpp"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_streams_of_a_header_are_read_in_place_of_each_other(tmp_path: Path) -> None:
    judge = judge_of("factors.cpp")
    found = mutants_of(judge)
    answer_read = mutant_with(found, "other_stream", "`author_out` became `judge_ans`")
    input_read = mutant_with(found, "other_stream", "`judge_ans` became `judge_in`")
    outputs = ("7 5", "2 17", "prime", "")
    decide = decider(judge, tmp_path / "right", "35", "5 7")
    assert [decide(output) for output in outputs] == [42, 43, 43, 43]
    # The jury's answer has been read to its end.
    decide = decider(answer_read.judge, tmp_path / "changed", "35", "5 7")
    assert [decide(output) for output in outputs] == [43] * 4
    assert "read(judge_in, judge_error)" in str(input_read.judge.source)


@pytest.mark.parametrize("name", ["permutation.cpp", "factors.cpp", "permutation.py"])
def test_variants_differ_from_the_judge_and_from_each_other(name: str) -> None:
    judge = judge_of(name)
    found = mutants_of(judge)
    assert len({one.judge.source for one in found} | {judge.source}) == len(found) + 1
    assert len({one.name for one in found}) == len(found)
    assert [one.name for one in found[-len(WRAPPERS) :]] == list(WRAPPERS)
    for one in found:
        assert (one.judge.files, one.judge.flags) == (judge.files, judge.flags)
        assert one.name.startswith(one.operator)
        assert one.change
        assert "\n" not in one.change


@pytest.mark.parametrize("name", ["permutation.cpp", "permutation.py"])
def test_a_choice_is_spread_over_operators_and_wrappers(name: str) -> None:
    judge = judge_of(name)
    chosen = mutants_of(judge, most=16, seed=1)
    wrapped = [one for one in chosen if one.operator in WRAPPERS]
    changed = [one for one in chosen if one.operator not in WRAPPERS]
    assert (len(wrapped), len(changed)) == (8, 8)
    assert max(Counter(one.operator for one in changed).values()) == 1
    assert [len(mutants_of(judge, most=most)) for most in (0, 1, 5, 39)] == [0, 1, 5, 39]
    everything = mutants_of(judge, most=10**9)
    assert len(mutants_of(judge)) == len(everything) <= MOST
    assert {one.name for one in chosen} < {one.name for one in everything}
    assert mutants_of(judge, most=16, seed=1) == chosen
    assert mutants_of(judge, most=16, seed=2) != chosen


def test_the_choice_is_the_same_in_another_process() -> None:
    code = (
        "import hashlib; from tests.bench.test_mutants import *\n"
        "found = mutants_of(judge_of('factors.cpp'), most=30, seed=3)\n"
        "print(hashlib.sha256(repr(found).encode()).hexdigest())"
    )
    root = Path(__file__).parents[2]
    said = {
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, cwd=root,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1


def test_where_there_are_no_places_there_are_wrappers() -> None:
    for language, source in (("cpp17", "int main() {}"), ("python3", "def broken(")):
        judge = ProgramJudge(contract="icpc", language=language, source=source)
        assert [one.operator for one in mutants_of(judge)] == list(WRAPPERS)
        assert len(mutants_of(judge, most=6)) == 6


def test_other_judges_are_refused() -> None:
    testlib = ProgramJudge(contract="testlib", language="cpp", source="")
    java = ProgramJudge(contract="icpc", language="java", source="")
    uploaded = ProgramJudge(contract="icpc", language="cpp", source=Blob(sha256="0" * 64))
    for judge in (testlib, java, uploaded):
        with pytest.raises(ValueError, match="a judge"):
            mutants_of(judge)
    inline = Blob(data=b"int main() { return 43; }")
    assert mutants_of(ProgramJudge(contract="icpc", language="cpp", source=inline))


def test_only_code_is_code() -> None:
    source = r"""
#include "if (a) b"  // if (a)
#define EPS 1e-9 /* if
   (a) */ + 1 \
   - 'x'
char c = '"', d = '\''; // "
/* " */ const char *s = "a\"b /* " R"x( )" /* )y" )x" u8"/*";
long n = 1'000'000;
int last = a->b >>= c <=> d;
"""
    found = list(tokens(source))
    assert [token.text for token in found if not token.directive] == [
        "char", "c", "=", "'\"'", ",", "d", "=", r"'\''", ";",
        "const", "char", "*", "s", "=", r'"a\"b /* "', 'R"x( )" /* )y" )x"', 'u8"/*"', ";",
        "long", "n", "=", "1'000'000", ";",
        "int", "last", "=", "a", "->", "b", ">>=", "c", "<=>", "d", ";",
    ]  # fmt: skip
    assert [token.text for token in found if token.directive] == [
        "#", "include", '"if (a) b"', "#", "define", "EPS", "1e-9", "+", "1", "-", "'x'",
    ]  # fmt: skip


def test_an_angle_of_a_template_is_no_comparison() -> None:
    source = """
template <class T> struct Box { T value; };
vector<pair<int, Box<long>>> all; Box<int> one; bool less = a < b, more = c > d, chain = a<b && c>d;
auto n = static_cast<int>(x) < numeric_limits<int>::max(), m = f<int>(x);
"""
    text = CppText(source)
    comparisons = [
        index for index, token in text.code()
        if token.text in "<>" and index not in text.in_templates
    ]  # fmt: skip
    assert [text.text(at - 1) + text.text(at) + text.text(at + 1) for at in comparisons] == [
        "a<b", "c>d", "a<b", "c>d", ")<numeric_limits",
    ]  # fmt: skip


_HOSTILE = [
    "{", "}", "if(", "if(a)", "if(a)return 0;", "else ", "for(int i=0;i<n;i++)", 'R"x(', '"', "'",
    "/*", "#/*", "\\\n", "vector<", "a<b ", "0 ", "f(1,", "wrong_answer(", "do{", "é\0",
    "\n#define rep(i,a,b) for(", "template<class T>struct x{", "1e-9*", "a&&",
]  # fmt: skip


@pytest.mark.parametrize("unit", _HOSTILE)
def test_time_grows_with_the_length_whatever_the_text_is(unit: str) -> None:
    def cost_s(length: int) -> float:
        source = (unit * length)[:length]
        begin = time.process_time()
        edits = list(cpp_mutations.edits(source))
        assert all(0 <= one.start <= one.end <= length for one in edits)
        return time.process_time() - begin

    cost_s(1000)
    # Eight times the text; what depended on its square would take 64 times as long.
    most_s = 24 * cost_s(10_000) + 0.2
    # Once more, where the host was busy with something else.
    assert cost_s(80_000) < most_s or cost_s(80_000) < most_s


def test_a_line_of_a_megabyte_has_variants() -> None:
    source = "int main(int c, char **v) {" + "if (c < 1) exit(43); " * 2000
    source += 'const char *table = "' + "if (c < 1) exit(43); " * 50_000 + '"; }'
    judge = ProgramJudge(contract="icpc", language="cpp", source=source)
    found = mutants_of(judge)
    assert len({one.operator for one in found}) > len(WRAPPERS) + 3
    assert max(len(one.change) for one in found) < 400
    # All that there are would hold gigabytes.
    assert sum(len(str(one.judge.source)) for one in found) < 100 << 20


@pytest.mark.parametrize(
    "source",
    [
        "(" * 100_000,
        "x = " + "(" * 150 + "1" + ")" * 150,
        "if x:\n" * 1000,
        "\0",
        "\ud800",
        "not " * 50_000 + "x",
        "x<" * 20_000 + "x",
        "a and " * 20_000 + "a",
        "f'{1 < 2}'",
        "if a: pass\n" + "elif b < 1: pass\n" * 3000,
        "'''",
        "\ufeffx = 1\r\ny = 2\rz = 3\n",
        "x = 'é'; y = 1 if 2 < 3 else '\U0001f600' < 'a'",
    ],
    ids=range(13),
)
def test_a_text_that_is_odd_python_is_survived(source: str) -> None:
    for one in list(python_mutations.edits(source))[:50]:
        assert python_mutations.is_python(one.apply(source))
    judge = ProgramJudge(contract="icpc", language="python", source=source)
    assert len(mutants_of(judge, most=20)) >= len(WRAPPERS)


def test_places_in_python_are_counted_in_characters() -> None:
    source = "a = 'é\U0001f600'; b = 'x' < c  # é\r\nd = 'ü' < e"
    edits = [one for one in python_mutations.edits(source) if one.operator == "relation_shifted"]
    assert [source[one.start : one.end] for one in edits] == ["'x' < c", "'ü' < e"]
