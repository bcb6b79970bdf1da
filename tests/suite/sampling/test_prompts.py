"""What a model is asked."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebox.suite.config import ModelConfig
from scalebox.suite.errors import SuiteError
from scalebox.suite.sampling.prompts import Message, prompts_sha256, request_text
from tests.suite.sampling.conftest import task

CHAT = ModelConfig(name="m")
COMPLETION = ModelConfig(name="m", kind="completion")
#: Everything that a text can be, braces and the two names often among it.
TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.lists(
    st.sampled_from(
        ["{", "}", "{}", "{0}", "%s", "\\1", "\\g<0>", "{prompt}", "{instruction}", "x"]
    )
).map("".join)


def with_template(template: str, **fields: str) -> ModelConfig:
    return ModelConfig(name="m", template=template, **fields)  # type: ignore[arg-type]


def test_chat_asks_the_instruction_behind_the_system_message() -> None:
    model = ModelConfig(name="m", system="Be brief.")
    asked = request_text(task(instruction="Write f."), model)
    assert asked.messages == (Message("system", "Be brief."), Message("user", "Write f."))
    assert msgspec.to_builtins(asked.fields) == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Write f."},
        ]
    }


def test_chat_asks_the_prompt_where_there_is_no_instruction() -> None:
    assert request_text(task(prompt="def f():"), CHAT).messages == (Message("user", "def f():"),)


def test_completion_is_asked_to_continue_the_prompt() -> None:
    asked = request_text(task(prompt="def f():\n", instruction="Write f."), COMPLETION)
    assert asked.fields == {"prompt": "def f():\n"}


def test_template_is_around_prompt_and_instruction() -> None:
    model = with_template("<{instruction}|{prompt}|{prompt}>")
    asked = request_text(task(prompt="P", instruction="I"), model)
    assert asked.messages[0].content == "<I|P|P>"


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_only_the_two_names_are_replaced(
    before: str, between: str, prompt: str, instruction: str
) -> None:
    """Whatever else is in the template or in what is put in stays as it is."""
    quiet = [one.replace("prompt}", "").replace("instruction}", "") for one in (before, between)]
    model = with_template("{prompt}".join(quiet) + "{instruction}", kind="completion")
    asked = request_text(task(prompt=prompt + "p", instruction=instruction + "i"), model)
    assert asked.text == f"{quiet[0]}{prompt}p{quiet[1]}{instruction}i"


def test_template_that_names_nothing_of_the_task_is_refused() -> None:
    with pytest.raises(SuiteError, match=r"neither \{prompt\} nor \{instruction\}"):
        request_text(task(), with_template("Write {program}."))


def test_system_message_of_a_completion_is_refused() -> None:
    with pytest.raises(SuiteError, match="a completion has no system message"):
        request_text(task(), ModelConfig(name="m", kind="completion", system="Be brief."))


@pytest.mark.parametrize("kind", ["chat", "completion"])
def test_empty_prompt_is_refused(kind: str) -> None:
    with pytest.raises(SuiteError, match="'Own/0': there is nothing to ask"):
        request_text(task(prompt=" \n"), with_template("", kind=kind))


def test_half_of_a_character_is_refused_with_its_place() -> None:
    with pytest.raises(SuiteError, match=r"'Own/0'.*lone surrogate\) at 3"):
        request_text(task(prompt="abc\ud800"), CHAT)


def test_hash_is_that_of_what_is_asked() -> None:
    tasks = [task("A"), task("B")]
    first = prompts_sha256(tasks, CHAT)
    assert first == prompts_sha256(tasks, ModelConfig(name="other", endpoint="http://x/v1"))
    others = [
        prompts_sha256(tasks[::-1], CHAT),
        prompts_sha256(tasks[:1], CHAT),
        prompts_sha256([task("A", prompt="def g():"), task("B")], CHAT),
        prompts_sha256(tasks, ModelConfig(name="m", system="Be brief.")),
        prompts_sha256(tasks, with_template("{prompt}!")),
        prompts_sha256(tasks, COMPLETION),
        prompts_sha256([task("A", stop=("\n",)), task("B")], COMPLETION),
    ]
    assert len({first, *others}) == 8


def test_stop_texts_are_no_part_of_a_conversation() -> None:
    assert prompts_sha256([task()], CHAT) == prompts_sha256([task(stop=())], CHAT)


def test_prompts_that_cannot_be_sent_have_a_hash_for_samples_from_files() -> None:
    broken = [task(prompt=prompt) for prompt in ("", "a\ud800", "a\ud801")]
    assert len({prompts_sha256([one], CHAT) for one in broken}) == 3
