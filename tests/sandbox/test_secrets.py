"""Pid 1's memory is every later program's: nothing of a run may be found in the next one."""

from __future__ import annotations

import marshal
import secrets

import pytest

from scalebox.model import IsolationLevel
from scalebox.sandbox.spec import RunSpec, sealed_memfd
from scalebox.sandbox.zygote import wire
from tests.sandbox.conftest import LIMITS, WAYS, Bench, take

#: Searches its own memory for a text given in two halves, which it never joins.
SEARCH = """
import re
first, second = {first!r}, {second!r}
def search():
    found = 0
    with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb', 0) as memory:
        for line in maps.read().splitlines():
            span, mode, *_ = line.split()
            if 'r' not in mode or 'vv' in line or 'vsys' in line:
                continue
            start, end = (int(part, 16) for part in span.split('-'))
            memory.seek(start)
            try:
                text = memory.read(end - start)
            except OSError:
                continue
            for match in re.finditer(first.encode(), text):
                if text[match.end():match.end() + len(second)] == second.encode():
                    found += 1
    return found
"""


def search_for(marker: str) -> str:
    """Source that prints how often it finds a text in its memory."""
    half = len(marker) // 2
    return SEARCH.format(first=marker[:half], second=marker[half:]) + "print(search())"


async def find(bench: Bench, marker: str) -> bytes:
    outcome = await bench.python(search_for(marker))
    assert outcome.status == 0, outcome.stderr
    return outcome.stdout


async def test_the_search_finds_what_is_there(bench: Bench) -> None:
    marker = secrets.token_hex(16)
    source = search_for(marker).replace("print(search())", "")
    outcome = await bench.python(source + f"kept = {marker!r}\nprint(search() > 0)")
    assert outcome.stdout == b"True\n", outcome.stderr


@pytest.mark.parametrize("size", [100, 60_000, 300_000])
async def test_source_and_input_and_output_of_a_run_are_forgotten(bench: Bench, size: int) -> None:
    in_source, in_input, in_output, in_errors = (secrets.token_hex(16) for _ in range(4))
    source = f"# {in_source} {'x' * size}\nimport sys\nsys.stdin.read()\n"
    source += f"print({in_output[:16]!r} + {in_output[16:]!r})\n"
    source += f"print({in_errors[:16]!r} + {in_errors[16:]!r}, file=sys.stderr)\n"
    outcome = await bench.python(source, (in_input + "y" * size).encode())
    assert outcome.stdout.decode().strip() == in_output
    for marker in (in_source, in_input, in_output, in_errors):
        assert await find(bench, marker) == b"0\n"


async def test_files_arguments_and_channel_of_a_run_are_forgotten(bench: Bench) -> None:
    in_file, in_channel = secrets.token_hex(16), secrets.token_hex(16)
    source = f"import os\nos.write(5, b'{in_channel[:16]}' b'{in_channel[16:]}\\n')\n"
    outcome = await bench.raw(
        RunSpec(
            program=wire.PYTHON_SOURCE,
            limits=LIMITS,
            source=source.replace("' b'", "").encode(),
            files={"data.txt": (in_file.encode(), 0o644)},
            records=1,
        )
    )
    assert outcome is not None
    assert outcome.channel == in_channel.encode() + b"\n"
    outcome.close()
    for marker in (in_file, in_channel):
        assert await find(bench, marker) == b"0\n"


@pytest.mark.parametrize(
    "bench",
    # Without a file system of its own pid 1 removes what a run left, name by name.
    [way for way in WAYS if way[0] is not IsolationLevel.MINIMAL],
    ids=lambda pair: f"{pair[0].value}-{pair[1]}",
    indirect=True,
)
async def test_names_of_files_that_were_gathered_are_forgotten(bench: Bench) -> None:
    file, folder = secrets.token_hex(16), secrets.token_hex(16)
    source = f"""
import os
folder = 'feedback/' + {folder[:16]!r} + {folder[16:]!r}
os.makedirs(folder)
open(folder + '/' + {file[:16]!r} + {file[16:]!r}, 'w').write('kept')
"""
    outcome = await bench.python(source, fetch=("feedback/",))
    assert list(outcome.files) == [f"feedback/{folder}/{file}"]
    outcome.close()
    for marker in (file, folder):
        assert await find(bench, marker) == b"0\n"


async def test_a_candidate_does_not_inherit_the_testers_input(bench: Bench) -> None:
    marker = secrets.token_hex(16)
    source = search_for(marker).replace("print(search())", "print(search(), flush=True)")
    outcome = await bench.raw(
        RunSpec(
            program=wire.PYTHON_SOURCE,
            limits=LIMITS,
            source=(source + "\nimport os\nos.read(3, 1)").encode(),
            records=1,
            driver=marshal.dumps(compile(_WAITING_TESTER, "t", "exec")),
            driver_stdin=marker.encode(),
        )
    )
    assert outcome is not None
    assert outcome.channel == b"done\n", (outcome, take(outcome.stderr))
    assert take(outcome.stdout) == b"0\n"
    outcome.close()


#: Reads its input, waits until the candidate has searched and hung up, and answers.
_WAITING_TESTER = """
import os
held = os.read(0, 99)
assert len(held) == 32
os.close(4)
while os.read(3, 99):
    pass
os.write(5, b'done\\n')
"""


async def test_a_long_input_by_descriptor_stays_outside(bench: Bench) -> None:
    marker = secrets.token_hex(16)
    descriptor = sealed_memfd(marker.encode() * 1000)
    outcome = await bench.python("print(len(input()))", descriptor)  # type: ignore[arg-type]
    assert outcome.stdout == b"32000\n"
    assert await find(bench, marker) == b"0\n"
