"""One text of a submission and what follows it: a test program made of asserts, or a caller.

The test program follows the submission in one file, as datasets have it (MultiPL-E's even closes
the submission's last function).  Both share a process, so that what is said there is `weak`; what
can be done for it here is that nothing which the submission leaves open, or defines, takes the
tests' own words away.
"""

from __future__ import annotations

import functools
import re

from scalebox import asides


def joined(source: bytes, program: str, *, main: str = "", before: str = "") -> bytes:
    """One text of a submission and a program that follows it.

    Parameters:
        main: name of the function in which programs begin.  A submission's own, which models like
            to add, is renamed: it is not under test.  (By a macro of C it would cost a second of
            compilation: gcc takes no precompiled header after one.)
        before: between the two.
    """
    own = source
    if main:
        renamed = f"{main}_of_submission".encode()
        own = _own_main(main).sub(lambda found: renamed if found["main"] else found[0], source)
    # An empty one ends the submission's last line.
    parts = [part for part in (before.rstrip("\n"), program) if part]
    return own + "\n".join(["", *parts, ""]).encode()


@functools.cache
def _own_main(name: str) -> re.Pattern[bytes]:
    pattern = rf"{asides.pattern('names')}|\b(?P<main>{re.escape(name)})(?=\s*\()"
    return re.compile(pattern.encode(), re.DOTALL)
