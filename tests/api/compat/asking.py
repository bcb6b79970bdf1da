"""Asked over HTTP as clients ask: a new connection each time, JSON both ways."""

from __future__ import annotations

import contextlib
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

#: What never comes is a failure.
PATIENCE_S = 120.0


def ask(
    url: str,
    body: Any = None,
    *,
    method: str | None = None,
    content_type: str = "application/json",
    patience_s: float = PATIENCE_S,
) -> tuple[int, Any]:
    """Status and document; without a body it is a GET."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    headers = {} if data is None else {"Content-Type": content_type}
    asked = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=patience_s) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def answered(url: str, body: Any = None, *, status: int = 200) -> Any:
    """The document of an answer with this status."""
    found, document = ask(url, body)
    assert found == status, document
    return document


@contextlib.contextmanager
def leaving(url: str, body: Any) -> Iterator[None]:
    """Ask, and go away without the answer when the block ends."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.netloc, timeout=PATIENCE_S)
    connection.request(
        "POST", url.removeprefix(f"http://{where.netloc}"), json.dumps(body),
        {"Content-Type": "application/json"},
    )  # fmt: skip
    try:
        yield
    finally:
        connection.close()
