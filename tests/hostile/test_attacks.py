"""Each attack against one kind of daemon; `make hostile` puts all on at each of them, twice."""

from __future__ import annotations

import pytest
from rich.progress import Progress

from tests.daemons import kinds
from tests.hostile import catalogue, run

KINDS = kinds()


@pytest.mark.parametrize("place", range(len(KINDS)), ids=map(str, KINDS))
def test_a_share_of_the_attacks_holds_no_surprise(place: int) -> None:
    share = catalogue.programs()[place :: len(KINDS)]
    found = run.one_by_one(KINDS[place], share, Progress(disable=True))
    assert {seen.program.name for seen in found} == {program.name for program in share}
    assert {seen.program.name: seen.surprises for seen in found if seen.surprises} == {}
