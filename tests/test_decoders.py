"""Whatever is read from outside is understood or refused in words: bytes and text that nobody
thought of end no decoder in another way.  (The control socket: tests/sandbox/test_spec.py; HTTP:
tests/api/test_fuzz.py.)"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scalebox.api import batch, codec
from scalebox.api.messages import Batch
from scalebox.client.address import parse_address
from scalebox.client.retry import parse_retry_after
from scalebox.client.transport import Answer, Refusal, Transport
from scalebox.config import load as load_config
from scalebox.engine.problems import ProblemRegistry
from scalebox.errors import (
    BadRequestError,
    ConfigError,
    JudgeStoreError,
    TooLargeError,
    UnknownJudgeError,
    UnknownProblemError,
)
from scalebox.judges.exchange import read_records, write_records
from scalebox.judges.folder import JudgeFolderError, read_judge
from scalebox.judges.names import parse
from scalebox.judges.store import Count
from scalebox.judging import asserts, call
from scalebox.judging.harness import common, programs, tester
from scalebox.languages import table
from scalebox.model import (
    BatchItem,
    CallCase,
    CallTests,
    ErrorBody,
    JudgeState,
    Problem,
    ProgramJudge,
    Report,
    RunRequest,
    RunResult,
    Status,
    StdioCase,
    StdioTests,
    Submission,
    Verdict,
)
from scalebox.sandbox import cgroups, strays
from scalebox.sandbox.zygote import meter
from tests.judges.storing import new as new_judge
from tests.judges.storing import opened

ROOT = Path(__file__).parent.parent
CPP_JUDGE = ProgramJudge(
    contract="testlib", language="cpp", source="int main() {}\n", files={"a.h": "// here\n"}
)
often = settings(
    max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
JSON_VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
DEEP = st.sampled_from([b"[" * 100_000, b"\x91" * 100_000, b'{"a":' * 50_000, b"\x81\xa1a" * 9_999])


def mutated(true: bytes) -> st.SearchStrategy[bytes]:
    """Bytes with a few changed, removed, repeated; or others altogether."""

    @st.composite
    def draw_one(draw: Any) -> bytes:
        data = bytearray(true)
        for _ in range(draw(st.integers(1, 4))):
            start = draw(st.integers(0, len(data)))
            end = min(len(data), start + draw(st.integers(0, 4)))
            data[start:end] = draw(st.binary(max_size=4) | st.just(bytes(data[start:]))) * draw(
                st.integers(0, 2)
            )
        return bytes(data)

    return draw_one() | st.binary(max_size=100) | DEEP


def said(call: Callable[[], object], *errors: type[Exception]) -> Any:
    """The error that a call ends with, one of these; None if it ends well."""
    try:
        call()
    except errors as error:
        return error
    return None


SUBMISSION = Submission(
    language="python",
    source="print(1)",
    tests=StdioTests(cases=[StdioCase(input="1", answer="1")]),
    files={"a": "b"},
)
REPORT = BatchItem(index=0, error=ErrorBody(error="bad_request", message="no", field="x"))


# --- requests -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", [Submission, RunRequest, Problem, Batch], ids=lambda one: one.__name__
)
@pytest.mark.parametrize("coding", [codec.JSON, codec.MSGPACK], ids=lambda one: one.name)
def test_a_document_is_valid_or_refused_with_its_place(coding: codec.Coding, kind: type) -> None:
    true = coding.encode({"submissions": [SUBMISSION]} if kind is Batch else SUBMISSION)

    @often
    @given(mutated(true))
    def check(data: bytes) -> None:
        error = said(lambda: codec.decode(coding, kind, data), BadRequestError)
        if error is not None:
            # What is said of it can be said in either coding.
            body = ErrorBody(error=error.code, message=error.message, field=error.field)
            codec.JSON.encode(body)
            codec.MSGPACK.encode(body)

    check()


@often
@given(st.lists(st.binary(max_size=20), max_size=5), st.booleans())
def test_a_stream_is_cut_where_it_was_joined(pieces: list[bytes], frames: bool) -> None:
    if frames:
        body = b"".join(len(piece).to_bytes(4, "big") + piece for piece in pieces)
        expected = pieces
    else:
        pieces = [piece.replace(b"\n", b"") for piece in pieces]
        body = b"\n".join(pieces)
        expected = [piece for piece in pieces if piece.strip()]
    coding = codec.MSGPACK if frames else codec.JSON
    assert [bytes(piece) for piece in batch._cut(coding, True, body)] == expected


@often
@given(mutated((30).to_bytes(4, "big") + b"x" * 30), st.booleans(), st.booleans())
def test_any_stream_is_cut_or_refused(body: bytes, streamed: bool, frames: bool) -> None:
    coding = codec.MSGPACK if frames else codec.JSON
    try:
        pieces = batch._cut(coding, streamed, body)
    except (BadRequestError, TooLargeError):
        return
    assert sum(len(memoryview(piece)) for piece in pieces) <= len(body)


@often
@given(st.text(max_size=40) | st.sampled_from([";q=1.2.3", "application/json;q=..", "*/*;q=-1"]))
def test_any_accept_header_is_answered_in_some_coding(header: str) -> None:
    assert codec._answer_coding(header, header) in (codec.JSON, codec.MSGPACK)
    codec._request_coding(header, True)


# --- answers, at the client -----------------------------------------------------------------------


def transport() -> Transport:
    return Transport(parse_address("http://127.0.0.1:1"), None, None)


@often
@given(st.lists(st.integers(0, 1000), max_size=5), st.lists(st.integers(1, 40), max_size=9))
def test_frames_are_found_however_they_arrive(indices: list[int], sizes: list[int]) -> None:
    frames = [msgspec.msgpack.encode(BatchItem(index=index)) for index in indices]
    stream = b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames)
    found, buffer, split = [], bytearray(), transport()._split
    for size in [*sizes, len(stream)]:
        buffer += stream[:size]
        stream = stream[size:]
        found += split(buffer)
    assert [item.index for item in found] == indices
    assert not buffer


@often
@given(mutated(b"\0\0\0\x40" + msgspec.msgpack.encode(REPORT).ljust(64, b"\xc0")))
def test_an_answer_that_makes_no_sense_is_refused(data: bytes) -> None:
    readings: list[Callable[[], object]] = [lambda: transport()._split(bytearray(data))]
    for content_type in (codec.JSON_TYPE, codec.MSGPACK_TYPE, ""):
        answer = Answer(content_type, data)
        kinds = (Report, RunResult, Status, ErrorBody)
        readings += [functools.partial(answer.decode, kind) for kind in kinds]
    for read in readings:
        refusal = said(read, Refusal)
        assert refusal is None or "cannot be understood" in str(refusal)


@often
@given(mutated(b'{"error":"bad_request","message":"no"}'), st.booleans())
def test_a_refusal_that_makes_no_sense_is_shown(data: bytes, packed: bool) -> None:
    async def read() -> bytes:
        return data

    response: Any = SimpleNamespace(
        status=500, reason="no", headers={"Retry-After": data.decode("latin-1")}, read=read,
        content_type=codec.MSGPACK_TYPE if packed else "text/html",
    )  # fmt: skip
    refusal = asyncio.run(transport()._refusal(response))
    assert refusal.as_remote_error().http_status == 500


@often
@given(st.text(max_size=30) | st.sampled_from(["nan", "inf", "1e400", "-1", "Mon, 1 Jan 0000000"]))
def test_any_retry_after_is_a_time_to_wait_or_none(value: str) -> None:
    seconds = parse_retry_after(value)
    assert seconds is None or seconds >= 0


@often
@given(st.text(max_size=30) | st.text(max_size=20).map(lambda text: "http://" + text))
def test_any_address_is_one_or_refused(value: str) -> None:
    error = said(lambda: parse_address(value), BadRequestError)
    assert error is None or error.field == "address"


# --- what comes out of the sandbox ----------------------------------------------------------------

TESTS = CallTests(function="f", cases=[CallCase(args=[1], expected={"a": [1, 2.5, "x"]})])
RECORD = b'{"i":0,"v":%s}\n' % common.dumps({"a": [1, 2.5, "x"]}).encode()
TAGS = st.sampled_from(list("tszmdficby=oAMLEDFCOGQRKTNPX"))
TAGGED = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(TAGS, inner, min_size=1, max_size=1)
        | st.dictionaries(TAGS, inner, max_size=2)
    ),
    max_leaves=8,
)


def test_the_true_record_is_right() -> None:
    (record,) = call.parse_records(RECORD, [0])
    assert call.decide_call(TESTS, 0, record) == (Verdict.ACCEPTED, "")


@often
@given(mutated(RECORD) | TAGGED.map(lambda tree: b'{"i":0,"v":%s}\n' % json.dumps(tree).encode()))
def test_a_forged_record_is_judged_and_no_more(channel: bytes) -> None:
    call.parse_loaded(channel)
    for record in call.parse_records(channel, [0]):
        verdict, words = call.decide_call(TESTS, 0, record)
        words.encode("utf-8", "backslashreplace")
        assert verdict in (Verdict.ACCEPTED, Verdict.WRONG_ANSWER, Verdict.RUNTIME_ERROR)
        if verdict is Verdict.ACCEPTED:
            assert b"2.5" in channel


@often
@given(mutated(programs.result_record("secret", "passed", "").encode()))
def test_a_record_without_the_nonce_is_none(channel: bytes) -> None:
    outcome = asserts.parse_assert_record(channel, "secret")
    if outcome.state != "missing":
        assert b"secret" in channel


ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "v": TAGGED,
        "e": TAGGED
        | st.tuples(st.lists(st.tuples(st.text(), st.text()), max_size=2), TAGGED, TAGGED),
        "u": TAGGED,
        "a": TAGGED | st.lists(st.tuples(SCALARS, TAGGED), max_size=2),
        "c": TAGGED,
    },
)


@often
@given(
    st.lists(
        (ANSWERS | TAGGED).map(lambda tree: json.dumps(tree).encode()) | st.binary(max_size=30)
    )
)
def test_a_candidate_that_lies_ends_the_test_or_answers_it(lines: list[bytes]) -> None:
    answers, ours = os.pipe()
    requests = os.open(os.devnull, os.O_WRONLY)
    try:
        os.write(ours, b"".join(line + b"\n" for line in lines))
        os.close(ours)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tester, "REQUESTS", requests)
            link = tester.Link()
            link._answers = common.LineReader(answers, 1 << 16)
            ended = (
                tester.EndedError, tester.UnproxiableError, tester.UncompilableError,
                tester.UnsendableError,
            )  # fmt: skip
            try:
                link.hello()
                for _ in lines:
                    raised = said(lambda: link.ask("call", 1, [1]), Exception)
                    # Nothing but what the candidate is said to have raised.
                    known = isinstance(raised, tester.NoSuchNameError | None)
                    assert known or hasattr(raised, "scalebox_remote"), raised
            except ended:
                pass
            assert lines or isinstance(link.broken, tester.EndedError)
    finally:
        os.close(answers)
        os.close(requests)


# --- files ----------------------------------------------------------------------------------------


def file_check(
    tmp_path: Path, name: str, true: bytes, read: Callable[[Path], object], *errors: type[Exception]
) -> None:
    """Reading a damaged file ends well, or with one of these errors."""
    file = tmp_path / name

    @often
    @given(mutated(true))
    def check(data: bytes) -> None:
        file.write_bytes(data)
        error = said(lambda: read(file), *errors)
        assert error is None or str(error)

    check()


def test_a_damaged_configuration_is_refused(tmp_path: Path) -> None:
    text = (ROOT / "scalebox.toml").read_bytes()
    lines = [line for line in text.splitlines() if not line.startswith(b"#")]
    file_check(tmp_path, "scalebox.toml", b"\n".join(lines), load_config, ConfigError)


def test_a_damaged_language_is_refused(tmp_path: Path) -> None:
    true = (ROOT / "scalebox/languages/cpp.toml").read_bytes()
    file_check(tmp_path, "x.toml", true, lambda file: table.load([str(file.parent)]), ConfigError)


def test_a_damaged_judge_is_refused(tmp_path: Path) -> None:
    true = (ROOT / "judges/floats/judge.toml").read_bytes()

    def read(file: Path) -> None:
        read_judge(file.parent).given({})

    folder = tmp_path / "floats"
    folder.mkdir()
    file_check(folder, "judge.toml", true, read, JudgeFolderError)


def test_a_damaged_folder_of_judges_is_refused(tmp_path: Path) -> None:
    store = opened(tmp_path / "judges.sqlite")
    record, _ = store.add(new_judge(CPP_JUDGE, proof={"asked": [1, 2.5, None]}))
    store.close()
    write_records(tmp_path / "out", [record])
    (folder,) = (tmp_path / "out").iterdir()
    for name in ("judge.json", "proof.json", "judge.cpp", "files/a.h"):
        true = (folder / name).read_bytes()

        def read(file: Path) -> None:
            read_records(tmp_path / "out")

        file_check(folder, name, true, read, JudgeFolderError)
        (folder / name).write_bytes(true)


def test_a_damaged_store_of_judges_is_refused(tmp_path: Path) -> None:
    store = opened(tmp_path / "judges.sqlite")
    for state in JudgeState:
        store.add(new_judge(CPP_JUDGE, state.value, state=state, proof={"a": 1}))
    store.close()

    def read(file: Path) -> None:
        with contextlib.closing(opened(file)) as store:
            names = [name for name, _, _ in store.stored()]
            for name in names:
                if store_name := parse(name):
                    store.record(store_name)
                    store.lookup(store_name)
            store.count([Count(1, 1, 1, "fails")])
            store.add(new_judge(CPP_JUDGE, "another"))

    true = (tmp_path / "judges.sqlite").read_bytes()
    file_check(tmp_path, "judges.sqlite", true, read, JudgeStoreError, UnknownJudgeError)


async def test_a_damaged_problem_was_never_registered(tmp_path: Path) -> None:
    problem = Problem(tests=TESTS)
    await ProblemRegistry(tmp_path / "problems", 10).put("p", problem)
    (true,) = (tmp_path / "problems").iterdir()

    def read(file: Path) -> None:
        assert ProblemRegistry(file.parent, 10).get("p") == problem

    file_check(tmp_path / "problems", true.name, true.read_bytes(), read, UnknownProblemError)


# --- the kernel's ---------------------------------------------------------------------------------


@often
@given(*[st.text(max_size=20) | st.sampled_from(["²", "1", "٣", "-1", ""])] * 2)
def test_any_name_of_a_group_is_a_daemons_or_not(pid: str, started: str) -> None:
    assert cgroups.is_live(f"{cgroups.PREFIX}{pid}.{started}") in (True, False)


@often
@given(st.binary(max_size=20).map(lambda name: os.fsdecode(name.replace(b"\n", b""))))
def test_groups_with_any_name_are_found(name: str) -> None:
    text = f"3:cpu,cpuacct:/a\n1:name=x:/b\n0::/c/{name}\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "read_bytes", lambda self: os.fsencode(text))
        found = cgroups.own_groups()
    assert found["cpu"] == "/a"
    assert found[""] == f"/c/{name}"


@often
@given(st.binary(min_size=1, max_size=15).filter(lambda name: b"\0" not in name))
def test_a_process_may_have_any_name(name: bytes) -> None:
    path = Path("/proc/self/comm")
    before = path.read_bytes()
    try:
        started, filters = cgroups.start_time(os.getpid()), strays._filters("self")
        path.write_bytes(name)
        assert cgroups.start_time(os.getpid()) == started
        assert strays._filters("self") == filters
        fields = meter.stat_fields(os.getpid())
    finally:
        path.write_bytes(before.strip())
    assert fields is not None
    assert int(fields[1]) == os.getppid()
    assert int(fields[19]) == started
