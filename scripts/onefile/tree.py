"""The tree that the single file carries: a Python, its libraries, scalebox and what it needs.

The Python is the one that runs this, copied: its standard library is whole (but for tests, editors
and what binds to GUIs), so that it can also be the judge's Python on a host that has none.  It
finds everything by its own place: libraries by RPATH, modules by Python's landmark, os.pyc.  Only
the C library is the host's.
"""

from __future__ import annotations

import compileall
import importlib.metadata
import os
import platform
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

#: Of the standard library: what judges and daemons have no use for, and what is another's business.
_LEFT_OUT = {
    "__pycache__", "dist-packages", "ensurepip", "EXTERNALLY-MANAGED", "idlelib", "lib2to3",
    "pydoc_data", "site-packages", "sitecustomize.py", "test", "tests", "tkinter", "turtle.py",
    "turtledemo",
}  # fmt: skip
#: Extension modules: of GUIs and tests; and what would bring in libraries under the GPL.
_EXTENSIONS_LEFT_OUT = re.compile(
    r"(_tkinter|_test\w*|_xx\w*|xx\w*|_ctypes_test|nis|readline|_gdbm|_dbm)\."
)
#: Of packages: the sources of their extension modules.
_SOURCES = {".c", ".h", ".pxd", ".pxi", ".pyi", ".pyx"}
#: Of packages' records: what pip keeps for itself.
_RECORDS = {"RECORD", "INSTALLER", "REQUESTED", "WHEEL", "direct_url.json", "top_level.txt"}
#: The parts of the C library: they fit the host's kernel loader and name service, and each other.
_GLIBC = re.compile(
    r"(ld-linux.*|lib(c|m|mvec|pthread|dl|rt|util|resolv|anl|nss_\w+|thread_db|BrokenLocale))\.so"
)
_GLIBC_VERSION = re.compile(rb"\0GLIBC_(\d+)\.(\d+)")
_ELF = b"\x7fELF"

#: Run by the finished tree in an empty environment: imports all there is, and says what was mapped.
_SELF_TEST = """
import importlib, pathlib, sys, sysconfig
folder = pathlib.Path(sysconfig.__file__).parent
for path in sorted((folder / "lib-dynload").glob("*.so")):
    importlib.import_module(path.name.split(".")[0])
for name in ("scalebox.daemon", "scalebox.api.serve", "scalebox.engine.service",
             "scalebox.engine.doctor", "scalebox.cli", "uvloop", "ssl"):
    importlib.import_module(name)
for line in open("/proc/self/maps"):
    if "/" in line:
        print(line[line.index("/"):].rstrip())
"""


class DistError(Exception):
    """The file cannot be built here; the message says what to do."""


def build(tree: Path, wheel: Path) -> str:
    """Make the tree; returns the oldest glibc on which it runs.

    Parameters:
        tree: the directory; what is there is replaced.
        wheel: scalebox.

    Raises:
        DistError: this Python, or this host, is not one that can be carried elsewhere.
    """
    if platform.libc_ver()[0] != "glibc":
        raise DistError("the single file is for hosts with glibc: build it on one (Debian, Ubuntu)")
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    library = _copy_python(tree)
    _install(library, wheel)
    _prune(library)
    _compile(library)
    needing = _copy_libraries(tree)
    _strip(tree)
    _find_by_place(tree, needing)
    _self_test(tree)
    return _oldest_glibc(tree)


# --- Python and packages --------------------------------------------------------------------------


def _copy_python(tree: Path) -> Path:
    """The interpreter and its standard library; returns the folder of the latter in the tree."""
    executable = Path(os.path.realpath(sys.executable))
    standard = Path(sysconfig.get_path("stdlib"))
    try:
        library = tree / standard.relative_to(sys.base_prefix)
    except ValueError:
        raise DistError(
            f"{executable} keeps its standard library in {standard}, not below "
            f"{sys.base_prefix}: build with another Python (make dist PYTHON=...)"
        ) from None
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    (tree / "bin").mkdir()
    shutil.copy2(executable, tree / "bin" / name)
    for link in ("python3", "scaleboxd"):
        (tree / "bin" / link).symlink_to(name)
    shutil.copytree(standard, library, ignore=_not_carried)
    if not (library / "lib-dynload").is_dir():
        raise DistError(f"{standard} has no lib-dynload: build with another Python")
    shutil.copy2(Path(__file__).with_name("launch.py"), tree / "launch.py")
    return library


def _not_carried(_folder: str, names: list[str]) -> set[str]:
    return {
        name
        for name in names
        if name in _LEFT_OUT or name.startswith("config-") or _EXTENSIONS_LEFT_OUT.match(name)
    }


def _install(library: Path, wheel: Path) -> None:
    """Packages lie beside the standard library: no `site` is needed, or asked for its customs."""
    constraints = library.parent / "constraints.txt"
    # The versions that the tests of this tree have seen.
    tested = {
        distribution.name: distribution.version
        for distribution in importlib.metadata.distributions()
        if distribution.name != "scalebox"
    }
    constraints.write_text("".join(f"{name}=={tested[name]}\n" for name in sorted(tested)))
    run(
        *(sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"),
        *("--no-compile", "--target", str(library), "--constraint", str(constraints), str(wheel)),
    )
    constraints.unlink()


def _prune(library: Path) -> None:
    shutil.rmtree(library / "bin", ignore_errors=True)
    for path in list(library.rglob("*")):
        relative = path.relative_to(library)
        in_record = relative.parts[0].endswith(".dist-info")
        is_source = path.suffix in _SOURCES and relative.parts[0] != "scalebox"
        if path.is_file() and (is_source or (in_record and path.name in _RECORDS)):
            path.unlink()


def _compile(library: Path) -> None:
    """Modules become code alone, which halves the files; scalebox keeps its sources, too.

    The zygote and the harnesses are run by other Pythons, from source.  Code is never compared with
    its source's time: nothing in an unpacked tree changes.
    """
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    # Some of the examples' programs do not compile; that is what they are for.
    data = re.compile(r"/examples/[^/]+/")
    for entry in sorted(library.iterdir()):
        ours = entry.name == "scalebox"
        if entry.is_dir():
            done = compileall.compile_dir(
                entry, quiet=1, legacy=not ours, invalidation_mode=unchecked, rx=data,
                stripdir=str(library), maxlevels=20,
            )  # fmt: skip
        elif entry.suffix == ".py":
            done = compileall.compile_file(
                entry, quiet=1, legacy=True, invalidation_mode=unchecked, stripdir=str(library)
            )
        else:
            continue
        if not done:
            raise DistError(f"{entry.name} does not compile: see above")
        if not ours:
            for source in [entry] if entry.is_file() else entry.rglob("*.py"):
                source.unlink()


# --- native code ----------------------------------------------------------------------------------


def _native_files(tree: Path) -> Iterator[Path]:
    for path in sorted(tree.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(len(_ELF)) == _ELF:
                    yield path


def _copy_libraries(tree: Path) -> list[Path]:
    """Copy what native files need, the C library apart; returns the files that need any of it."""
    folder = tree / "lib"
    folder.mkdir(exist_ok=True)
    needing: list[Path] = []
    for path in _native_files(tree):
        needed = libraries(path)
        if needed:
            needing.append(path)
        for name, found in needed.items():
            if not found:
                raise DistError(f"{path} needs {name}, which this host does not have: install it")
            if tree not in Path(found).parents and not (folder / name).exists():
                shutil.copy(os.path.realpath(found), folder / name)
                (folder / name).chmod(0o755)
                needing.append(folder / name)
    return needing


def _strip(tree: Path) -> None:
    if shutil.which("strip") is None:
        print("dist: without `strip` (package binutils) the file becomes larger", flush=True)
        return
    for path in _native_files(tree):
        run("strip", "--strip-unneeded", str(path))


def _find_by_place(tree: Path, needing: list[Path]) -> None:
    """Let native files look for their libraries in the tree, wherever it is."""
    patchelf = _patchelf()
    for path in needing:
        said = subprocess.run(
            [patchelf, "--print-rpath", str(path)], check=True, capture_output=True, text=True
        )
        own = [part for part in said.stdout.strip().split(":") if part.startswith("$ORIGIN")]
        place = os.path.relpath(tree / "lib", path.parent)
        rpath = ":".join([*own, "$ORIGIN" if place == "." else f"$ORIGIN/{place}"])
        # RPATH, not RUNPATH: LD_LIBRARY_PATH, which trainers' shells set for other software, must
        # not put another libpython or OpenSSL in the place of these.
        run(patchelf, "--force-rpath", "--set-rpath", rpath, str(path))


def _patchelf() -> str:
    beside = Path(sys.executable).with_name("patchelf")
    found = str(beside) if beside.exists() else shutil.which("patchelf")
    if found is None:
        raise DistError("no patchelf: `make dist` installs it (dependency group `dist`)")
    return found


def libraries(path: Path) -> dict[str, str]:
    """The libraries that a native file loads, the C library's left out: name → path or ""."""
    done = subprocess.run(
        ["ldd", str(path)], capture_output=True, text=True, check=False, env={"PATH": os.defpath}
    )
    found: dict[str, str] = {}
    for line in done.stdout.splitlines():
        name, arrow, rest = line.strip().partition(" => ")
        if arrow and not _GLIBC.match(os.path.basename(name)):
            found[name] = "" if rest.startswith("not found") else rest.rpartition(" (")[0]
    return found


def _oldest_glibc(tree: Path) -> str:
    """The newest symbol version that any file asks of the C library."""
    wanted = [
        (int(major), int(minor))
        for path in _native_files(tree)
        for major, minor in _GLIBC_VERSION.findall(path.read_bytes())
    ]
    return "{}.{}".format(*max(wanted))


def _self_test(tree: Path) -> None:
    """Let the tree's Python import everything, and see that all of it comes from the tree."""
    command = [str(tree / "bin" / "scaleboxd"), "-I", "-S", "-B", "-c", _SELF_TEST]
    done = subprocess.run(command, env={}, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode:
        raise DistError(f"the tree's own Python does not run:\n{done.stderr.strip()}")
    foreign = {
        line
        for line in done.stdout.splitlines()
        if tree not in Path(line).parents
        and not _GLIBC.match(os.path.basename(line))
        and not line.endswith(("/locale-archive", "/gconv-modules.cache"))
        and "/locale/" not in line
    }
    if foreign:
        raise DistError(f"the tree's Python still uses {', '.join(sorted(foreign))} of this host")


def run(*command: str) -> None:
    """Run a tool of the build.

    Raises:
        DistError: it failed; what it said has been shown.
    """
    if subprocess.run(command, check=False).returncode:
        raise DistError(f"failed: {' '.join(command)}")
