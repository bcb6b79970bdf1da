"""Inside the sandbox: call the submission's function and write what each call returns.

Standard input holds a header line (`{"function": name}`) and one line per call (`[index, args,
kwargs]`); descriptor 5 takes one line about loading the submission and then one per call, in that
order: `{"i": index, "v": value}`, or `"e"` with an exception, or `"u"` with a value that is not
plain data; for loading the index is -1, the value null, and `"c"` says why the source does not
compile.  One line each lets the slot limit the CPU time of each.  The submission shares this
process and may write what it likes there: the expected values are not here, so it can only spoil
its own result.
"""

from __future__ import annotations

import importlib
import os
from typing import Any, Callable

from scalebox.judging.harness.common import (
    LOADING_INDEX,
    MalformedError,
    UncompilableError,
    UnserialisableError,
    decode,
    describe,
    dumps,
    flush_output,
    load_candidate,
    loads,
    read_stdin,
    write_all,
)

CHANNEL = 5
_exit = os._exit

_MODULES = (
    "bisect cmath collections copy datetime decimal enum fractions functools heapq io "
    "itertools json math operator os random re statistics string sys time typing"
)
_FROM = {
    "typing": "Any Callable DefaultDict Deque Dict FrozenSet Generator Generic Iterable Iterator "
    "List Mapping NamedTuple Optional Sequence Set Tuple Type TypeVar Union",
    "collections": "ChainMap Counter OrderedDict defaultdict deque namedtuple",
    "functools": "cache cmp_to_key lru_cache partial reduce wraps",
    "itertools": "accumulate chain combinations combinations_with_replacement count cycle "
    "groupby islice pairwise permutations product repeat starmap takewhile zip_longest",
    "heapq": "heapify heappop heappush heappushpop heapreplace nlargest nsmallest",
    "bisect": "bisect bisect_left bisect_right insort insort_left insort_right",
    "math": "ceil comb factorial floor gcd inf isqrt lcm log log2 sqrt",
    "dataclasses": "dataclass field",
    "string": "ascii_letters ascii_lowercase ascii_uppercase digits",
    "operator": "itemgetter",
}


def customary_names(source: bytes) -> dict[str, Any]:
    """What sites that call functions import beforehand, as far as the source's text mentions it."""
    found = {}
    for module, names in _FROM.items():
        for name in names.split():
            if name.encode() in source:
                value = getattr(importlib.import_module(module), name, None)
                if value is not None:  # newer names are missing from older interpreters
                    found[name] = value
    for name in _MODULES.split():
        # `bisect` is a module and a function of it; the function wins unless used as a module.
        if name.encode() in source and (name not in found or name.encode() + b"." in source):
            found[name] = importlib.import_module(name)
    return found


class _Names:
    """What a submission finds beforehand, except what it is asked for.

    Whoever is asked for `gcd` may import it, and must then say so: a mention of the word is no
    function, and no reason to pass over `Solution.gcd`.

    Parameters:
        name: of the function.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.given = None  # type: Callable[..., Any] | None

    def __call__(self, source: bytes) -> dict[str, Any]:
        found = customary_names(source)
        given = found.pop(self._name, None)
        if callable(given) and not isinstance(given, type):
            # Another one than what an import brings, and as good where it is only called.
            self.given = found[self._name] = lambda *args, **kwargs: given(*args, **kwargs)
        return found


def _caller(module: Any, name: str, given: Any) -> Callable[..., Any]:
    function = getattr(module, name, None)
    if callable(function) and function is not given:
        return function  # type: ignore[no-any-return]
    solution = getattr(module, "Solution", None)
    if solution is not None and hasattr(solution, name):
        # A fresh object for each call: one call must not prepare the next.
        return lambda *args, **kwargs: getattr(solution(), name)(*args, **kwargs)
    raise NameError(
        "the submission defines no function %s and no class Solution with such a method" % name
    )


def _record(index: int, function: Callable[..., Any], line: str) -> str:
    _, args, kwargs = decode(loads(line))
    try:
        value = function(*args, **kwargs)
    except BaseException as error:
        return '{"i":%d,"e":%s}' % (index, dumps(describe(error)))
    try:
        return '{"i":%d,"v":%s}' % (index, dumps(value))
    except UnserialisableError as error:
        return '{"i":%d,"u":%s}' % (index, dumps(str(error)[:300]))
    except BaseException as error:
        return '{"i":%d,"u":%s}' % (index, dumps(describe(error)))


def main() -> None:
    """The whole run; never returns."""
    header, *lines = read_stdin().decode("ascii").splitlines()
    name = loads(header)["function"]
    indices = [loads(line)[0] for line in lines]
    try:
        names = _Names(name)
        function = _caller(load_candidate(names), name, names.given)
    except UncompilableError as error:
        write_all(CHANNEL, '{"i":%d,"c":%s}\n' % (LOADING_INDEX, dumps(str(error))))
    except BaseException as error:
        write_all(CHANNEL, '{"i":%d,"e":%s}\n' % (LOADING_INDEX, dumps(describe(error))))
    else:
        write_all(CHANNEL, '{"i":%d,"v":null}\n' % LOADING_INDEX)
        for index, line in zip(indices, lines):
            try:
                record = _record(index, function, line)
            except (MalformedError, MemoryError, RecursionError) as error:
                record = '{"i":%d,"e":%s}' % (index, dumps(type(error).__name__))
            write_all(CHANNEL, record + "\n")
    flush_output()
    # Threads that the submission left running have no say any more.
    _exit(0)


if __name__ == "__main__":
    main()
