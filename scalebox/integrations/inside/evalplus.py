"""Calls a function with EvalPlus's inputs, inside the sandbox: one process for all of a task.

Written from what evalplus/evalplus:evalplus/eval/__init__.py (`unsafe_execute`) does; what it does
there with the expected outputs is done outside (`..evalplus`).  Reads one JSON object: `code`,
`entry_point`, `inputs` (encoded), `time_limits_s`, `guarded`.
"""

import time
from typing import Any

from scalebox_common import Channel, Limit, TimeoutException, execute, guard, read_job, swallowed
from scalebox_values import decode, encode

_now = time.process_time


def _over() -> None:
    raise TimeoutException("Timed out!")


limit = Limit(_over)


def try_calls(job: Any, channel: Channel) -> None:
    """Load the program, and call its function with each input."""
    inputs = [decode(one) for one in job["inputs"]]
    names: Any = {}
    try:
        with swallowed():
            execute(job["code"], names)
            function = names[job["entry_point"]]
    except BaseException as error:
        channel.send(broken=repr(error))
        return
    for number, arguments in enumerate(inputs):
        try:
            with swallowed():
                begun = _now()
                limit(job["time_limits_s"][number])
                try:
                    value = function(*arguments)
                finally:
                    limit(0)
                spent_s = _now() - begun
            channel.send(test=number, value=encode(value), spent_s=spent_s)
        except BaseException as error:
            channel.send(test=number, error=repr(error)[:1000])
    channel.send(done=True)


def main() -> None:
    """Everything."""
    job = read_job()
    channel = Channel()
    if job["guarded"]:
        guard("exit", "quit", "help", "open")
    try_calls(job, channel)
    channel.end()


main()
