"""scalebox.toml and the environment → `Config`.

The only module that knows the file's format and the environment variables.  Every option has a
safe default; an unknown option is an error, so that a misspelt limit is never ignored.
`scalebox.toml` at the project's root lists every option with its default, and a test compares the
two.
"""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from scalebox.errors import ConfigError
from scalebox.model import Bytes, RunMemory, RunSeconds, Seconds

MIB = 1 << 20
GIB = 1 << 30

Count = Annotated[int, Meta(ge=1)]
#: As 16 random bytes in hexadecimal digits: who listens to the network can try keys at leisure.
MIN_KEY_CHARACTERS = 32
_MAX_KEY_CHARACTERS = 4096
_MAKE_KEY = "make one with `openssl rand -hex 32`, the same for all hosts"
# An empty secret would let in everybody who sends none.
Secret = Annotated[str, Meta(min_length=8, pattern=r"^\S(.*\S)?(?!\n)$")]


class ServerConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the daemon listens.

    Attributes:
        socket: path of the Unix socket; empty: `$XDG_RUNTIME_DIR/scalebox/scaleboxd.sock`, or
            `/run/scalebox/scaleboxd.sock` as root.
        socket_mode: permissions of the socket, octal digits.
        tcp: `host:port`; empty: no TCP.
        tokens: name → secret; a TCP request needs `Authorization: Bearer SECRET`.  The name is the
            client that fairness counts.  A secret has 8 characters at least, no space at its ends.
            Without tokens TCP listens on loopback only.
        tls_certificate, tls_key: PEM files; set: TCP speaks TLS.
        max_request_bytes: a larger request body is refused with 413.
        drain_timeout_s: how long SIGTERM waits for the work at hand.
    """

    socket: str = ""
    socket_mode: Annotated[str, Meta(pattern="^0?[0-7]{3}$")] = "0600"
    tcp: str = ""
    tokens: dict[Annotated[str, Meta(min_length=1)], Secret] = {}
    tls_certificate: str = ""
    tls_key: str = ""
    max_request_bytes: Bytes = 256 * MIB
    drain_timeout_s: Seconds = 30.0


class SandboxConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How programs are contained.

    Attributes:
        isolation: `auto` takes the strongest level that the host gives; a level's name demands
            that one; `strict` demands `full` with `cgroup2`.
        slots: programs that run at once; 0: one per core that the daemon may use.
        pin: whether each slot keeps to one core.
        accelerator: `auto` carries runs out natively where the host has a C compiler, at half the
            cost; `off` in Python.
        uid_base: as root, slot i runs programs as uid and gid `uid_base + 2 i`, and testers beside
            them as the next.
        cgroup_parent: cgroup to work under; empty: the daemon's own.
        read_only_paths: further host paths that programs may read; a device's file lets them reach
            its driver.
    """

    isolation: Literal["auto", "full", "user", "minimal", "strict"] = "auto"
    slots: Annotated[int, Meta(ge=0, le=1024)] = 0
    pin: bool = True
    accelerator: Literal["auto", "off"] = "auto"
    uid_base: Annotated[int, Meta(ge=1000, le=2_000_000_000)] = 61_184
    cgroup_parent: str = ""
    read_only_paths: tuple[str, ...] = ()


class LimitsConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Defaults for what a request leaves open, and the most it may ask for."""

    cpu_time_s: RunSeconds = 10.0
    max_cpu_time_s: RunSeconds = 600.0
    wall_time_factor: Annotated[float, Meta(ge=1)] = 2.0
    wall_time_extra_s: Seconds = 5.0
    max_wall_time_s: RunSeconds = 1800.0
    memory_bytes: RunMemory = 1 * GIB
    max_memory_bytes: RunMemory = 16 * GIB
    output_bytes: Bytes = 16 * MIB
    max_output_bytes: Bytes = 256 * MIB
    file_bytes: Bytes = 64 * MIB
    max_file_bytes: Bytes = 1 * GIB
    processes: Count = 128
    max_processes: Count = 4096
    open_files: Count = 256
    max_open_files: Count = 65_536
    compile_cpu_time_s: RunSeconds = 60.0
    compile_memory_bytes: RunMemory = 2 * GIB
    compile_file_bytes: Bytes = 512 * MIB
    compile_output_bytes: Bytes = 1 * MIB
    judge_cpu_time_s: RunSeconds = 10.0
    judge_memory_bytes: RunMemory = 1 * GIB


class EngineConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Queueing and retries.

    Attributes:
        max_queued_cases: more cases waiting than this: 429.
        max_queued_bytes: more test data waiting than this: 429.
        max_cases: cases of one submission.
        max_source_bytes: size of one submission's source and files together.
        memory_bytes: memory all slots may use together; 0: 80 % of the host's.
        retries: how often a case is run again after a failure of ours.
        excerpt_bytes: how much of an output a report carries.
        idempotency_ttl_s, idempotency_bytes: how long, and in how much memory, reports are kept
            for repeated idempotency keys.
    """

    max_queued_cases: Count = 200_000
    max_queued_bytes: Bytes = 2 * GIB
    max_cases: Count = 10_000
    max_source_bytes: Bytes = 4 * MIB
    memory_bytes: Annotated[int, Meta(ge=0)] = 0
    retries: Annotated[int, Meta(ge=0, le=20)] = 3
    excerpt_bytes: Annotated[int, Meta(ge=0)] = 4096
    idempotency_ttl_s: Seconds = 900.0
    idempotency_bytes: Bytes = 32 * MIB


class StoreConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the daemon keeps files.

    Attributes:
        directory: blobs, artifacts, precompiled headers; empty: `$XDG_CACHE_HOME/scalebox`, or
            `/var/cache/scalebox` as root.
        artifacts_bytes: bound of the compiled-program cache, on disk.
        blobs_bytes: bound of uploaded test data, on disk.
        max_problems: registered problems kept (the least recently used go first).
    """

    directory: str = ""
    artifacts_bytes: Bytes = 4 * GIB
    blobs_bytes: Bytes = 8 * GIB
    max_problems: Count = 100_000


class JudgesConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The store of special judges.

    Attributes:
        file: an SQLite database on a disk of this host, which several daemons here may share;
            empty: `judges.sqlite` in the store's directory.
        max_stored: judges kept; more are refused.
        max_bytes: bound of the file.
        max_judge_bytes: size of one judge, its files together.
        max_proof_bytes: size of one proof, as JSON.
        quarantine_failures, quarantine_rate: a judge that has failed so often, and in such a share
            of what it was asked, since it was last promoted is taken out of service.
    """

    file: str = ""
    max_stored: Count = 50_000
    max_bytes: Bytes = 4 * GIB
    max_judge_bytes: Bytes = 4 * MIB
    max_proof_bytes: Bytes = 1 * MIB
    quarantine_failures: Count = 20
    quarantine_rate: Annotated[float, Meta(gt=0, le=1)] = 0.05


class PythonConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The judge's Python.

    Attributes:
        interpreter: path of the Python (>= 3.8) that runs submissions; empty: `/usr/bin/python3`
            if there is one, else the first `python3` on PATH, else the daemon's own.
        preload: modules that every slot imports before the first submission.
        preload_on_demand: modules that a slot imports once the first submission names them.
    """

    interpreter: str = ""
    preload: tuple[str, ...] = (
        "array", "bisect", "cmath", "collections", "copy", "enum", "functools", "heapq", "io",
        "itertools", "math", "operator", "os", "random", "re", "string", "sys", "time", "typing",
    )  # fmt: skip
    preload_on_demand: tuple[str, ...] = (
        "dataclasses", "datetime", "decimal", "fractions", "hashlib", "inspect", "json", "numpy",
        "pathlib", "shutil", "statistics",
    )  # fmt: skip


class CppConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """C and C++.

    Attributes:
        cc, cxx: compilers; found on PATH.
        c_flags, cxx_flags: the flags; part of the artifact's address.
        static: link statically (starts faster; needs the static libraries).
        precompiled_header: precompile `bits/stdc++.h` once per compiler and flags.
    """

    cc: str = "gcc"
    cxx: str = "g++"
    c_flags: tuple[str, ...] = ("-O2", "-std=gnu17")
    cxx_flags: tuple[str, ...] = ("-O2", "-std=gnu++17")
    static: bool = False
    precompiled_header: bool = True


class LanguagesConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Per-language settings.

    Attributes:
        directories: hold further language tables (`*.toml`).
        home: where `make toolchains` puts compilers that no package brings.
        testlib_path: a header, or a folder with `testlib.h`, that judges written in C++ for testlib
            are compiled with; empty: the one that ships.
    """

    python: PythonConfig = PythonConfig()
    cpp: CppConfig = CppConfig()
    directories: tuple[str, ...] = ()
    home: str = "/usr/local/lib/scalebox"
    testlib_path: str = ""


class ClusterConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other daemons, whose test cases this one takes when it is idle, and that take its own.

    Attributes:
        listen: `host:port` for peers; empty: no cluster.
        advertise: `host:port` by which peers reach it; empty: found out, from `listen` or from the
            address by which this host reaches the others.
        key: the secret that peers share, 32 characters at least.
        key_file: a file that holds it, which only the daemon's user and group can read.
        provider: where hosts come from, besides `seeds`.
        seeds: `host` or `host:port` of daemons that may be there; one that is will do.
        dns_name: for `dns`: a name whose addresses are the hosts'.
        port: of hosts that are named without one.
        gossip_period_s: between two probes of others.
        steal: whether this daemon takes cases from others.
        recheck: the share of peers' results that is run here once more, and compared.
        hedge: whether the last cases that peers still have are run here, too.
        max_lease_bytes: test data that may be lent at once to one peer.
        tls_certificate, tls_key, tls_ca: PEM files; set: peers speak TLS and show each other
            certificates of that authority.
    """

    listen: str = ""
    advertise: str = ""
    key: str = ""
    key_file: str = ""
    provider: Literal["static", "dns", "slurm", "ray"] = "static"
    seeds: tuple[Annotated[str, Meta(min_length=1)], ...] = ()
    dns_name: str = ""
    port: Annotated[int, Meta(ge=1, le=65_535)] = 8766
    gossip_period_s: Annotated[float, Meta(ge=0.05, le=60)] = 1.0
    steal: bool = True
    recheck: Annotated[float, Meta(ge=0, le=1)] = 0.0
    hedge: bool = False
    max_lease_bytes: Bytes = 64 * MIB
    tls_certificate: str = ""
    tls_key: str = ""
    tls_ca: str = ""

    def secret(self) -> str:
        """The key, from wherever it is; empty: there is none.

        Raises:
            ConfigError: it is given twice, too short, or in a file that cannot be read, or that
                others can read.
        """
        if self.key and self.key_file:
            raise ConfigError("cluster.key and cluster.key_file are both set; keep one of them")
        if not self.key_file:
            option, key = "cluster.key", self.key
        else:
            path = Path(self.key_file)
            option = f"cluster.key_file = {path}"
            check_private(path, "cluster.key_file")
            try:
                with path.open(encoding="utf-8") as file:
                    key = file.read(_MAX_KEY_CHARACTERS + 1).strip()
            except (OSError, UnicodeDecodeError) as error:
                words = getattr(error, "strerror", None) or "it is not text"
                raise ConfigError(f"{option} cannot be read: {words}") from error
            if not key:
                raise ConfigError(f"{option} is empty; {_MAKE_KEY}")
        if key and not MIN_KEY_CHARACTERS <= len(key) <= _MAX_KEY_CHARACTERS:
            raise ConfigError(
                f"{option}: the key has {len(key)} characters; it takes {MIN_KEY_CHARACTERS} at "
                f"least, and {_MAX_KEY_CHARACTERS} at most; {_MAKE_KEY}"
            )
        return key


#: Where a protocol's paths begin.
Mount = Annotated[str, Meta(pattern=r"^(|/|(/[A-Za-z0-9._-]+)+)(?!\n)$", max_length=200)]


class CompatConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Protocols of other sandboxes and judges, for clients that speak them already.

    Each is the path that its own paths are served under: `"/"` for a client that is only given
    another host, `"/piston"` for one that is given a URL; empty: it is not served.

    Attributes:
        sandboxfusion: SandboxFusion.
        common_evaluate: the original ScaleBox, and SandboxFusion's datasets.
        code_judge: code-judge.
        open_instruct: open-instruct's test and execute servers.
        open_r1: open-r1's routers to E2B and Morph.
        piston: Piston, version 2.
        nemo_skills: NeMo-Skills' sandbox.
        nemo_gym: NeMo-Gym's resources server for code.
        judge0: Judge0, answered at once (`wait=true`).
        openrlhf, slime: remote reward models as OpenRLHF and slime ask them.
        datasets: name → file of JSON rows (`.jsonl`, `.jsonl.gz`), for what is asked by dataset.
    """

    sandboxfusion: Mount = ""
    common_evaluate: Mount = ""
    code_judge: Mount = ""
    open_instruct: Mount = ""
    open_r1: Mount = ""
    piston: Mount = ""
    nemo_skills: Mount = ""
    nemo_gym: Mount = ""
    judge0: Mount = ""
    openrlhf: Mount = ""
    slime: Mount = ""
    datasets: dict[Annotated[str, Meta(min_length=1)], str] = {}


class LogConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Logging; `console` is for people, `json` for collectors."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole configuration; one attribute a table of scalebox.toml."""

    node: str = ""
    server: ServerConfig = ServerConfig()
    sandbox: SandboxConfig = SandboxConfig()
    limits: LimitsConfig = LimitsConfig()
    engine: EngineConfig = EngineConfig()
    store: StoreConfig = StoreConfig()
    judges: JudgesConfig = JudgesConfig()
    languages: LanguagesConfig = LanguagesConfig()
    cluster: ClusterConfig = ClusterConfig()
    compat: CompatConfig = CompatConfig()
    log: LogConfig = LogConfig()

    def socket_path(self) -> Path:
        """Where the Unix socket is, with the default resolved."""
        return Path(self.server.socket) if self.server.socket else default_socket_path()

    def store_directory(self) -> Path:
        """Where the daemon keeps files, with the default resolved."""
        return Path(self.store.directory) if self.store.directory else default_store_directory()

    def versions_file(self) -> Path:
        """Where it is remembered what tool chains say of themselves: facts of this host, which all
        of a user's daemons share, whatever their stores."""
        try:
            return default_store_directory() / "toolchains.json"
        except ConfigError:
            return self.store_directory() / "toolchains.json"

    def judges_file(self) -> Path:
        """Where the daemon keeps special judges, with the default resolved."""
        return Path(self.judges.file or self.store_directory() / "judges.sqlite")


def default_store_directory() -> Path:
    """`/var/cache/scalebox` as root, else `scalebox` in the user's cache directory.

    Raises:
        ConfigError: the user has no home, and the place in /tmp is somebody else's.
    """
    if os.geteuid() == 0:
        return Path("/var/cache/scalebox")
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "scalebox"
    try:
        return Path.home() / ".cache" / "scalebox"
    except RuntimeError:  # a user whom no database knows, as in many containers
        return _own_place_in_tmp() / "cache"


def default_socket_path() -> Path:
    """`$SCALEBOX_SOCKET`, else the runtime directory's `scalebox/scaleboxd.sock`.

    Raises:
        ConfigError: there is no runtime directory, and the place in /tmp is somebody else's.
    """
    if given := os.environ.get("SCALEBOX_SOCKET"):
        return Path(given)
    if os.geteuid() == 0:
        return Path("/run/scalebox/scaleboxd.sock")
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return (Path(runtime) if runtime else _own_place_in_tmp()) / "scalebox" / "scaleboxd.sock"


def _own_place_in_tmp() -> Path:
    """`/tmp/scalebox-UID`, which anybody could have made before us."""
    path = Path(f"/tmp/scalebox-{os.geteuid()}")
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return path
    if (
        not stat.S_ISDIR(found.st_mode)
        or found.st_uid != os.geteuid()
        or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    ):
        raise ConfigError(
            f"{path} is not a directory that only you can write to: somebody else could answer "
            "there. Set $XDG_RUNTIME_DIR and $XDG_CACHE_HOME, or $SCALEBOX_SOCKET, to places of "
            "your own, or have it removed"
        )
    return path


def check_private(path: Path, option: str) -> None:
    """Look whether a file with a secret is read by its owner and group alone.

    The group may: that is how Kubernetes hands secrets to processes of another user than root.

    Raises:
        ConfigError: it is not there, or others can read or change it.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise ConfigError(f"{option} = {path} cannot be read: {error.strerror}") from error
    if mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise ConfigError(
            f"{option} = {path} can be read or changed by others (mode {stat.S_IMODE(mode):04o}): "
            f"it is no secret any more. Make a new one, and keep it to yourself: chmod 600 {path} "
            "(in Kubernetes: defaultMode: 0440 on the secret's volume)"
        )


def load(path: Path | None) -> Config:
    """Read the configuration.

    Parameters:
        path: the file; None: `$SCALEBOX_CONFIG`, else `/etc/scalebox/scalebox.toml` if it exists,
            else the defaults.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or has an unknown or ill-typed option;
            the message names the file and the option.
    """
    if path is None:
        if named := os.environ.get("SCALEBOX_CONFIG"):
            path = Path(named)
        else:
            path = Path("/etc/scalebox/scalebox.toml")
            if not path.is_file():
                return Config()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    try:
        return msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{path}: {error}. Every option is listed, with its default, in scalebox.toml of the "
            "project and in docs/configuration.md."
        ) from error
