"""The key of an endpoint is in no message and no sample."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebox.suite.errors import SuiteError
from scalebox.suite.sampling.keys import HIDDEN, ApiKey
from tests.suite.sampling.conftest import VARIABLE

KEYS = st.text(st.sampled_from(string.ascii_letters + "-_"), min_size=6, max_size=40)


def key_of(monkeypatch: pytest.MonkeyPatch, value: str) -> ApiKey:
    monkeypatch.setenv(VARIABLE, value)
    return ApiKey(VARIABLE)


@given(KEYS, st.text(), st.integers(0, 40), st.integers(0, 40), st.booleans())
def test_no_part_of_a_key_is_in_a_message(
    value: str, text: str, start: int, end: int, whole: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        key = key_of(patch, value)
    shown = key.redacted(text + value[start:end] + text + (value if whole else ""))
    parts = {value[place : place + 4] for place in range(len(value) - 3)}
    assert not any(part in shown.replace(HIDDEN, "…") for part in parts)


@given(KEYS, st.text())
def test_sample_that_repeats_the_key_is_without_it(value: str, text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        key = key_of(patch, value)
    assert value not in key.without(text + value + text)
    assert key.without(value[:-1]) == value[:-1]


def test_words_that_have_nothing_of_the_key_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    key = key_of(monkeypatch, "sk-3f9d1c77")
    assert key.redacted("no sk- here: 3f9 d1c 77") == "no sk- here: 3f9 d1c 77"
    assert key.redacted("provided: sk-3f9d****1c77.") == f"provided: {HIDDEN}****{HIDDEN}."


def test_word_that_local_servers_take_for_a_key_is_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = key_of(monkeypatch, "EMPTY")
    assert key.redacted("an EMPTY list") == "an EMPTY list"
    assert key.headers == {"Authorization": "Bearer EMPTY"}


def test_key_is_not_shown_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    key = key_of(monkeypatch, " secret-0123456789\n")
    assert key.headers == {"Authorization": "Bearer secret-0123456789"}
    assert "secret" not in repr(key)


@pytest.mark.parametrize("value", ["two words", "line\nend", "nul\x01", "schlüssel"])
def test_what_can_be_no_key_is_refused_without_being_shown(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SuiteError, match=VARIABLE) as caught:
        key_of(monkeypatch, value)
    assert value not in str(caught.value)


@pytest.mark.parametrize("variable", ["", VARIABLE])
def test_without_a_key_none_is_sent(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    key = ApiKey(variable)
    assert key.headers == {}
    assert not key.is_set
