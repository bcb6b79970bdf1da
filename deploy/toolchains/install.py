"""Install the tool chains that Debian, Maven Central and npm have: what `make toolchains` runs.

`toolchains.toml` beside this file says which; here is how they come and where they go.  Packages of
Debian go where Debian puts them, all else below `--home`, which is `languages.home` of the daemon's
configuration.  Needs Python's standard library only, and root for Debian's packages; does nothing
the second time.

    python3 deploy/toolchains/install.py [--home DIRECTORY] [--check]

Everything comes by the ordinary ways and their settings: apt's sources, npm's registry, proxies and
certificates of the environment.  `MAVEN_REPOSITORY` names another place than Maven Central that has
the same files, whose sums are checked.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import archives

HERE = Path(__file__).resolve().parent
HOME = Path("/usr/local/lib/scalebox")
MAVEN_REPOSITORY = "https://repo1.maven.org/maven2"
#: Where programs find tools; what an installer's own PATH has besides, they do not see.
PATH = "/usr/local/bin:/usr/bin:/bin"
FETCH_TIMEOUT_S = 300
VERSION_TIMEOUT_S = 60
#: Of the processor, as npm packages name it.
PROCESSORS = {"x86_64": "x64", "aarch64": "arm64"}


class InstallError(Exception):
    """Something did not come; the message says what, and what to do."""


def main() -> int:
    """Install what is missing, then say what is there; the exit status."""
    parser = argparse.ArgumentParser(description="install compilers and interpreters")
    parser.add_argument("--home", type=Path, default=HOME, help=f"default: {HOME}")
    parser.add_argument("--check", action="store_true", help="install nothing, say what is there")
    options = parser.parse_args()
    wanted = tomllib.loads((HERE / "toolchains.toml").read_text(encoding="utf-8"))
    home = options.home.absolute()
    os.umask(0o022)  # programs run as other users, and read all of it
    failures = []
    if not options.check:
        steps: tuple[Callable[[], None], ...] = (
            lambda: install_debian(wanted["debian"]),
            lambda: install_maven(wanted["maven"], home),
            lambda: install_npm(home / "node"),
            lambda: build_go_library(home / "go"),
            lambda: make_archives(home),
        )
        for step in steps:
            try:
                step()
            except (InstallError, OSError) as error:
                failures.append(str(error))
    missing = show(wanted, home)
    for failure in failures:
        print(f"toolchains: {failure}", file=sys.stderr)
    return 1 if failures or missing else 0


def say(text: str) -> None:
    """One line of what is being done."""
    print(f"toolchains: {text}", flush=True)


# --- Debian --------------------------------------------------------------------------------------


def install_debian(groups: Sequence[dict[str, Any]]) -> None:
    """Install the packages that are not there; those that are stay as they are.

    Raises:
        InstallError: there is no apt, no root, or apt failed.
    """
    needed = [
        package
        for group in groups
        if not ("unless" in group and found(group["unless"]))
        for package in group["packages"]
        if not any(map(is_installed, alternatives(package)))
    ]
    if not needed:
        return
    if shutil.which("apt-get") is None:
        raise InstallError(f"there is no apt-get here; install what corresponds to: {needed}")
    if os.geteuid() != 0:
        raise InstallError(f"to be installed by root: apt-get install {' '.join(needed)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-q"], environment)
    known = {
        package: [name for name in alternatives(package) if is_known(name)] for package in needed
    }
    chosen = [names[0] for names in known.values() if names]
    unknown = [package for package, names in known.items() if not names]
    say(f"installing {' '.join(chosen)}")
    run(["apt-get", "install", "-qy", "--no-install-recommends", *chosen], environment)
    if unknown:
        raise InstallError(f"apt's sources do not have {', '.join(unknown)}")


def alternatives(package: str) -> list[str]:
    """`a | b`, as Debian writes it: either will do, the first is better."""
    return package.replace(" ", "").split("|")


def is_installed(package: str) -> bool:
    """Whether dpkg has it."""
    command = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout == "installed"


def is_known(package: str) -> bool:
    """Whether apt's sources have it."""
    done = subprocess.run(["apt-cache", "show", package], capture_output=True, check=False)
    return done.returncode == 0


# --- Maven Central -------------------------------------------------------------------------------


def install_maven(files: Sequence[dict[str, str]], home: Path) -> None:
    """Fetch jars, each to `home/FOLDER/ARTIFACT.jar`: without a version, so that commands stay.

    Raises:
        InstallError: one cannot be fetched, or is not what it should be.
    """
    repository = os.environ.get("MAVEN_REPOSITORY", MAVEN_REPOSITORY).rstrip("/")
    for file in files:
        group, artifact, version = file["name"].split(":")
        target = home / file["folder"] / f"{artifact}.jar"
        if target.exists() and sum_of(target.read_bytes()) == file["sha256"]:
            continue
        path = f"{group.replace('.', '/')}/{artifact}/{version}/{artifact}-{version}.jar"
        say(f"fetching {file['name']}")
        try:
            with urllib.request.urlopen(f"{repository}/{path}", timeout=FETCH_TIMEOUT_S) as answer:
                content = answer.read()
        except OSError as error:
            raise InstallError(
                f"cannot fetch {repository}/{path} ({error}); MAVEN_REPOSITORY names another place"
            ) from error
        if sum_of(content) != file["sha256"]:
            raise InstallError(f"{repository}/{path} does not have the sum in toolchains.toml")
        put(target, content)


def sum_of(content: bytes) -> str:
    """The SHA-256 sum, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def put(target: Path, content: bytes) -> None:
    """Write a file so that nobody sees half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(target.name + ".partial")
    beside.write_bytes(content)
    beside.replace(target)


# --- npm -----------------------------------------------------------------------------------------


def install_npm(folder: Path) -> None:
    """Install the packages of `package-lock.json`, whose sums npm checks.

    No package's own scripts run: they would do so as root, and none of these needs them.

    Raises:
        InstallError: there is no npm, or it failed.
    """
    lock = (HERE / "package-lock.json").read_bytes()
    stamp = folder / "installed"
    made_for = sum_of(lock) + platform.machine()
    if stamp.exists() and stamp.read_text() == made_for:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise InstallError("there is no npm on PATH: install the package npm")
    put(folder / "package.json", (HERE / "package.json").read_bytes())
    put(folder / "package-lock.json", lock)
    say(f"npm ci in {folder}")
    run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)])
    # esbuild's own command is a script that starts Node first: this is the program itself.
    native = f"../node_modules/@esbuild/linux-{PROCESSORS[platform.machine()]}/bin/esbuild"
    link = folder / "bin" / "esbuild"
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(native)
    put(stamp, made_for.encode())


# --- Go ------------------------------------------------------------------------------------------


def build_go_library(folder: Path) -> None:
    """Compile Go's standard library, which comes as sources: else each submission would do it.

    Raises:
        InstallError: it does not compile.
    """
    go = go_command()
    if not go:
        return
    version = version_of([go, "version"])
    stamp = folder / "built"
    if stamp.exists() and stamp.read_text() == version:
        return
    say(f"compiling the library of {version} into {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    # What is found in the cache depends on the environment: this is go.toml's.
    environment = {
        "PATH": PATH, "HOME": str(folder / "home"), "GOCACHE": str(folder / "cache"),
        "GOPROXY": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0",
    }  # fmt: skip
    run([go, "build", "std"], environment)
    shutil.rmtree(folder / "home", ignore_errors=True)
    put(stamp, version.encode())


def go_command() -> str:
    """Path of Go, where the table looks for it; empty: there is none."""
    return found("go") or found("/usr/local/go/bin/go")


# --- Java ----------------------------------------------------------------------------------------


def make_archives(home: Path) -> None:
    """Let the compilers on the Java virtual machine start faster, and say what became of it."""
    for line in archives.make(home):
        say(line)


# --- all of them ---------------------------------------------------------------------------------


def run(command: Sequence[str], environment: dict[str, str] | None = None) -> None:
    """Run a command whose output is for who started us.

    Raises:
        InstallError: it failed.
    """
    if subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode:
        raise InstallError(f"{' '.join(command)} failed; what it said is above")


def found(tool: str) -> str:
    """Path of a tool as programs see it; empty: it is not there."""
    return shutil.which(tool, path=PATH) or ""


def version_of(command: Sequence[str]) -> str:
    """The first line of what a tool says about itself; empty: it does not run."""
    environment = {"PATH": PATH, "HOME": "/tmp", "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
            env=environment, timeout=VERSION_TIMEOUT_S, cwd="/",
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return next((line.strip() for line in (done.stdout + done.stderr).splitlines() if line), "")


def show(wanted: dict[str, Any], home: Path) -> list[str]:
    """Print a table of what is there; returns what is not."""
    rows = [*tools(wanted["debian"]), *files(wanted, home)]
    width = max(len(name) for name, _ in rows)
    for name, state in rows:
        print(f"{name:{width}}  {state or 'missing'}")
    return [name for name, state in rows if not state]


def tools(groups: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """(languages, path and version) of each tool that a package brings."""
    for group in groups:
        name, *arguments = group["version"]
        path = go_command() if name == "go" else found(name)
        said = version_of([path, *arguments]) if path else ""
        yield group["languages"], f"{path}  {said}" if said else ""


def files(wanted: dict[str, Any], home: Path) -> Iterator[tuple[str, str]]:
    """(file below home, what it is) of what no package brings."""
    for file in wanted["maven"]:
        path = home / file["folder"] / f"{file['name'].split(':')[1]}.jar"
        yield str(path), file["name"] if path.exists() else ""
    for link in ("esbuild",):
        path = home / "node" / "bin" / link
        yield str(path), version_of([str(path), "--version"])


if __name__ == "__main__":
    sys.exit(main())
