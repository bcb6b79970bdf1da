"""Problem packages → `model.Problem`: which format a folder is in, and one module for each.

Kattis and ICPC (`kattis`), Polygon (`polygon`), DMOJ (`dmoj`).  What a package asks for that cannot
be judged as its own judge would is refused with the reason and what to do, never approximated: a
package that reads here gets the verdicts that it gets at home.  Everything in a package is
somebody's: `files` and `documents` bound what is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scalebox.client.folders import ProblemFileError
from scalebox.client.packages import dmoj, kattis, polygon
from scalebox.client.packages.files import PackageFiles, printable
from scalebox.client.packages.programs import RowSubmission
from scalebox.model import Problem


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of package.

    Attributes:
        name: for messages.
        mark: the file by which it is told.
        read: reads the problem.
        submissions: reads the programs that come with it.
    """

    name: str
    mark: str
    read: Callable[[PackageFiles], Problem]
    submissions: Callable[[PackageFiles], list[RowSubmission]]


FORMATS = (
    Format("Kattis or ICPC", "problem.yaml", kattis.read, kattis.submissions),
    Format("Polygon", "problem.xml", polygon.read, polygon.submissions),
    Format("DMOJ", "init.yml", dmoj.read, dmoj.submissions),
)
#: A folder with one of these is a plain one (`client.folders`), whatever else it holds.
_PLAIN = "problem.toml"


def format_of(folder: Path) -> Format | None:
    """The format of a folder; None: it is a plain one.

    Raises:
        ProblemFileError: it could be of several.
    """
    if (folder / _PLAIN).is_file():
        return None
    found = [one for one in FORMATS if (folder / one.mark).is_file()]
    if len(found) > 1:
        marks = " and ".join(one.mark for one in found)
        raise ProblemFileError(
            f"{printable(str(folder))} has {marks}, of packages of different formats; "
            "move all but one of them away"
        )
    return found[0] if found else None


def read_package(folder: Path) -> Problem:
    """The tests, judge and limits of a package.

    Raises:
        ProblemFileError: it is none, cannot be read, or needs what cannot be judged.
    """
    return _format(folder).read(PackageFiles(folder))


def submissions_of_package(folder: Path) -> list[RowSubmission]:
    """The programs that come with a package, without tests.

    Raises:
        ProblemFileError: it is none, or a program cannot be read.
    """
    return _format(folder).submissions(PackageFiles(folder))


def _format(folder: Path) -> Format:
    found = format_of(folder)
    if found is None:
        marks = ", ".join(f"{one.mark} ({one.name})" for one in FORMATS)
        raise ProblemFileError(
            f"{printable(str(folder))} is no problem package: it has none of {marks}"
        )
    return found
