"""Everything that `/openapi.json` describes, asked of a live daemon with data that fits the
description and with data that does not: answers are as described, none is a failure of ours, and
every slot is as it was."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from scalebox.api.openapi import OPERATIONS
from tests import daemons

EXAMPLES = 120
#: Not those about refusals: what no schema says (a language that is not here, a path that leads
#: elsewhere) is refused, too.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
JSON = "application/json"


def free_port() -> int:
    """Of loopback."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def schema() -> Iterator[Any]:
    """What a daemon says about itself, over TCP.  Afterwards nothing went wrong inside it, and no
    slot was lost."""
    address = f"127.0.0.1:{free_port()}"
    with daemons.place(daemons.kinds()[0]) as place:
        with place.start(server={"tcp": address}) as daemon:
            before = [slot.pid for slot in daemon.wait_until_idle().slots]
            yield schemathesis.openapi.from_url(f"http://{address}/openapi.json")
            after = daemon.wait_until_idle()
            assert [slot.pid for slot in after.slots] == before
            assert after.queued_cases == 0
            assert after.counters["slot_failures"] == 0
            assert any(slot.runs for slot in after.slots), "some of it was run"
        said = daemon.said()
        assert "Traceback" not in said, said
        assert "unexpected failure" not in said, said


def programs(case: Any, language: str, without: set[str]) -> Any:
    """Hardly any random name is a language's, or a problem's; then nothing would be run."""
    body = case.body if isinstance(case.body, dict) else {}
    inner = body.get("submissions")
    for one in [body, *(inner if isinstance(inner, list) else [])]:
        if isinstance(one, dict) and isinstance(one.get("language"), str):
            one["language"] = language
            for name in without:
                one.pop(name, None)
    return case


LANGUAGES = st.sampled_from(["python"] * 5 + ["c", "nonsense"])
#: One of them at least keeps most random submissions from being run.
OBSTACLES = st.sets(st.sampled_from(["problem", "limits", "files", "args", "fetch"]))


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_every_answer_is_as_described(schema: Any, operation: Any, mode: GenerationMode) -> None:
    described = schema[operation.path][operation.method]
    media_type = operation.body_types[0] if operation.body is not None else None
    if mode is GenerationMode.NEGATIVE and operation.body in (None, bytes):
        mode = GenerationMode.POSITIVE  # there is nothing that does not fit
    cases = described.as_strategy(generation_mode=mode, media_type=media_type)

    @settings(
        max_examples=EXAMPLES if operation.body else 10, deadline=None, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.builds(programs, cases, LANGUAGES, OBSTACLES))
    def check(case: Any) -> None:
        response = case.call(timeout=daemons.PATIENCE_S)
        assert response.status_code < 500, (case.as_curl_command(), response.text)
        case.validate_response(response, checks=CHECKS)

    check()
