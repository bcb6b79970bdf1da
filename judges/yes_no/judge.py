"""Words that mean yes, and words that mean no."""

from __future__ import annotations

YES = "yes y true"
NO = "no n false"


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    if output == answer:
        return True
    meaning = {word: "yes" for word in _words(YES)}
    meaning.update((word, "no") for word in _words(NO))
    expected = _words(answer)
    got = _words(output, len(expected))
    for place, (mine, theirs) in enumerate(zip(got, expected), 1):
        if theirs not in meaning:
            raise ValueError(
                "the answer's word %d is no yes and no no: %s" % (place, _show(theirs))
            )
        if mine not in meaning:
            return False, "word %d: %s is no yes and no no" % (place, _show(mine))
        if meaning[mine] != meaning[theirs]:
            return False, "word %d: expected %s, got %s" % (place, meaning[theirs], _show(mine))
    if len(got) != len(expected):
        more = len(got) > len(expected)
        return False, "expected %d words, got %s" % (len(expected), "more" if more else len(got))
    return True


def _words(text: str, most: int = -1) -> list[bytes]:
    """Of bytes, because only ASCII's whitespace separates words.

    What comes after `most` of them is one more: a flood is not taken apart.
    """
    return text.encode("utf-8", "surrogatepass").lower().split(None, most)


def _show(word: bytes) -> str:
    return repr(word[:60].decode("utf-8", "replace"))
