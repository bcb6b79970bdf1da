"""Code out of a model's answer: which part of the text is the program.

Used by every integration and by the compatible APIs that take whole answers.  Nothing is run or
parsed as a program here, and nothing depends on the answer's kindness: every step goes over the
text once, so that megabytes of backticks take no longer than as much prose.

What counts, in this order:

1. Thinking is left out: of the answer only what follows the last end of a thinking section counts,
   and of that only what stands before a section that does not end.  So an answer that is cut off
   while it thinks has no code.
2. The answer ends at the first token that ends a turn.  Neither such a token nor a mark of thinking
   counts between a pair of quotes, where a program speaks of it.
3. Fenced blocks (``` and ~~~, as in CommonMark, at any indentation) are looked for.  Beyond
   CommonMark, as models write: a fence may stand behind words (`<answer>```python`) if a known
   language follows it; a block may close at the end of its last line of code, or with a closing tag
   after the fence; and an opening fence with a known language inside a block that is fenced no
   longer means that the block before it was left open.  As in CommonMark, a fence within a block
   counts only if it is indented less than four columns more than the block's: deeper ones belong to
   the program (to a docstring, say).  Empty blocks do not count.
4. Of the blocks the best kind is kept.  Closed ones come before one that the answer's end cuts off.
   Then, if a language is asked for: blocks of that language or of one of its other names (for a
   way to run one, as `pytest` is, of that one, too), blocks with no language, blocks of other
   languages, blocks of data (`text`, `json`, `output`, …).
   If none is asked for: blocks of any language of programs, those without, those of data.
5. The rule says which of these is the program.
6. An answer without fences is taken as a whole if at least half of its lines look like code
   (indented, or with a keyword first, a statement's end last, or an assignment); so is what stands
   before a single bare fence, which is how an answer ends whose prompt opened the block.  Tags
   around it (`<answer>`) are left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Rule = Literal["last", "first", "longest", "joined"]

#: Of a fence's language: the words that mean the same, the name that a daemon knows first.
_LANGUAGES = (
    ("python", "python3", "py", "py3", "cpython", "python2", "py2", "pypy", "pypy3", "pycon"),
    ("cpp", "c++", "cxx", "cc", "g++", "hpp", "gnu++"),
    ("c", "gcc", "h"),
    ("java", "java17", "openjdk"),
    ("javascript", "js", "node", "nodejs", "node.js", "jsx", "mjs"),
    ("typescript", "ts", "esbuild", "tsx"),
    ("go", "golang"),
    ("rust", "rs", "rustc"),
    ("csharp", "c#", "cs", "mono", "mcs"),
    ("bash", "sh", "shell", "zsh"),
    ("ruby", "rb"),
    ("php", "php8", "php_cli"),
    ("perl", "pl", "perl5"),
    ("lua", "lua5.4", "lua54"),
    ("haskell", "hs", "ghc"),
    ("kotlin", "kt", "kotlinc"),
    ("kotlin_script", "kts"),
    ("scala", "scala3", "scalac"),
    ("swift", "swiftc"),
    ("ocaml", "ml", "ocamlopt"),
    ("pascal", "pas", "fpc", "freepascal"),
    ("julia", "jl"),
    ("r", "rscript", "rlang"),
    ("racket", "rkt"),
    ("d", "dlang"),
    ("lean", "lean4"),
    ("cuda", "cu", "nvcc"),
    ("verilog", "systemverilog", "sv", "iverilog"),
    ("go_test", "gotest"),
    ("jest", "ts_test"),
    ("junit", "junit5", "java_test"),
    ("pytest", "py_test", "pytest3"),
    ("python_gpu", "python_cuda"),
    ("sql", "sqlite", "mysql", "postgresql"),
    ("clojure", "clj"),
    ("elixir", "ex"),
    ("erlang", "erl"),
    ("fortran", "f90"),
    ("dart",),
    ("scheme",),
    ("zig",),
)
_LANGUAGE_OF = {word: words[0] for words in _LANGUAGES for word in words}
#: What models write before programs of languages that are a way to run another one.
_WRITTEN_AS = {
    "go_test": "go",
    "jest": "typescript",
    "junit": "java",
    "kotlin_script": "kotlin",
    "pytest": "python",
    "python_gpu": "python",
}
#: Words of fences around what is no program.
_DATA = frozenset(
    (
        "text",
        "txt",
        "plaintext",
        "plain",
        "output",
        "input",
        "stdin",
        "stdout",
        "console",
        "terminal",
        "log",
        "json",
        "yaml",
        "yml",
        "toml",
        "xml",
        "html",
        "css",
        "csv",
        "markdown",
        "md",
        "diff",
        "patch",
        "math",
        "latex",
        "tex",
        "mermaid",
        "none",
    )
)

#: Starts and ends of thinking: Qwen, DeepSeek and many more; Gemini and EXAONE; Kimi; Magistral;
#: Command A; Seed-OSS; Sky-T1 and OpenThoughts; Apertus; gpt-oss, whose thinking ends where its
#: final channel starts.
_THINKING = (
    (r"<think(?:ing)?>", r"</think(?:ing)?>"),
    (r"<thoughts?>", r"</thoughts?>"),
    (r"<reasoning>", r"</reasoning>"),
    (r"◁think▷", r"◁/think▷"),
    (r"\[think\]", r"\[/think\]"),
    (r"<\|start_thinking\|>", r"<\|end_thinking\|>"),
    (r"<seed:think>", r"</seed:think>"),
    (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
    (r"<\|inner_prefix\|>", r"<\|inner_suffix\|>"),
    (r"<\|channel\|>analysis", r"<\|channel\|>final(?: <\|constrain\|>[a-z]{1,20})?<\|message\|>"),
)
_THOUGHT = re.compile(
    f"(?P<start>{'|'.join(start for start, _end in _THINKING)})"
    f"|(?P<end>{'|'.join(end for _start, end in _THINKING)})",
    re.IGNORECASE,
)

#: Tokens that end a turn or a text, wherever they stand.
_STOP = re.compile(
    r"<\|(?:im_end|endoftext|end_of_text|eot_id|eom_id|end|return|call|user|observation|eos|eot"
    r"|end_of_solution|end_of_turn_token|end_response|fim_pad|file_sep)\|>"
    r"|<\uff5cend▁of▁sentence\uff5c>|<\[end▁of▁sentence\]>",
    re.IGNORECASE,
)
#: Such that are HTML, too, or could stand in a program: they count at the text's end alone.
_STOPS_AT_END = ("</s>", "<eos>", "<end_of_turn>", "<pad>", "<|pad|>", "[EOS]", "[PAD]")

_QUOTES = ('"', "'", "`")
_FENCES = ("```", "~~~")
_FENCE = re.compile(r"`{3,}|~{3,}")
_CLOSING_TAG = re.compile(r"(?:</?[A-Za-z][\w:-]{0,40}>\s*)*")
_OPENING_TAG = re.compile(
    r"\s{0,10}<(?:answer|solution|code|\|begin_of_solution\|)>\n?", re.IGNORECASE
)
_VERSION = re.compile(r"[\d.]+$")
#: More than that is no line with an opening fence.
_LONGEST_INFO = 200
#: So much of a text says whether it is code.
_LINES_LOOKED_AT = 2000
_CHARACTERS_LOOKED_AT = 300
_KEYWORD = re.compile(
    r"(?:def|class|import|from|for|while|if|elif|else|try|except|finally|with|return|pass|raise"
    r"|async|lambda|print|global|assert|include|using|namespace|template|typedef|struct|enum"
    r"|public|private|static|package|func|fn|let|mut|var|const|function|module|use|int|long|void"
    r"|double|float|char|bool|auto|string|vector|fun|val|impl|match|switch|case|begin|end|program"
    r"|puts|echo|read|local|require|export|open|data|do|my|sub|main)\b"
)
_COMMENT = ("#", "//", "/*", "*", "@", "--", '"""', "'''", "}", ")", "]", "{")
_STATEMENT_END = (";", "{", "}", ")", "]", "):", ") {", "\\", '"""', "'''")
_ASSIGNMENT = re.compile(r"[A-Za-z_$][\w.]*(?:\[[^\]]*\])?(?: *, *[A-Za-z_]\w*)* *[-+*/%|&^:]?=")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of an answer.

    Attributes:
        word: the fence's language as it stands there, in small letters; empty: it has none.
        text: what is in it, with a line feed at its end.
        closed: false: the answer ends within it.
        before: how many lines of the answer stand before its fence.
    """

    word: str
    text: str
    closed: bool
    before: int

    @property
    def language(self) -> str:
        """The language's first name, or the word itself if it is no known language."""
        return language_of_word(self.word)


def extract_code(
    completion: str, *, language: str | None = None, rule: Rule = "last"
) -> str | None:
    """The program in a model's answer, or None if there is none.

    Parameters:
        completion: the answer, with or without thinking, prose, fences and stop tokens.
        language: prefer blocks of this language; any name or alias that a daemon knows.
        rule: which of the blocks that are left: the `last`, the `first`, the `longest` (of equal
            ones the last), or all `joined` in their order.

    Raises:
        ValueError: there is no such rule.
    """
    if rule not in ("last", "first", "longest", "joined"):
        raise ValueError(f"no rule {rule!r}; there are last, first, longest, joined")
    text = answer_of(completion)
    lines = text.split("\n")
    blocks = _blocks(lines)
    full = [block for block in blocks if block.text.strip()]
    kept = [block for block in full if block.closed]
    if not kept:
        head = _before_a_closing_fence(lines, blocks)
        if head is not None:
            return head
        kept = full
    if kept:
        ranks = [_rank(block, language) for block in kept]
        best = min(ranks)
        return _chosen([b.text for b, rank in zip(kept, ranks, strict=True) if rank == best], rule)
    return None if blocks else _whole(text)


def answer_of(completion: str) -> str:
    """What a model answers, without its thinking and what follows its end; lines end in `\\n`."""
    text = completion.replace("\r\n", "\n")
    start, end = 0, len(text)
    for found in _THOUGHT.finditer(text):
        if _is_quoted(found):
            continue
        if found["end"] is not None:
            start, end = found.end(), len(text)
        else:
            end = min(end, found.start())
    stops = (found for found in _STOP.finditer(text, start, end) if not _is_quoted(found))
    stop = next(stops, None)
    end = stop.start() if stop else end
    while True:
        # Without copies: a padded answer can end in a thousand of them.
        while end > start and text[end - 1].isspace():
            end -= 1
        token = next((one for one in _STOPS_AT_END if text.endswith(one, start, end)), None)
        if token is None:
            break
        end -= len(token)
    text = text[start:end]
    return f"{text}\n" if text else text


def with_thinking(completion: str) -> str:
    """The same text with no marks of thinking in it, so that what was thought is answer, too."""
    return _THOUGHT.sub(lambda found: found[0] if _is_quoted(found) else "\n", completion)


def _is_quoted(found: re.Match[str]) -> bool:
    text, start, end = found.string, found.start(), found.end()
    quote = text[start - 1] if start else ""
    # Two of them are no pair around it, but the ends of others: of fences, or of empty texts.
    alone = not text.startswith(quote, start - 2) if start > 1 else True
    return quote in _QUOTES and text.startswith(quote, end) and alone


def fenced_blocks(text: str) -> list[Block]:
    """All fenced blocks of a text in Markdown, in their order, empty ones too."""
    return _blocks(text.replace("\r\n", "\n").split("\n"))


def language_of_word(word: str) -> str:
    """A language's first name, of any of its names, with or without a version (`c++17`)."""
    word = word.lower()
    known = _LANGUAGE_OF.get(word)
    return known or _LANGUAGE_OF.get(_VERSION.sub("", word[:_LONGEST_INFO]), word)


def _blocks(lines: list[str]) -> list[Block]:
    blocks: list[Block] = []
    opening: _Opening | None = None
    inside: list[str] = []

    def end(*, closed: bool) -> None:
        if opening is not None:
            content = "".join(f"{line}\n" for line in map(opening.outdented, inside))
            blocks.append(Block(opening.word, content, closed, opening.number))
        inside.clear()

    # Not `splitlines`, which would also part a program's own strings.
    for number, line in enumerate(lines):
        if _FENCES[0] not in line and _FENCES[1] not in line:
            inside.append(line)
            continue
        if opening is not None:
            last = _last_line(opening, line)
            if last is not None:
                if last.strip():
                    inside.append(last)
                end(closed=True)
                opening = None
                continue
        found = _opening(line, number, opening)
        if found is None:
            inside.append(line)
            continue
        # One that is opened within another: that one was left open, but it is whole.
        end(closed=True)
        opening = found
    # The line feed at a text's end makes no line of its own.
    if inside and not inside[-1]:
        inside.pop()
    end(closed=False)
    return blocks


@dataclass(frozen=True, slots=True)
class _Opening:
    """The fence that begins a block."""

    fence: str
    word: str
    indent: str
    number: int

    def is_deeper(self, head: str) -> bool:
        """Whether what stands before a fence indents it so far that it belongs to the program."""
        own = len(head) - len(head.lstrip(" \t"))
        return len(head[:own].expandtabs(4)) >= len(self.indent.expandtabs(4)) + 4

    def outdented(self, line: str) -> str:
        """A line of the block without the indentation of its fence, as far as it has that."""
        if not self.indent:
            return line
        own = len(line) - len(line.lstrip(" \t"))
        return line[min(own, len(self.indent)) :]


def _opening(line: str, number: int, within: _Opening | None) -> _Opening | None:
    """The block that a line opens, if it does.

    Parameters:
        line: one with a fence somewhere.
        number: the line's.
        within: the block that is open there.
    """
    found = _FENCE.search(line)
    if found is None or len(line) - found.end() > _LONGEST_INFO:
        return None
    info = line[found.end() :].strip()
    fence, head = found[0], line[: found.start()]
    if "`" in info and fence[0] == "`":
        return None
    word = _word(info)
    known = word in _DATA or language_of_word(word) in _LANGUAGE_OF
    if head.strip() and not known:
        return None
    if within is not None and not (
        known
        and fence[0] == within.fence[0]
        and len(fence) >= len(within.fence)
        and not within.is_deeper(head)
    ):
        return None
    return _Opening(fence, word, head if not head.strip() else "", number)


def _word(info: str) -> str:
    """The language of an info string: `python title="a.py"`, `{.python .numberLines}`, `r,eval`."""
    first = info.lower().lstrip("{. ").split(maxsplit=1)
    return re.split(r"[,:;}=(]", first[0], maxsplit=1)[0] if first else ""


def _last_line(opening: _Opening, line: str) -> str | None:
    """What stands before the fence on a line that closes a block; None: it closes none."""
    found = _FENCE.search(line)
    if found is None or found[0][0] != opening.fence[0] or len(found[0]) < len(opening.fence):
        return None
    if _CLOSING_TAG.fullmatch(line[found.end() :].strip()) is None:
        return None
    head = line[: found.start()]
    if opening.fence[0] in head or (not head.strip() and opening.is_deeper(head)):
        return None
    return head


def _rank(block: Block, language: str | None) -> int:
    if block.word in _DATA:
        return 3
    if language is None:
        return 0 if block.language in _LANGUAGE_OF else 1
    wanted = language_of_word(language)
    if block.word and block.language in (wanted, _WRITTEN_AS.get(wanted)):
        return 0
    return 2 if block.word else 1


def _chosen(texts: list[str], rule: Rule) -> str:
    if rule == "joined":
        return "\n".join(texts)
    if rule == "longest":
        return max(reversed(texts), key=len)
    return texts[-1 if rule == "last" else 0]


def _before_a_closing_fence(lines: list[str], blocks: list[Block]) -> str | None:
    """The code before the only fence, if that is one that only closes."""
    if len(blocks) != 1 or blocks[0].word:
        return None
    head = lines[: blocks[0].before]
    return "".join(f"{line}\n" for line in head) if _looks_like_code(head) else None


def _whole(text: str) -> str | None:
    """An answer without fences, if it is code."""
    opening = _OPENING_TAG.match(text)
    if opening is not None:
        text = text[opening.end() :]
        closing = text.rfind("</")
        if closing >= 0 and _CLOSING_TAG.fullmatch(text[closing:].strip()) is not None:
            text = text[:closing]
        text = f"{text.rstrip()}\n"
    return text if _looks_like_code(text.split("\n")) else None


def _looks_like_code(lines: list[str]) -> bool:
    full = [line for line in lines[:_LINES_LOOKED_AT] if line and not line.isspace()]
    return bool(full) and 2 * sum(map(_is_code, full)) >= len(full)


def _is_code(line: str) -> bool:
    if line.startswith(("  ", "\t")):
        return True
    head = line[:_CHARACTERS_LOOKED_AT]
    return (
        head.startswith(_COMMENT)
        or line[-_CHARACTERS_LOOKED_AT:].rstrip().endswith(_STATEMENT_END)
        or _KEYWORD.match(head) is not None
        or _ASSIGNMENT.match(head) is not None
    )
