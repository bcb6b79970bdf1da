"""Make `.venv` ready: a virtual environment with scalebox installed from this tree.

Answers for everything between a fresh machine (Python >= 3.11, nothing else) and a working
`.venv/bin/scalebox`.  Uses the standard library only, needs no root, and does nothing the second
time: a stamp in the environment says for which Python and which pyproject.toml it was made.

    python3 scripts/bootstrap.py [GROUP ...]

installs scalebox in editable mode and, for every GROUP, the packages of that dependency group of
pyproject.toml.  `VENV` names another directory than `.venv`.  What pip is told by its own
configuration and environment (`PIP_INDEX_URL`, proxies) holds here too.  An environment of
another Python is kept unless $PYTHON asks for one (make sets it when its caller does).
"""

# The syntax up to the version check is that of any Python 3, so that an old one can say what is
# wrong instead of raising a SyntaxError.

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

MINIMUM = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")
PIP_INDEX = "https://pypi.org/pypi/pip/json"
# Kept by pip itself across bad networks; the second try is ours, for a mirror's hiccup.
INSTALL_ATTEMPTS = 2

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, os.environ.get("VENV") or ".venv")


class BootstrapError(Exception):
    """The environment cannot be made; the message says what to do."""


def main(groups):
    """Make the environment for the dependency groups named; returns the exit status."""
    if sys.version_info < MINIMUM:
        return _reexec_newer()
    try:
        with _lock():
            _prepare(groups)
    except BootstrapError as error:
        print("bootstrap: %s" % error, file=sys.stderr)
        return 1
    return 0


def _reexec_newer():
    """Replace this process by one of a Python that is new enough."""
    for name in NEWER:
        found = shutil.which(name)
        if found:
            os.execv(found, [found, os.path.abspath(__file__)] + sys.argv[1:])
    print(
        "bootstrap: %s is Python %d.%d, and scalebox needs %d.%d or newer. Install one and name "
        "it: make PYTHON=/path/to/python3.12 ..."
        % ((sys.executable,) + sys.version_info[:2] + MINIMUM),
        file=sys.stderr,
    )
    return 1


class _lock:
    """Two makes at once would install into one environment: the second waits for the first."""

    def __enter__(self):
        import fcntl

        self._descriptor = os.open(ROOT, os.O_RDONLY)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_error):
        os.close(self._descriptor)


def _prepare(groups):
    import tomllib

    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        text = file.read()
    project = tomllib.loads(text.decode("utf-8"))
    made_for = _fingerprint(text)
    missing = [group for group in ["", *groups] if _stamped(group) != made_for]
    if not missing:
        return
    if not os.access(os.path.dirname(VENV), os.W_OK) or (
        os.path.exists(VENV) and not os.access(VENV, os.W_OK)
    ):
        raise BootstrapError(
            "%s was made by another user or for another Python, and you may not change it. "
            "Make one of your own: VENV=/some/directory make ..." % VENV
        )
    if _stamped("") != made_for:
        _make_environment()
        print("bootstrap: installing scalebox and what it needs into %s" % VENV, flush=True)
        _pip("install", "--editable", ROOT)
        _stamp("", made_for)
    for group in groups:
        if _stamped(group) != made_for:
            wanted = list(_group(project, group))
            print("bootstrap: installing what `%s` needs" % group, flush=True)
            _pip("install", *wanted)
            _stamp(group, made_for)


def _group(project, name):
    """The requirements of a dependency group, with the groups that it includes (PEP 735).

    Read here because the pip of Debian 12 (23.0) does not know `--group` (25.1).
    """
    groups = project.get("dependency-groups", {})
    if name not in groups:
        raise BootstrapError("pyproject.toml has no dependency group %r" % name)
    for entry in groups[name]:
        if isinstance(entry, str):
            yield entry
        else:
            yield from _group(project, entry["include-group"])


def _make_environment():
    """Make VENV an environment of this Python with pip; what another made is never removed."""
    ours = _stamped("python") or _stamped("begun")
    if not ours and os.path.isdir(VENV) and os.listdir(VENV):
        if _python_identity(_python()) != _python_identity():
            raise BootstrapError(
                "%s is there, was not made by this script, and is no environment of %s. Remove "
                "it, or name another place: VENV=/some/directory make ..." % (VENV, sys.executable)
            )
    elif _stamped("python") != _chosen_identity() or not _runs([_python(), "-m", "pip", "-V"]):
        _create()
        _stamp("python", _python_identity())


def _create():
    print("bootstrap: creating %s with %s" % (VENV, sys.executable), flush=True)
    _clear()
    # Debian keeps ensurepip in python3-venv; without that package `-m venv` fails half way, and
    # its advice needs root.
    if _runs([sys.executable, "-m", "venv", VENV]):
        return
    _clear()
    command = [sys.executable, "-m", "venv", "--without-pip", VENV]
    made = subprocess.run(command, check=False, capture_output=True, text=True)
    if made.returncode:
        raise BootstrapError(
            "%s failed: %s\nOn Debian and Ubuntu the package python3-venv helps."
            % (" ".join(command), (made.stdout + made.stderr).strip())
        )
    _install_pip()


def _clear():
    """Start VENV anew, marked as ours, so that one left half made is known as such."""
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        os.makedirs(VENV, exist_ok=True)
        _stamp("begun", _python_identity())
    except OSError as error:
        raise BootstrapError("cannot make %s: %s" % (VENV, error.strerror)) from error


def _install_pip():
    """Put pip into an environment that has none: PyPI's wheel, its hash checked."""
    print("bootstrap: this Python has no ensurepip; fetching pip from PyPI", flush=True)
    try:
        with urllib.request.urlopen(PIP_INDEX, timeout=60) as answer:
            files = json.load(answer)["urls"]
        wheel = next(file for file in files if file["packagetype"] == "bdist_wheel")
        # A mirror may give an address relative to its own.
        url = urllib.parse.urljoin(PIP_INDEX, wheel["url"])
        with urllib.request.urlopen(url, timeout=60) as answer:
            content = answer.read()
    except (OSError, ValueError, KeyError, StopIteration) as error:
        raise BootstrapError(
            "cannot fetch pip from %s (%s). Install the package python3-venv, or give the "
            "network (https_proxy) that this host needs." % (PIP_INDEX, error)
        ) from error
    if hashlib.sha256(content).hexdigest() != wheel["digests"]["sha256"]:
        raise BootstrapError("%s does not have the sha256 that PyPI states" % url)
    with tempfile.TemporaryDirectory(prefix="scalebox-pip-") as directory:
        path = os.path.join(directory, wheel["filename"])
        with open(path, "wb") as file:
            file.write(content)
        # A wheel is a zip file that Python can import from: pip installs itself.
        command = [_python(), path + "/pip", "install", "--quiet", "--no-index", path]
        if subprocess.run(command, check=False).returncode:
            raise BootstrapError("pip could not install itself: %s" % " ".join(command))


def _pip(*arguments):
    command = [_python(), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    for _attempt in range(INSTALL_ATTEMPTS):
        if subprocess.run(command, check=False, cwd=ROOT).returncode == 0:
            return
    raise BootstrapError(
        "%s failed; what pip said is above. It needs PyPI, or a mirror named by PIP_INDEX_URL."
        % " ".join(command)
    )


def _python():
    return os.path.join(VENV, "bin", "python")


def _runs(command):
    try:
        done = subprocess.run(
            command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except OSError:
        return False
    return done.returncode == 0


def _python_identity(executable=sys.executable):
    """What the environment's own files name: its Python, and (in every script) its place."""
    version = sys.version.split()[0]
    if executable != sys.executable:
        command = [executable, "-c", "import pip, sys; print(sys.version.split()[0])"]
        try:
            version = subprocess.run(command, check=False, capture_output=True, text=True).stdout
        except OSError:
            return ""
    return "%s %s %s" % (os.path.realpath(executable), version.strip(), VENV)


def _chosen_identity():
    """Of the Python asked for by $PYTHON; where none is, what is there already will do.

    Another shell with another python3 first on its PATH must not build everything anew.
    """
    made = _stamped("python")
    if made.endswith(" " + VENV) and os.path.exists(_python()) and not os.environ.get("PYTHON"):
        return made
    return _python_identity()


def _fingerprint(project):
    """What an environment depends on: a change of any of these makes it stale."""
    with open(os.path.abspath(__file__), "rb") as file:
        script = file.read()
    parts = [project, script, _chosen_identity().encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _stamp_path(name):
    return os.path.join(VENV, ".scalebox-" + (name or "installed"))


def _stamped(name):
    try:
        with open(_stamp_path(name), encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def _stamp(name, value):
    with open(_stamp_path(name), "w", encoding="utf-8") as file:
        file.write(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
