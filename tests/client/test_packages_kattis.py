"""Kattis and ICPC problem packages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from scalebox.client.problems import (
    ProblemFileError,
    load_problem,
    load_problems,
    submissions_of_folder,
)
from scalebox.model import (
    Blob,
    Comparison,
    InteractiveTests,
    Limits,
    ProgramJudge,
    StdioCase,
    StdioTests,
)
from tests.client.laid import lay

LEGACY = {
    "problem.yaml": "name: Sums\nauthor: Somebody\nlicense: cc0\n",
    "data/sample/1.in": "1 2\n",
    "data/sample/1.ans": "3\n",
    "data/secret/a.in": "4 5\n",
    "data/secret/a.ans": "9\n",
}
NEW = {**LEGACY, "problem.yaml": "problem_format_version: 2025-09\nname: {sv: Summor, en: Sums}\n"}
VALIDATOR = "import sys\nsys.exit(42)\n"


def stdio_of(folder: Path, files: Mapping[str, str | bytes]) -> StdioTests:
    tests = load_problem(lay(folder, files)).tests
    assert isinstance(tests, StdioTests)
    return tests


def test_a_legacy_package(tmp_path: Path) -> None:
    problem = load_problem(lay(tmp_path, LEGACY))
    assert problem.name == "Sums"
    assert problem.limits == Limits()
    assert problem.tests == StdioTests(
        cases=[
            StdioCase(input="1 2\n", answer="3\n", name="sample/1"),
            StdioCase(input="4 5\n", answer="9\n", name="secret/a"),
        ],
        judge=Comparison(),
    )
    assert load_problems(tmp_path) == [(tmp_path.name, problem)]


@pytest.mark.parametrize("version", ["2023-07-draft", "2023-07", "2025-09-draft", "2025-09"])
def test_the_newer_formats(tmp_path: Path, version: str) -> None:
    files = {**NEW, "problem.yaml": f"problem_format_version: {version}\nname: {{en: Sums}}\n"}
    problem = load_problem(lay(tmp_path, files))
    assert problem.name == "Sums"
    assert isinstance(problem.tests, StdioTests)
    assert [case.name for case in problem.tests.cases] == ["sample/1", "secret/a"]


def test_limits_in_their_units(tmp_path: Path) -> None:
    about = """
name: Limits
validation: custom
limits:
  time_limit: 1.5
  memory: 512
  output: 2
  validation_time: 30
  validation_memory: 1024
  validation_output: 1
  time_multiplier: 5
"""
    files = {**LEGACY, "problem.yaml": about, "output_validators/v.py": VALIDATOR}
    problem = load_problem(lay(tmp_path, files))
    assert problem.limits == Limits(cpu_time_s=1.5, memory_bytes=512 << 20, output_bytes=2 << 20)
    assert isinstance(problem.tests, StdioTests)
    assert isinstance(problem.tests.judge, ProgramJudge)
    assert problem.tests.judge.limits == Limits(
        cpu_time_s=30, memory_bytes=1024 << 20, output_bytes=1 << 20
    )


@pytest.mark.parametrize(
    ("path", "text"),
    [(".timelimit", "3\n"), ("domjudge-problem.ini", "color = red\ntimelimit='3'\n")],
)
def test_a_time_limit_beside_the_description(tmp_path: Path, path: str, text: str) -> None:
    assert load_problem(lay(tmp_path, {**LEGACY, path: text})).limits.cpu_time_s == 3
    lay(tmp_path, {"problem.yaml": "name: n\nlimits: {time_limit: 2}\n"})
    assert load_problem(tmp_path).limits.cpu_time_s == 2


def test_groups_within_groups_in_lexicographical_order(tmp_path: Path) -> None:
    files = {"problem.yaml": "name: n\ntype: scoring\n"}
    for name in ("secret/b/x/2", "secret/b/x/10", "secret/a/1", "secret/b-1", "secret/b/y/1"):
        files |= {f"data/{name}.in": name, f"data/{name}.ans": ""}
    assert [case.name for case in stdio_of(tmp_path, files).cases] == [
        "secret/a/1",
        "secret/b/x/10",
        "secret/b/x/2",
        "secret/b/y/1",
        "secret/b-1",
    ]


def test_flags_of_legacy_groups_follow_the_packages_own(tmp_path: Path) -> None:
    files = {
        "problem.yaml": "name: n\nvalidator_flags: case_sensitive\n",
        "data/testdata.yaml": "output_validator_flags: float_tolerance 1e-3\n",
        "data/secret/testdata.yaml": "output_validator_flags: float_absolute_tolerance 0.5\n",
        "data/secret/g/h/testdata.yaml": "on_reject: continue\n",
        "data/secret/g/i/testdata.yaml": "output_validator_flags: ''\n",
        "data/secret/g/j/testdata.yaml": "output_validator_flags: {name: v, flags: case_sensitive}",
    }
    for name in ("sample/1", "secret/1", "secret/g/h/1", "secret/g/i/1", "secret/g/j/1"):
        files |= {f"data/{name}.in": "", f"data/{name}.ans": ""}
    tests = stdio_of(tmp_path, files)
    assert tests.judge == Comparison(case_sensitive=True)
    near = Comparison(case_sensitive=True, float_absolute_tolerance=0.5)
    assert {case.name: case.judge for case in tests.cases} == {
        "sample/1": Comparison(
            case_sensitive=True, float_absolute_tolerance=1e-3, float_relative_tolerance=1e-3
        ),
        "secret/1": near,
        "secret/g/h/1": near,
        "secret/g/i/1": None,
        "secret/g/j/1": Comparison(case_sensitive=True),
    }


def test_arguments_of_newer_groups_and_cases(tmp_path: Path) -> None:
    files = {
        "problem.yaml": "problem_format_version: 2025-09\nname: n\nconstants: {eps: 1e-6}\n",
        "output_validator/main.py": VALIDATOR + "# {{eps}} {{other}}\n",
        "data/secret/test_group.yaml": "output_validator_args: [eps, '{{eps}}']\n",
        "data/secret/2.yaml": "output_validator_args: [no, 1.50]\nhint: think\n",
        "data/secret/3.yaml": "description: a hard one\n",
        "data/secret/4.yaml": "output_validator_args: []\n",
    }
    for name in ("sample/1", "secret/1", "secret/2", "secret/3", "secret/4"):
        files |= {f"data/{name}.in": "", f"data/{name}.ans": ""}
    tests = stdio_of(tmp_path, files)
    assert isinstance(tests.judge, ProgramJudge)
    assert tests.judge.flags == []
    assert tests.judge.source == VALIDATOR + "# 1e-6 {{other}}\n"
    # The words are as they stand in the file: no number is rounded, and `no` is not False.
    assert [case.judge_flags for case in tests.cases] == [
        None, ["eps", "1e-6"], ["no", "1.50"], ["eps", "1e-6"], None,
    ]  # fmt: skip


def test_a_validator_of_several_sources(tmp_path: Path) -> None:
    files = {
        **LEGACY,
        "problem.yaml": "name: n\nvalidation: custom\nvalidator_flags: a 1\n",
        "output_validators/v/validate.cc": "main",
        "output_validators/v/more.cc": "more",
        "output_validators/v/lib/v.h": "head",
    }
    assert stdio_of(tmp_path, files).judge == ProgramJudge(
        contract="icpc",
        language="cpp",
        source="more",
        files={"validate.cc": "main", "lib/v.h": "head"},
        flags=["a", "1"],
    )


def test_a_validator_that_is_there_is_used_where_the_format_says_so(tmp_path: Path) -> None:
    for name, files, used in (
        ("legacy", {**LEGACY, "output_validators/v.py": VALIDATOR}, False),
        ("new", {**NEW, "output_validator/v.py": VALIDATOR}, True),
        ("between", {**NEW, "output_validators/v/v.py": VALIDATOR}, True),
    ):
        judge = stdio_of(tmp_path / name, files).judge
        assert isinstance(judge, ProgramJudge) == used, name


@pytest.mark.parametrize(
    "files",
    [
        {**LEGACY, "problem.yaml": "name: n\nvalidation: custom interactive\n"},
        {**LEGACY, "problem.yaml": "problem_format_version: 2025-09\nname: n\ntype: interactive\n"},
        {
            **LEGACY,
            "problem.yaml": "problem_format_version: 2025-09\nname: n\n"
            "type: [scoring, interactive]\n",
            "data/secret/test_group.yaml": "output_validator_args: [x]\n",
        },
    ],
)
def test_a_package_that_talks(tmp_path: Path, files: dict[str, str]) -> None:
    folder = "output_validator" if "2025" in files["problem.yaml"] else "output_validators"
    more = {f"{folder}/v.py": VALIDATOR, "data/sample/2.interaction": "<1\n>2\n"}
    tests = load_problem(lay(tmp_path, {**files, **more})).tests
    assert isinstance(tests, InteractiveTests)
    assert tests.judge.contract == "icpc"
    assert [case.name for case in tests.cases] == ["sample/1", "secret/a"]
    grouped = "data/secret/test_group.yaml" in files
    assert tests.cases[1].judge_flags == (["x"] if grouped else None)


@pytest.mark.parametrize(
    ("about", "passes", "talks"),
    [
        ("validation: custom multi-pass\n", 2, False),
        ("validation: custom multipass\nlimits: {validation_passes: 7}\n", 7, False),
        ("validation: custom interactive multi-pass\n", 2, True),
        ("problem_format_version: 2025-09\nname: n\ntype: multi-pass\n", 2, False),
        (
            "problem_format_version: 2025-09\nname: n\ntype: [pass-fail, multi-pass]\n"
            "limits: {validation_passes: 3, validation_time: 5}\n",
            3,
            False,
        ),
        ("problem_format_version: 2023-07\nname: n\ntype: [interactive, multi-pass]\n", 2, True),
        # It is for problems of several passes alone (format 2025-09, "Limits").
        ("validation: custom\nlimits: {validation_passes: 3}\n", 1, False),
    ],
)
def test_a_package_of_several_passes(tmp_path: Path, about: str, passes: int, talks: bool) -> None:
    folder = "output_validators" if "validation: " in about else "output_validator"
    files = {**LEGACY, "problem.yaml": about, f"{folder}/v.py": VALIDATOR}
    tests = load_problem(lay(tmp_path, files)).tests
    assert isinstance(tests, InteractiveTests if talks else StdioTests)
    assert isinstance(tests.judge, ProgramJudge)
    assert (tests.judge.contract, tests.judge.passes) == ("icpc", passes)


def test_bytes_that_are_no_text_stay_bytes(tmp_path: Path) -> None:
    tests = stdio_of(tmp_path, {**LEGACY, "data/secret/a.in": b"\xff\0"})
    assert tests.cases[1].input == Blob(data=b"\xff\0")


def test_links_within_the_package_are_followed(tmp_path: Path) -> None:
    lay(tmp_path, LEGACY)
    (tmp_path / "data/secret/b.in").symlink_to("a.in")
    (tmp_path / "data/secret/b.ans").symlink_to("a.ans")
    tests = load_problem(tmp_path).tests
    assert isinstance(tests, StdioTests)
    assert tests.cases[2] == StdioCase(input="4 5\n", answer="9\n", name="secret/b")


REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "several passes by default": (
        {"problem.yaml": "problem_format_version: 2025-09\ntype: [multi-pass]"},
        "none in .*output_validator$",
    ),
    "a single pass of several": (
        {
            "problem.yaml": "validation: custom multi-pass\nlimits: {validation_passes: 1}",
            "output_validators/v.py": "",
        },
        "limits: `validation_passes` is 1; it must be a whole number from 2",
    ),
    "half a pass": (
        {
            "problem.yaml": "validation: custom multi-pass\nlimits: {validation_passes: 2.5}",
            "output_validators/v.py": "",
        },
        "`validation_passes` is 2.5",
    ),
    "too many passes": (
        {
            "problem.yaml": "validation: custom multi-pass\nlimits: {validation_passes: 1001}",
            "output_validators/v.py": "",
        },
        "from 2 to 1000",
    ),
    "misspelt passes": (
        {"problem.yaml": "limits: {validation_pases: 3}"},
        "limits.*`validation_passes`",
    ),
    "answers alone": (
        {"problem.yaml": "problem_format_version: 2025-09\ntype: submit-answer"},
        "without a program",
    ),
    "an unknown format": ({"problem.yaml": "problem_format_version: 2031-01"}, "2031-01.*legacy"),
    "an unknown word": ({"problem.yaml": "validation: costum"}, "costum.*custom"),
    "a misspelt key": ({"problem.yaml": "validaton: custom"}, "probably meant to be `validation`"),
    "a misspelt limit": ({"problem.yaml": "limits: {time_limt: 1}"}, "limits.*`time_limit`"),
    "a limit that is none": ({"problem.yaml": "limits: {memory: much}"}, "`memory` is much"),
    "too little": ({"problem.yaml": "limits: {memory: 1}"}, "limits.*memory_bytes"),
    "no validator": ({"problem.yaml": "validation: custom"}, "none in .*output_validators"),
    "two validators": (
        {
            "problem.yaml": "validation: custom",
            "output_validators/a.py": "",
            "output_validators/b.py": "",
        },
        "output_validators: 2 output validators: a.py, b.py",
    ),
    "a validator in Java": (
        {"problem.yaml": "validation: custom", "output_validators/v/V.java": ""},
        "unknown language: V.java",
    ),
    "a validator with a script": (
        {
            "problem.yaml": "validation: custom",
            "output_validators/v/build": "",
            "output_validators/v/v.cc": "",
        },
        "`build`",
    ),
    "an unknown flag": ({"problem.yaml": "validator_flags: fuzzy"}, "problem.yaml.*'fuzzy'"),
    "a flag of a group": (
        {"data/secret/testdata.yaml": "output_validator_flags: float_tolerance x"},
        "data: .*lacks its number",
    ),
    "no answer": ({"data/secret/b.in": ""}, r"secret/b.in has no answer.*b.ans"),
    "included files": ({"include/cpp/grader.h": ""}, "include: .*submission"),
    "a validator of sources": ({"static_validator/v.py": ""}, "static_validator"),
    "files of a case": ({"data/secret/a.files/x.txt": ""}, "a.files"),
    "arguments of a case": (
        {
            "problem.yaml": "problem_format_version: 2025-09",
            "data/secret/a.yaml": "args: [-v]",
        },
        "a.yaml: `args`",
    ),
    "flags without end": (
        {"data/secret/testdata.yaml": "output_validator_flags: " + "x " * 40_000},
        "testdata.yaml: the judge's flags have more than 65536 bytes",
    ),
    "arguments in a file": ({"data/secret/a.args": "-v"}, "a.args"),
    "no YAML": ({"problem.yaml": "name: [1"}, "problem.yaml is not YAML"),
    "a list": ({"problem.yaml": "- 1"}, "problem.yaml: expected a table"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_judged_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    files, words = REFUSED[name]
    with pytest.raises(ProblemFileError, match=words) as caught:
        load_problem(lay(tmp_path, {**LEGACY, **files}))
    assert str(tmp_path) in caught.value.message


def test_keys_that_say_nothing_about_judging_are_the_authors_own(tmp_path: Path) -> None:
    about = "name: n\nauthors: [A, B]\nlicence: x\nowner: y\nlimits: {code: 1, own: 2}\n"
    assert load_problem(lay(tmp_path, {**LEGACY, "problem.yaml": about})).name == "n"


def test_constants_do_not_make_texts_without_end(tmp_path: Path) -> None:
    about = f"problem_format_version: 2025-09\nconstants: {{x: {'y' * 10_000}}}\n"
    files = {**LEGACY, "problem.yaml": about, "output_validator/v.py": "{{x}}" * 10_000}
    with pytest.raises(ProblemFileError, match="with its constants put in"):
        load_problem(lay(tmp_path, files))


def test_a_package_without_tests(tmp_path: Path) -> None:
    with pytest.raises(ProblemFileError, match="data has no tests"):
        load_problem(lay(tmp_path, {"problem.yaml": "name: n"}))


def test_the_submissions_of_a_package(tmp_path: Path) -> None:
    files = {
        "problem.yaml": "problem_format_version: 2025-09\nname: n\nconstants: {limit: 7}\n",
        "submissions/submissions.yaml": "accepted: {}\n",
        "submissions/accepted/a.py": "print({{limit}})",
        "submissions/accepted/README.md": "words",
        "submissions/accepted/many/help.cpp": "h",
        "submissions/accepted/many/main.cpp": "m",
        "submissions/wrong_answer/w.c": "w",
        "submissions/wrong_answer/old.py": "#!/usr/bin/env python2\nprint 1",
        "submissions/rejected/J.java": "j",
    }
    found = submissions_of_folder(lay(tmp_path, files))
    assert [(one.name, one.label, one.submission.language) for one in found] == [
        ("accepted/a.py", "accepted", "python"),
        ("accepted/many", "accepted", "cpp"),
        ("rejected/J.java", "rejected", "java"),
        ("wrong_answer/old.py", "wrong_answer", "python2"),
        ("wrong_answer/w.c", "wrong_answer", "c"),
    ]
    assert found[0].submission.source == "print(7)"
    assert found[1].submission.source == "m"
    assert found[1].submission.files == {"help.cpp": "h"}


def test_a_plain_folder_has_no_submissions(tmp_path: Path) -> None:
    with pytest.raises(ProblemFileError, match=r"no problem package.*problem\.yaml"):
        submissions_of_folder(tmp_path)
