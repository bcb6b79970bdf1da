"""The key of an endpoint: where it comes from, and that nobody else's words repeat it.

Endpoints put what they were sent into error messages, whole or in part (OpenAI's own shows the
first and last characters of a wrong key).  Logs, errors and files of samples are passed around;
the key is in none of them.
"""

from __future__ import annotations

import os

from scalebox.suite.errors import SuiteError

#: Begins and ends with what no key has, so that no key can come about around it.
HIDDEN = "…API key…"
#: A part of the key that is so long is not shown in messages.
_PART = 4
#: A shorter key (`none`, `EMPTY` of local servers) is no secret, and is found in every other word.
_SHORTEST = 6


class ApiKey:
    """The key of one endpoint.

    Parameters:
        variable: the environment variable that holds it; empty, or not set there: there is none.

    Raises:
        SuiteError: what the variable holds can be no key.
    """

    def __init__(self, variable: str) -> None:
        self.variable = variable
        self._key = os.environ.get(variable, "").strip() if variable else ""
        if not all("!" <= char <= "~" for char in self._key):
            raise SuiteError(
                f"${variable} holds no API key: there are spaces, line ends or other characters in "
                "it that a key cannot have"
            )

    def __repr__(self) -> str:
        return f"ApiKey(${self.variable}, {'set' if self._key else 'not set'})"

    @property
    def headers(self) -> dict[str, str]:
        """What a request carries."""
        return {"Authorization": f"Bearer {self._key}"} if self._key else {}

    @property
    def is_set(self) -> bool:
        """Whether there is one."""
        return bool(self._key)

    def without(self, text: str) -> str:
        """A model's words without the key, should it repeat what it was sent."""
        return text.replace(self._key, HIDDEN) if len(self._key) >= _SHORTEST else text

    def redacted(self, text: str) -> str:
        """Words for a message, without any part of the key that is long enough to be of use."""
        if len(self._key) < _SHORTEST:
            return text
        found: list[str] = []
        place = 0
        while place < len(text):
            end = place + _PART
            if text[place:end] not in self._key or end > len(text):
                found.append(text[place])
                place += 1
                continue
            while end < len(text) and text[place : end + 1] in self._key:
                end += 1
            found.append(HIDDEN)
            place = end
        return "".join(found)
