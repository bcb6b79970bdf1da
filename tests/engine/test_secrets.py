"""What is expected stays here: nothing that a program's process is given holds it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scalebox.model import Submission
from scalebox.sandbox.slot import Slot
from scalebox.sandbox.spec import RunOutcome, RunSpec, read_output

from .conftest import StartsEngine, asserted, calls, stdio

SECRET = 918_273_645
#: Input that does go in, to see that this test looks at the right place.
SHOWN = 918_273_644


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, bytes]]:
    """Everything that was handed to slots: to the program, and to the tester beside it."""
    sent: list[dict[str, bytes]] = []
    run = Slot.run

    def spied(slot: Slot, spec: RunSpec, done: Callable[[RunOutcome | None], None]) -> None:
        program = [spec.source, spec.code, read_output(spec.stdin), repr(spec.argv).encode()]
        program += [name.encode() + content for name, (content, _) in spec.files.items()]
        program += [repr(spec.env).encode(), repr(spec.fetch).encode()]
        sent.append({"program": b"\0".join(program), "tester": spec.driver_stdin})
        run(slot, spec, done)

    monkeypatch.setattr(Slot, "run", spied)
    return sent


SUBMISSIONS: dict[str, Submission] = {
    "stdio": stdio("print(input())", [(f"{SHOWN}", f"{SECRET}")] * 2, stop="never"),
    "stdio in C": stdio("int main(){}", [(f"{SHOWN}", f"{SECRET}")] * 2, language="c"),
    "call": calls("def f(n): return n", [([SHOWN], SECRET), ([SHOWN], f"{SECRET}")], stop="never"),
    "assert": asserted(
        "def f(n): return n", f"assert f({SHOWN}) == {SECRET}", f"assert f({SHOWN}) != {SECRET}",
        stop="never",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SUBMISSIONS)
async def test_expected_values_never_enter_the_sandbox(
    given: list[dict[str, bytes]], start_engine: StartsEngine, kind: str
) -> None:
    async with start_engine() as engine:
        report = await engine.judge(SUBMISSIONS[kind], client="t")
    assert report.integrity == "strong"
    secret, shown = str(SECRET).encode(), str(SHOWN).encode()
    assert not any(secret in one["program"] for one in given)
    if kind == "assert":
        # The tester has the test program, in another process; it passes on the arguments only.
        assert sum(secret in one["tester"] for one in given) == 2
        assert not any(shown in one["program"] for one in given)
    else:
        assert sum(shown in one["program"] for one in given) >= 1
        assert not any(one["tester"] for one in given)
