"""Names of judges of the store: what a text means, and which text means a judge.

`sha256:HASH` is one by its content (that is for any problem, or else for one), `problem:ID` the
active judge of a problem, and `problem:ID#VERSION` one that is or was a problem's.  All else can
only name a judge that ships.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from scalebox.errors import UnknownJudgeError

_HASH = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
_BY_HASH, _BY_PROBLEM = "sha256:", "problem:"
#: Of names that somebody made up, so much is repeated.
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class StoreName:
    """What a name says.

    Attributes:
        hash: of the judge; empty: it is named by its problem.
        problem: which it is for.
        version: of the problem's judges; 0: the active one.
    """

    hash: str = ""
    problem: str = ""
    version: int = 0

    def __str__(self) -> str:
        if self.hash:
            return _BY_HASH + self.hash
        version = f"#{self.version}" if self.version else ""
        return f"{_BY_PROBLEM}{self.problem}{version}"


def parse(name: str) -> StoreName | None:
    """What a name says; None: it names no judge of the store.

    Raises:
        UnknownJudgeError: it begins as one of the store's, and cannot be one.
    """
    if _HASH.fullmatch(name):
        return StoreName(hash=name)
    if name.startswith(_BY_HASH):
        digest = name.removeprefix(_BY_HASH)
        if not _HASH.fullmatch(digest):
            raise UnknownJudgeError(
                f"{shown(name)} names no judge: after `sha256:` come 64 hexadecimal digits in "
                "lower case",
                field="name",
            )
        return StoreName(hash=digest)
    if name.startswith(_BY_PROBLEM):
        problem, mark, version = name.removeprefix(_BY_PROBLEM).partition("#")
        if not problem or (mark and not _VERSION.fullmatch(version)):
            raise UnknownJudgeError(
                f"{shown(name)} names no judge: after `problem:` comes the problem's id, and "
                "perhaps `#` and the version of its judge",
                field="name",
            )
        return StoreName(problem=problem, version=int(version or 0))
    return None


def name_of(digest: str, problem: str, version: int) -> str:
    """The name that means this judge alone.

    Parameters:
        problem: which it is for; empty: any.
    """
    if problem:
        return str(StoreName(problem=problem, version=version))
    return str(StoreName(hash=digest))


def shown(name: str) -> str:
    """A name that somebody made up, fit for a message."""
    return repr(name[:_SHOWN])
