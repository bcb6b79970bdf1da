"""What an endpoint's answer means, and what is never taken for one."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebox.suite.sampling.answers import NonsenseError, Words, said, words_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["content", "text", "type", "thinking"]), inner)
    ),
    max_leaves=8,
)


def chat(message: Any, **fields: Any) -> bytes:
    choice = {"index": 0, "message": message, "finish_reason": fields.pop("finish", "stop")}
    return json.dumps({"choices": [choice], **fields}).encode()


def test_answer_of_a_conversation() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    body = chat({"role": "assistant", "content": "hé"}, usage=usage)
    assert words_of(body, "chat") == Words("hé", "", "stop", 3, 4)


def test_completion() -> None:
    body = json.dumps({"choices": [{"text": " x", "finish_reason": "length"}]}).encode()
    assert words_of(body, "completion") == Words(" x", "", "length", None, None)


@pytest.mark.parametrize(
    ("message", "text", "reasoning"),
    [
        ({"content": "a", "reasoning": "r"}, "a", "r"),
        ({"content": "a", "reasoning_content": "r"}, "a", "r"),
        ({"content": "a", "reasoning": None, "reasoning_content": "r"}, "a", "r"),
        ({"content": None, "reasoning": "r"}, "", "r"),
        ({"reasoning": "r"}, "", "r"),
        ({"content": "a", "reasoning": {"effort": 1}}, "a", ""),
        ({"content": None, "refusal": "No."}, "No.", ""),
        ({"content": None, "tool_calls": [{"id": "x"}]}, "", ""),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "ab", ""),
        ({"content": ["a", {"type": "output_text", "text": "b"}]}, "ab", ""),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "r"}]},
                    {"type": "text", "text": "a"},
                ]
            },
            "a",
            "r",
        ),
        ({"content": [{"type": "thinking", "thinking": "r"}]}, "", "r"),
        ({"content": []}, "", ""),
    ],
)
def test_text_and_reasoning(message: dict[str, Any], text: str, reasoning: str) -> None:
    found = words_of(chat(message), "chat")
    assert (found.text, found.reasoning) == (text, reasoning)


@pytest.mark.parametrize("finish", ["stop", "length", "content_filter", "tool_calls"])
def test_honestly_empty_answer_is_one(finish: str) -> None:
    assert words_of(chat({"content": ""}, finish=finish), "chat") == Words("", "", finish)


def test_text_without_a_reason_for_its_end_is_an_answer() -> None:
    assert words_of(chat({"content": "a"}, finish=None), "chat") == Words("a")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "an empty body"),
        (b"  \n", "an empty body"),
        (b"<!DOCTYPE html><p>Bad  gateway", "a page of HTML: <!DOCTYPE html><p>Bad gateway"),
        (b'data: {"choices": []}\n\n', "a stream of events"),
        (b"upstream error", "no JSON"),
        (b'{"choices": [{"index"', "no JSON"),
        (b'{"x": ' * 100_000, "nested without end"),
        (b'{"choices": [{"message": {"content": "\xff"}}]}', "no UTF-8"),
        (b'{"choices": [{"message": {"content": "\\ud800"}}]}', "no JSON"),
        (b"[]", "JSON that is no answer"),
        (b"null", "JSON that is no answer"),
        (b"{}", "without choices"),
        (b'{"choices": []}', "without choices"),
        (b'{"choices": {"0": 1}}', "without choices"),
        (b'{"choices": ["a"]}', "of another shape"),
        (b'{"choices": [{"text": "a"}]}', "of another shape"),
        (chat({"content": 3}), "of another shape"),
        (chat({"content": [{"type": "image_url"}]}), "no text: image_url"),
        (chat({"content": [3]}), "no text: int"),
        (chat({"content": ""}, finish=None), "without a reason why it ends"),
        (chat({"content": None}, finish=None), "without a reason why it ends"),
        (chat({"content": "half"}, finish="abort"), "broken off"),
        (chat({"content": ""}, finish="error"), "broken off"),
        (chat({"content": "x"}, error={"message": "out of memory"}), "answer: out of memory"),
    ],
)
def test_nonsense_is_no_answer(body: bytes, words: str) -> None:
    with pytest.raises(NonsenseError) as caught:
        words_of(body, "chat")
    assert words in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("count", [-1, 1 << 60, 2.5, True, "7", None, [7]])
def test_token_counts_that_cannot_be_are_not_known(count: Any) -> None:
    body = chat({"content": "a"}, usage={"prompt_tokens": count, "completion_tokens": 5})
    assert words_of(body, "chat") == Words("a", "", "stop", None, 5)


@given(st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_an_answer_or_nonsense(body: bytes) -> None:
    for kind in ("chat", "completion"):
        with pytest.raises(NonsenseError):
            words_of(body, kind)  # type: ignore[arg-type]
    assert said(body).isprintable()


@given(JSON, JSON, JSON)
def test_any_message_is_an_answer_or_nonsense(content: Any, reasoning: Any, usage: Any) -> None:
    body = chat({"content": content, "reasoning": reasoning}, usage=usage)
    try:
        found = words_of(body, "chat")
    except NonsenseError:
        assert not isinstance(content, str)
        return
    assert isinstance(found.text, str)
    assert found.finish == "stop"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"message": "too\nlong", "code": 400}}, "too long"),
        ({"object": "error", "message": "no such model"}, "no such model"),
        ({"error": "bare"}, "bare"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"detail": [{"loc": ["body"], "msg": "missing"}]}, '{"detail": [{"loc": ["body"]'),
        ({"error": {"code": 1}}, '{"error": {"code": 1}}'),
        ("\x1b[31mred", "�[31mred"),
    ],
)
def test_words_about_an_error_are_found_and_harmless(body: Any, words: str) -> None:
    found = said(json.dumps(body).encode())
    assert found.startswith(words)
    assert len(said((string.ascii_letters * 100).encode())) < 400
