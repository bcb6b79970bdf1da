"""The configuration: scalebox.toml lists every option with its default, and mistakes are named."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scalebox.config import Config, default_socket_path, load
from scalebox.errors import ConfigError

SHIPPED = Path(__file__).parent.parent / "scalebox.toml"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the variables that a developer's shell may have set."""
    for name in ("SCALEBOX_CONFIG", "SCALEBOX_SOCKET", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)


def options(table: msgspec.Struct, prefix: str = "") -> dict[str, Any]:
    """Dotted name → default, of a configuration table and the tables in it."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(table):
        value = getattr(table, field.name)
        if isinstance(value, msgspec.Struct):
            found |= options(value, f"{prefix}{field.name}.")
        else:
            found[prefix + field.name] = list(value) if isinstance(value, tuple) else value
    return found


def listed(data: dict[str, Any], known: set[str], prefix: str = "") -> dict[str, Any]:
    """Dotted name → value of a parsed file; a table that is one option's value is not entered."""
    found: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, dict) and prefix + name not in known:
            found |= listed(value, known, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "some.toml"
    path.write_text(text)
    return path


def test_shipped_file_lists_every_option_with_its_default() -> None:
    defaults = options(Config())
    shipped = listed(tomllib.loads(SHIPPED.read_text()), set(defaults))
    assert shipped == defaults
    kinds = {name: type(value) for name, value in shipped.items()}
    assert kinds == {name: type(value) for name, value in defaults.items()}


def test_shipped_file_is_a_configuration_that_changes_nothing() -> None:
    assert load(SHIPPED) == Config()


def test_shipped_file_says_something_about_every_option() -> None:
    commented = False
    for line in SHIPPED.read_text().splitlines():
        if re.match(r"[a-z_]+ = ", line):
            assert commented, f"{line!r} follows no comment"
        elif not line:
            commented = False
        elif line.startswith("#"):
            commented = True


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("nodes = 'a'", "nodes"),
        ("[limits]\ncpu_time = 1", "cpu_time"),
        ("[languages.pyhton]\ninterpreter = ''", "pyhton"),
        ("[languages.cpp]\nflags = []", "flags"),
    ],
)
def test_unknown_option_is_refused_by_name(tmp_path: Path, text: str, named: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        load(path)
    assert str(path) in refused.value.message
    assert f"`{named}`" in refused.value.message
    assert "scalebox.toml" in refused.value.message


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("node = 7", "$.node"),
        ("[server]\nsocket_mode = '888'", "$.server.socket_mode"),
        ("[server.tokens]\ntrainer = 5", "$.server.tokens[...]"),
        ("[server.tokens]\ntrainer = ''", "$.server.tokens[...]"),
        ("[server.tokens]\ntrainer = ' a long secret'", "$.server.tokens[...]"),
        ("[server.tokens]\n'' = 'a long secret'", "$.server.tokens"),
        ("[limits]\nmemory_bytes = 4096", "$.limits.memory_bytes"),
        ("[sandbox]\nisolation = 'perfect'", "$.sandbox.isolation"),
        ("[sandbox]\nslots = -1", "$.sandbox.slots"),
        ("[sandbox]\npin = 'yes'", "$.sandbox.pin"),
        ("[limits]\ncpu_time_s = '10'", "$.limits.cpu_time_s"),
        ("[limits]\nmemory_bytes = 1.5", "$.limits.memory_bytes"),
        ("[engine]\nretries = 21", "$.engine.retries"),
        ("[languages.python]\npreload = [1]", "preload[0]"),
        ("[log]\nlevel = 'loud'", "$.log.level"),
        ("limits = 3", "$.limits"),
    ],
)
def test_ill_typed_value_is_refused_with_file_and_option(
    tmp_path: Path, text: str, place: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        load(path)
    assert str(path) in refused.value.message
    assert f"{place}`" in refused.value.message


@pytest.mark.parametrize("name", sorted(options(Config())))
def test_every_option_refuses_a_date(tmp_path: Path, name: str) -> None:
    """No option is a date: every one of them looks at what it is given."""
    *tables, option = name.split(".")
    text = (f"[{'.'.join(tables)}]\n" if tables else "") + f"{option} = 1979-05-27"
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        load(path)
    assert f"`$.{name}`" in refused.value.message


@pytest.mark.parametrize(
    "content", [b"node = ", b"node = 'a'\nnode = 'b'", b"\xff\xfe", b"[limits\n"]
)
def test_what_is_not_toml_is_refused_with_the_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(str(path))):
        load(path)


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "absent.toml"
    with pytest.raises(ConfigError, match=re.escape(str(path))):
        load(path)


def test_options_that_are_set_are_taken_and_the_rest_keep_their_defaults(tmp_path: Path) -> None:
    path = written(
        tmp_path, "[limits]\ncpu_time_s = 2.5\n[server.tokens]\ntrainer = 'long secret'\n"
    )
    config = load(path)
    assert config.limits.cpu_time_s == 2.5
    assert config.server.tokens == {"trainer": "long secret"}
    changed = {name for name, value in options(config).items() if value != options(Config())[name]}
    assert changed == {"limits.cpu_time_s", "server.tokens"}


def test_whole_numbers_will_do_for_seconds(tmp_path: Path) -> None:
    assert load(written(tmp_path, "[limits]\ncpu_time_s = 3")).limits.cpu_time_s == 3


def test_environment_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALEBOX_CONFIG", str(written(tmp_path, "node = 'from the environment'")))
    assert load(None).node == "from the environment"


def test_a_path_given_wins_over_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCALEBOX_CONFIG", str(tmp_path / "absent.toml"))
    assert load(SHIPPED) == Config()


def test_environment_that_names_no_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCALEBOX_CONFIG", str(tmp_path / "absent.toml"))
    with pytest.raises(ConfigError, match=r"absent\.toml"):
        load(None)


def test_socket_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALEBOX_SOCKET", "/some/where.sock")
    assert default_socket_path() == Path("/some/where.sock")
    assert Config().socket_path() == Path("/some/where.sock")


def test_socket_of_the_configuration_wins_over_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCALEBOX_SOCKET", "/some/where.sock")
    config = load(written(tmp_path, "[server]\nsocket = '/else/where.sock'"))
    assert config.socket_path() == Path("/else/where.sock")


def test_root_and_others_have_places_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_socket_path() == Path("/run/scalebox/scaleboxd.sock")
    assert Config().store_directory() == Path("/var/cache/scalebox")
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    monkeypatch.setenv("HOME", "/home/someone")
    assert default_socket_path() == Path("/tmp/scalebox-1234/scalebox/scaleboxd.sock")
    assert Config().store_directory() == Path("/home/someone/.cache/scalebox")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1234")
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/someone/caches")
    assert default_socket_path() == Path("/run/user/1234/scalebox/scaleboxd.sock")
    assert Config().store_directory() == Path("/home/someone/caches/scalebox")


def test_a_user_without_a_home_has_a_place_too(monkeypatch: pytest.MonkeyPatch) -> None:
    # As in a container that is run under any number: no name, no HOME.
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert Config().store_directory() == Path("/tmp/scalebox-4000000/cache")


@pytest.mark.parametrize("what", ["another's", "open to all", "a link", "a file"])
def test_a_place_in_tmp_that_others_can_write_to_is_refused(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its number is that of this test run alone.
    number = 3_000_000_000 + os.getpid()
    place = Path(f"/tmp/scalebox-{number}")
    if what == "a link":
        place.symlink_to(tmp_path)
    elif what == "a file":
        place.touch()
    else:
        place.mkdir(mode=0o700)
    facts = os.lstat(place)
    if what == "open to all":
        place.chmod(0o777)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: number)
    if what != "another's":
        real = os.lstat

        def lstat(path: Path) -> os.stat_result:
            found = list(real(path))
            found[4] = number  # st_uid
            return os.stat_result(found)

        monkeypatch.setattr(os, "lstat", lstat)
    try:
        with pytest.raises(ConfigError, match="only you can write to"):
            default_socket_path()
    finally:
        monkeypatch.undo()
        (place.rmdir if stat.S_ISDIR(facts.st_mode) else place.unlink)()
