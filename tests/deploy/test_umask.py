"""Service managers and batch scripts start a daemon with a strict umask; programs never notice."""

from __future__ import annotations

import pytest

from scalebox import Client, StdioCase, StdioTests, Submission
from tests.daemons import Kind, Place, kinds, place

CPP = "#include <bits/stdc++.h>\nint main() { int n; std::cin >> n; std::cout << n + 1; }"


class Strict(Place):
    """Where nobody else may read what a daemon makes, if it does not say otherwise."""

    def prefix(self) -> list[str]:
        return ["sh", "-c", 'umask 077; exec "$@"', "sh"]


@pytest.mark.parametrize("kind", kinds(), ids=str)
def test_a_strict_umask_changes_no_verdict(kind: Kind) -> None:
    tests = StdioTests(cases=[StdioCase(input="1", answer="2")])
    with place(kind, Strict) as here, here.start(), Client(here.socket) as client:
        for language, source in (("python", "print(int(input()) + 1)"), ("cpp", CPP)):
            report = client.judge(Submission(language=language, source=source, tests=tests))
            assert report.accepted, report
