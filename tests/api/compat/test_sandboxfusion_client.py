"""SandboxFusion's own client, unmodified: the checks of `make compat-test`, in this suite, too."""

from __future__ import annotations

import inspect

import pytest

from bench.clients import Served, checks_of

CHECKS = {
    name: function
    for name, (_, function) in checks_of("tests.api.compat.clients.sandbox_fusion").items()
    # Notebooks are another file's.
    if "jupyter" not in name
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
async def test_the_client_from_pypi(url: str, check: object) -> None:
    assert callable(check)
    found = check(Served(url, ""))
    if inspect.isawaitable(found):
        await found


def test_there_are_checks() -> None:
    assert CHECKS
