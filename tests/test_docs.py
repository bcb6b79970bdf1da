"""Every example of README and docs is run, and the lists in them are complete.

In `*.md`, a fenced block marked `python` is a program and one marked `sh` a shell script; both find
a private daemon at $SCALEBOX_SOCKET, as a reader's would find the host's.  A line that ends in
`# prints: TEXT` says what the program's next line of output is.  One marked `toml` is a whole
scalebox.toml.  What no test machine can run is marked `text`, `console`, `ini`, `json` or not at
all.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import click
import msgspec
import pytest

import scalebox
from scalebox import config as configuration
from scalebox.api.app import ROUTES
from scalebox.cli import main as command_line
from scalebox.config import Config
from scalebox.suite.benchmarks import BENCHMARKS
from scalebox.suite.config import RunConfig

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
#: Generous: a machine that is busy with other things is slow, and only a hung example is wrong.
TIMEOUT_S = 120

_FENCE = re.compile(
    r"^(?P<fence>```+)(?P<language>\S*)[^\n]*\n(?P<text>.*?)^(?P=fence)\s*$", re.M | re.S
)
_PRINTS = re.compile(r"# prints: (.*)$", re.M)
_ROW = re.compile(r"^\| `(?P<name>[^`]+)` \|(?P<rest>.*)\|$", re.M)
#: One or several keys in a row: names, default (of each, or of all), meaning.
_KEYS = re.compile(r"^\| (`\w+`(?:, `\w+`)*) \|([^|]*)\|(.*)\|$", re.M)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """One fenced block; `line` is that of its first line of text."""

    page: str
    line: int
    language: str
    text: str


def blocks_of(page: str, text: str) -> list[Block]:
    return [
        Block(page, text.count("\n", 0, match.start("text")) + 1, match["language"], match["text"])
        for match in _FENCE.finditer(text)
    ]


BLOCKS = [
    block
    for path in PAGES
    for block in blocks_of(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
]


def marked(language: str) -> Any:
    found = [block for block in BLOCKS if block.language == language]
    return pytest.mark.parametrize("block", found, ids=lambda b: f"{b.page}:{b.line}")


# A fresh machine has no curl.  This knows the options that the examples use, and refuses others.
CURL = """
import argparse, http.client, os, socket, sys
from urllib.parse import urlsplit

parser = argparse.ArgumentParser(prog="curl")
parser.add_argument("-s", action="store_true")
parser.add_argument("-S", action="store_true")
parser.add_argument("-f", action="store_true")
parser.add_argument("-I", action="store_true")
parser.add_argument("-H", action="append", default=[])
parser.add_argument("-d")
parser.add_argument("--data-binary")
parser.add_argument("-T")
parser.add_argument("-X")
parser.add_argument("--unix-socket", required=True)
parser.add_argument("url")
options = parser.parse_args()


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(options.unix_socket)


url = urlsplit(options.url)
data = options.data_binary or options.d
body = None
if data is not None:
    body = open(data[1:], "rb").read() if data.startswith("@") else data.encode()
if options.T:
    body = open(options.T, "rb").read()
method = options.X or ("HEAD" if options.I else "PUT" if options.T else "POST" if data else "GET")
connection = Connection(url.hostname)
headers = dict(header.split(": ", 1) for header in options.H)
connection.request(method, url.path, body, headers)
answer = connection.getresponse()
if options.f and answer.status >= 400:
    sys.exit(22)
if options.I:
    print("HTTP/1.1", answer.status, answer.reason)
    print(answer.headers)
sys.stdout.flush()
sys.stdout.buffer.write(answer.read())
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What an example runs in: the project's commands on PATH, and a daemon to be found."""
    path = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    if shutil.which("curl") is None:
        path.insert(0, str(_make_curl(tmp_path_factory.mktemp("bin"))))
    # Two on any host: an interactive example needs them.
    with scalebox.local(sandbox={"slots": 2}) as client:
        yield {
            **{k: v for k, v in os.environ.items() if not k.startswith("SCALEBOX_")},
            "PATH": os.pathsep.join(path),
            "SCALEBOX_SOCKET": client.address.removeprefix("unix:"),
            "PYTHONPATH": os.pathsep.join(
                part for part in (str(ROOT), os.environ.get("PYTHONPATH")) if part
            ),
        }


def _make_curl(directory: Path) -> Path:
    script = directory / "curl"
    script.write_text(f"#!{sys.executable}\n{CURL}")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return directory


def run(block: Block, directory: Path, environment: dict[str, str]) -> None:
    """Run a `python` or `sh` block as a reader would.

    Raises:
        AssertionError: it failed, or printed something else than it says.
    """
    script = directory / ("example.py" if block.language == "python" else "example.sh")
    script.write_text(
        block.text if block.language == "python" else f"set -eu\n{block.text}", encoding="utf-8"
    )
    interpreter = sys.executable if block.language == "python" else "sh"
    done = subprocess.run(
        [interpreter, str(script)],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    where = f"{block.page}:{block.line}"
    assert done.returncode == 0, f"{where} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    promised = [text.strip() for text in _PRINTS.findall(block.text)]
    if promised:
        assert [line.strip() for line in done.stdout.splitlines()] == promised, where


def read_configuration(block: Block, directory: Path) -> Config:
    """The block as a configuration; raises ConfigError if it is none."""
    file = directory / "scalebox.toml"
    file.write_text(block.text, encoding="utf-8")
    return configuration.load(file)


@marked("python")
def test_python_example_runs(block: Block, tmp_path: Path, environment: dict[str, str]) -> None:
    run(block, tmp_path, environment)


@marked("sh")
def test_shell_example_runs(block: Block, tmp_path: Path, environment: dict[str, str]) -> None:
    run(block, tmp_path, environment)


@marked("toml")
def test_toml_example_is_a_configuration(block: Block, tmp_path: Path) -> None:
    read_configuration(block, tmp_path)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "raise SystemExit(3)"),
        ("python", "import scalebox\nscalebox.Client().judge(language='no such')"),
        ("python", "print('one')  # prints: two"),
        ("python", "print('one')  # prints: one\nprint('more')"),
        ("sh", "false\ntrue"),
        ("sh", 'echo "$NO_SUCH_VARIABLE"'),
        ("sh", "scalebox judge no-such-file --problem ."),
    ],
)
def test_a_wrong_example_is_noticed(
    language: str, text: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    page = f"# A page\n\nWords, and then:\n\n```{language}\n{text}\n```\n\n```text\nnot run\n```\n"
    wrong, other = blocks_of("page.md", page)
    assert (wrong.language, wrong.line, other.language) == (language, 6, "text")
    with pytest.raises(AssertionError):
        run(wrong, tmp_path, environment)


def test_a_wrong_configuration_is_noticed(tmp_path: Path) -> None:
    (wrong,) = blocks_of("page.md", "```toml\n[limits]\ncpu_tiem_s = 1\n```\n")
    with pytest.raises(scalebox.ScaleboxError, match="cpu_tiem_s"):
        read_configuration(wrong, tmp_path)


def test_the_examples_were_found() -> None:
    by_language = {block.language for block in BLOCKS}
    assert {"python", "sh", "toml"} <= by_language
    assert sum(block.page == "README.md" for block in BLOCKS) >= 4


def test_stand_in_for_curl_talks_to_the_daemon(tmp_path: Path, environment: dict[str, str]) -> None:
    path = os.pathsep.join((str(_make_curl(tmp_path)), environment["PATH"]))
    text = 'curl -sS --unix-socket "$SCALEBOX_SOCKET" http://scaleboxd/healthz | grep -q ok\n'
    run(Block("stand-in", 1, "sh", text), tmp_path, {**environment, "PATH": path})


# --- lists ---------------------------------------------------------------------------------------


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def options_of(value: msgspec.Struct, prefix: str = "") -> dict[str, Any]:
    """`table.option` → default, of a configuration."""
    found: dict[str, Any] = {}
    for name in value.__struct_fields__:
        inner = getattr(value, name)
        if isinstance(inner, msgspec.Struct):
            found |= options_of(inner, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = msgspec.json.decode(msgspec.json.encode(inner))
    return found


def test_every_option_is_described_with_its_default() -> None:
    described = {}
    for row in _ROW.finditer(page("configuration.md")):
        default, meaning = row["rest"].split("|", 1)
        assert len(meaning.strip()) > 10, row["name"]
        described[row["name"]] = tomllib.loads(f"value = {default.strip().strip('`')}")["value"]
    assert described == options_of(Config())


def test_every_key_of_an_evaluation_is_described_with_its_default() -> None:
    sections = re.findall(r"^### `\[(\w+)\]`\n(.*?)(?=^##)", page("evaluation.md"), re.M | re.S)
    tables = dict(sections)
    assert tables.keys() == set(RunConfig.__struct_fields__)
    required = {"benchmark": {"name": ""}, "model": {"name": "?"}}
    for name, text in tables.items():
        kind = get_type_hints(RunConfig)[name]
        config = kind(**required.get(name, {}))
        described: dict[str, Any] = {}
        for keys, default, meaning in _KEYS.findall(text):
            names = re.findall(r"`(\w+)`", keys)
            values = re.findall(r"`([^`]+)`", default)
            assert len(meaning.strip()) > 8, names
            for place, key in enumerate(names):
                value = values[min(place, len(values) - 1)] if values else None
                described[key] = None if value is None else tomllib.loads(f"x = {value}")["x"]
        wanted = {key: msgspec.to_builtins(getattr(config, key)) for key in kind.__struct_fields__}
        wanted |= dict.fromkeys(required.get(name, {}))
        given = {key: list(value) if isinstance(value, tuple) else value
                 for key, value in wanted.items()}  # fmt: skip
        assert described == given


def test_every_benchmark_is_described() -> None:
    described = {
        name for keys in re.findall(r"^\| (`[^|]*`) \|", page("evaluation.md"), re.M)
        for name in re.findall(r"`([^`]+)`", keys)
    }  # fmt: skip
    assert BENCHMARKS.keys() <= described


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for group in (
        *project.get("dependency-groups", {}).values(),
        *project["project"].get("optional-dependencies", {}).values(),
    ):
        wanted += [item for item in group if isinstance(item, str)]
    names = {re.split(r"[\s\[<>=!~;]", item, maxsplit=1)[0] for item in wanted}
    rows = {row["name"]: row["rest"] for row in _ROW.finditer(page("dependencies.md"))}
    assert rows.keys() == names
    assert all(len(reason.strip()) > 20 for reason in rows.values())


def test_every_endpoint_is_described() -> None:
    headings = set(re.findall(r"^##+ `(\w+ /\S+)`$", page("api.md"), re.M))
    assert headings == {f"{method} {path.replace(':.+', '')}" for method, path, _ in ROUTES}


def test_every_command_and_option_is_described() -> None:
    text = page("cli.md")
    sections = dict(re.findall(r"^## `scalebox (\w+)[^\n]*\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    assert sections.keys() == command_line.commands.keys()
    commands = list(command_line.commands.items())
    for name, command in commands:
        if isinstance(command, click.Group):
            assert all(f"scalebox {name} {inner}" in text for inner in command.commands)
            commands += [(name, inner) for inner in command.commands.values()]
        shared = "## Which daemon" in text and "(#which-daemon)" in sections[name]
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                option = next(o for o in parameter.opts if o.startswith("--"))
                common = option in ("--socket", "--url", "--token", "--ca", "--local")
                assert (common and shared) or option in sections[name], f"{name} {option}"


def test_every_public_name_is_described() -> None:
    text = page("client.md")
    missing = [name for name in scalebox.__all__ if not re.search(rf"\b{name}\b", text)]
    assert not missing


def test_every_page_can_be_reached() -> None:
    linked = {match["target"].partition("#")[0] for match in _LINK.finditer(page("index.md"))}
    assert {path.name for path in DOCS.glob("*.md")} - {"index.md"} <= linked
    assert "docs/index.md" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    for match in _LINK.finditer(text):
        target = match["target"]
        if "://" in target:
            continue
        file, _, fragment = target.partition("#")
        page_there = (path.parent / file).resolve() if file else path
        assert page_there.exists(), f"{path.name}: {target}"
        if fragment:
            assert fragment in anchors(page_there.read_text(encoding="utf-8")), target


def anchors(text: str) -> set[str]:
    """Headings as the names that links use."""
    headings = re.findall(r"^#+ (.*)$", _FENCE.sub("", text), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
