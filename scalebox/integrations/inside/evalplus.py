"""Calls a function with EvalPlus's inputs, inside the sandbox: one process for all of a task.

Written from what evalplus/evalplus:evalplus/eval/__init__.py (`unsafe_execute`) does; what it does
there with expected outputs is done outside (`..evalplus`).  The sets of inputs of a task, each of
them with a module of its own, come marshalled behind the job, or encoded in it.  The job is `code`,
`entry_point`, `guarded`, `timed`, `stop_early` (after a call that is not done, of any set, there is
none), `digests` and `sets`; a set is its inputs, the limit of each in seconds, and one of all
together or None.  Long values, of which a few tasks have hundreds of megabytes, go as digests where
nothing but equality counts (`digests`).
"""

import array
import marshal
import math
import re
import signal
import sys
import time
from typing import Any

from scalebox_common import Channel, TimeoutException, WriteOnlyStringIO, guard, read_job
from scalebox_values import decode, encode

_process_time, _monotonic = time.process_time, time.monotonic
#: What is returned is written after so many calls, when the clock ticks in a slow one, or with the
#: first text or list that is so long.
_TOGETHER, _LONG = 32, 1000
_START_CHARS = 200
#: Beyond this, integers are no floats.
_EXACT = 1 << 53
#: First bytes of floats below 2 ** 49, of either sign.
_SMALL_HEADS = bytes([*range(0x43), *range(0x80, 0xC3)])
_MINUS_ZERO_HEAD = b"\x80"
#: Compiled where it is wanted, which is rarely.
_INTEGRAL = rb"\.0(?=[,)\]}])"
_TICK_S, _SHORTEST_TICK_S = 0.1, 0.005
#: Sleepers are ended by wall time, of which a call has as much as a daemon gives where nobody asks.
_SLEEP_FACTOR, _SLEEP_EXTRA_S = 2.0, 5.0


class Watch:
    """Ends calls that take too long.  A call costs it two looks at clocks: a timer that ticks for
    all of them is cheaper than one for each.
    """

    def __init__(self) -> None:
        self._limit_s = math.inf
        self._begun_s = self._begun_wall_s = 0.0
        #: Called when the clock ticks in a call.
        self.ticked: Any = None
        signal.signal(signal.SIGALRM, self._tick)

    def tick(self, shortest_limit_s: float) -> None:
        """From now on."""
        tick_s = max(min(_TICK_S, shortest_limit_s / 4), _SHORTEST_TICK_S)
        signal.setitimer(signal.ITIMER_REAL, tick_s, tick_s)

    def begin(self, limit_s: float, begun_s: float) -> None:
        """Of a call, at that CPU time of the process."""
        self._begun_wall_s = _monotonic()
        self._begun_s = begun_s
        self._limit_s = limit_s

    def end(self) -> None:
        """Of a call that has returned: it had no more time than its limit."""
        limit_s, self._limit_s = self._limit_s, math.inf
        # One that had a core for itself all the time had no more of it than the wall's clock says.
        if _monotonic() - self._begun_wall_s > limit_s and self.spent_s() > limit_s:
            raise TimeoutException("Timed out!")

    def drop(self) -> None:
        """A call has ended otherwise."""
        self._limit_s = math.inf

    def now(self) -> float:
        """CPU seconds of the process."""
        return _process_time()

    def spent_s(self) -> float:
        """CPU seconds since the call began."""
        return _process_time() - self._begun_s

    def _tick(self, signum: int, frame: Any) -> None:
        limit_s = self._limit_s
        if limit_s == math.inf:
            return
        self.ticked()
        slept_s = _monotonic() - self._begun_wall_s
        if self.spent_s() > limit_s or slept_s > limit_s * _SLEEP_FACTOR + _SLEEP_EXTRA_S:
            raise TimeoutException("Timed out!")


class Returned:
    """What calls have returned, until it is written.

    Parameters:
        channel: where to.
        timed: whether times are said.
    """

    def __init__(self, channel: Channel, timed: bool) -> None:
        self._channel = channel
        self._timed = timed
        self._first = 0
        self._values: Any = []
        self._times: Any = []

    def add(self, value: Any, spent_s: float) -> None:
        """The next call's."""
        long = isinstance(value, (str, list)) and len(value) > _LONG
        self._values.append(value)
        if self._timed:
            self._times.append(spent_s)
        if long or len(self._values) >= _TOGETHER:
            self.write()

    def skip(self, error: BaseException) -> None:
        """The next call has returned nothing."""
        self.write()
        self._channel.send(test=self._first, error=words_of(error))
        self._first += 1

    def write(self) -> None:
        """What there is."""
        if not self._values:
            return
        first, values, times = self._first, self._values, self._times
        self._first, self._values, self._times = first + len(values), [], []
        if self._timed:
            self._channel.send(test=first, values=values, times_s=times)
        else:
            self._channel.send(test=first, values=values)


class Digests:
    """What goes in the place of long values: equal for those that `==` holds between.

    Attributes:
        spent_s: CPU time that making them took, which is not the submission's.
    """

    def __init__(self) -> None:
        from hashlib import sha256  # slow to load, and rarely wanted

        self.spent_s = 0.0
        self._sha256 = sha256

    def encode(self, value: Any) -> Any:
        """The value, or its digest, as JSON data."""
        kind = type(value)
        if kind not in (str, list, tuple) or len(value) <= _LONG:
            return encode(value)
        begun_s = _process_time()
        digest = self._text(value) if kind is str else self._items(value)
        self.spent_s += _process_time() - begun_s
        if digest is None:
            return encode(value)
        start = value[:_START_CHARS] if kind is str else value[:3]
        return {
            "digest": kind.__name__ + " " + digest,
            "items": len(value),
            "start": repr(start)[:_START_CHARS],
        }

    def _text(self, value: Any) -> Any:
        return self._sha256(value.encode("utf-8", "surrogatepass")).hexdigest()

    def _items(self, value: Any) -> Any:
        kinds = set(map(type, value))
        if kinds == {float}:
            return None  # near is enough for these
        if kinds <= {int, float, bool} and (numbers := _exact(value)):
            return self._sha256(numbers).hexdigest()
        if not kinds <= {list, tuple, str}:
            return None
        digest = self._sha256()
        for item in value:  # one by one: memory might not hold the text of all
            text = repr(item).encode("utf-8", "surrogatepass")
            digest.update(re.sub(_INTEGRAL, b"", text) + b",")
        return digest.hexdigest()


def _exact(value: Any) -> Any:
    """Numbers as those of a float each, zero without a sign; None: not all of them are such."""
    try:
        numbers = array.array("d", value).tobytes()
    except OverflowError:
        return None
    # Sign and upper bits of the exponent: far from where integers are no floats there is no need to
    # look at each, which takes as long as making them.
    heads = numbers[7::8] if sys.byteorder == "little" else numbers[::8]
    if heads.translate(None, _SMALL_HEADS) and not (min(value) >= -_EXACT and max(value) <= _EXACT):
        return None
    if _MINUS_ZERO_HEAD in heads:  # maybe of another small one: then this changes nothing
        numbers = array.array("d", [0.0 if one == 0 else one for one in value]).tobytes()
    return numbers


def words_of(error: BaseException) -> str:
    """An error in words; what it says of itself may be an error, too."""
    try:
        return repr(error)[:1000]
    except Exception:
        return type(error).__name__


def silence() -> None:
    """What is printed goes nowhere, and nothing can be read."""
    quiet: Any = sys.stdout
    kept = sys.stdin is quiet and sys.stderr is quiet
    if kept and type(quiet) is WriteOnlyStringIO:
        try:
            if not quiet.getvalue():
                return  # nobody has used it: as good as new
        except ValueError:
            pass  # it was closed
    sys.stdin = sys.stdout = sys.stderr = WriteOnlyStringIO()


def function_of(job: Any, channel: Channel) -> Any:
    """The function of a module of its own; None: it has none, and that has been said."""
    names: Any = {}
    silence()
    try:
        code = compile(job["code"], "<string>", "exec", dont_inherit=True)
    except BaseException as error:
        channel.send(broken=words_of(error), source=True)
        return None
    try:
        exec(code, names)
        return names[job["entry_point"]]
    except BaseException as error:
        channel.send(broken=words_of(error))
        return None


def try_set(job: Any, one: Any, channel: Channel, watch: Watch, digests: Any) -> Any:
    """Call the function with each input; whether no call was left out, or None: there is none."""
    inputs, limits_s, together_s = one
    function = function_of(job, channel)
    if function is None:
        return None
    whole = True
    timed = job["timed"]
    returned = Returned(channel, timed)
    watch.ticked = returned.write
    watch.tick(min(limits_s, default=1.0))
    encoded = digests.encode if digests else encode
    until_s = math.inf if together_s is None else watch.now() + together_s
    for arguments, limit_s in zip(inputs, limits_s):
        silence()
        begun_s = watch.now()
        limit_s = min(limit_s, until_s - begun_s)
        if limit_s <= 0:
            whole = False
            break
        try:
            watch.begin(limit_s, begun_s)
            value = function(*arguments)
            spent_s = watch.spent_s() if timed else 0.0
            watch.end()
            shown = encoded(value)
            del value  # which may be most of the memory
            returned.add(shown, spent_s)
            if digests and digests.spent_s:
                until_s += digests.spent_s
                digests.spent_s = 0.0
        except BaseException as error:
            watch.drop()
            over = watch.now() > until_s
            if not over:
                returned.skip(error)
            if over or job["stop_early"]:
                whole = False
                break
    returned.write()
    return whole


def main() -> None:
    """Everything."""
    job, packed = read_job()
    channel = Channel()
    sets = job["sets"]
    if sets is None:
        sets = marshal.loads(packed)
    else:
        sets = [([decode(one) for one in inputs], *limits) for inputs, *limits in sets]
    watch = Watch()
    digests = Digests() if job["digests"] else None
    if job["guarded"]:
        guard("exit", "quit", "help", "open")
    for number, one in enumerate(sets):
        if number:
            channel.send(set=number)
        whole = try_set(job, one, channel, watch, digests)
        if whole is None:
            break
        if not whole and job["stop_early"]:
            channel.send(done=True)
            break
    else:
        channel.send(done=True)
    channel.end()


main()
