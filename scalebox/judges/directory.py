"""Judges by name: those that ship with scalebox, wherever it is installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import scalebox
from scalebox.errors import UnknownJudgeError
from scalebox.judges.folder import JudgeFolder, JudgeFolderError, read_judge
from scalebox.model import GivenJudge, JudgeInfo, NamedJudge

_LONGEST_SHOWN = 60


class Directory:
    """Some judges, all of which anybody can name.

    Parameters:
        judges: of different names.

    Raises:
        JudgeFolderError: one says that it is looser than one that is not there.
    """

    def __init__(self, judges: Iterable[JudgeFolder]) -> None:
        self._judges = {judge.info.name: judge for judge in judges}
        for judge in self._judges.values():
            for other in judge.info.looser_than:
                if other not in self._judges:
                    raise JudgeFolderError(
                        f"{judge.path}: looser_than names {other!r}, and there is no such judge"
                    )

    def get(self, name: str) -> JudgeFolder:
        """The judge of that name.

        Raises:
            UnknownJudgeError: there is none.
        """
        if name not in self._judges:
            raise UnknownJudgeError(
                f"no judge {name[:_LONGEST_SHOWN]!r} here; there are: {', '.join(self._judges)}",
                field="name",
            )
        return self._judges[name]

    def find(self, judge: NamedJudge) -> GivenJudge:
        """What a name and its parameters stand for.

        Raises:
            UnknownJudgeError: there is none of that name.
            BadRequestError: a parameter cannot be.
        """
        return self.get(judge.name).given(judge.parameters)

    def in_service(self, judge: NamedJudge) -> None:
        """Nobody: how these do is for their tests to say."""

    def infos(self) -> list[JudgeInfo]:
        """All of them, by name."""
        return [judge.info for judge in self._judges.values()]

    def __iter__(self) -> Iterator[JudgeFolder]:
        return iter(self._judges.values())

    def __contains__(self, name: object) -> bool:
        return name in self._judges


def shipped() -> Directory:
    """The judges that ship.

    Raises:
        JudgeFolderError: they are not there, or one makes no sense: this installation is broken.
    """
    root = _shipped_folder()
    try:
        folders = sorted(file.parent for file in root.glob("*/judge.toml"))
    except OSError as error:
        raise JudgeFolderError(f"cannot read {root}: {error.strerror}") from error
    if not folders:
        raise JudgeFolderError(
            f"there are no judges in {root}: they come with scalebox, so install it again"
        )
    return Directory(map(read_judge, folders))


def _shipped_folder() -> Path:
    """In the package where it is installed, beside it in the tree of its sources."""
    package = Path(scalebox.__file__).parent
    installed = package / "_judges"
    return installed if installed.is_dir() else package.parent / "judges"
