"""`scaleboxd`: the one place that wires the rooms together; reads as the life of the process.

configuration → log → judges → engine (stores, tool chains, slots) → API → wait for the end → drain
→ down.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import os
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import anyio
import msgspec

import scalebox
from scalebox import config as configuration
from scalebox.config import Config, JudgesConfig
from scalebox.errors import ConfigError, HostError, ScaleboxError
from scalebox.log import set_up as set_up_log
from scalebox.log import structlog
from scalebox.model import Status

if TYPE_CHECKING:
    from scalebox.judges.catalogue import Catalogue

_DESCRIPTORS = 65_536
#: What the daemon exits with when it cannot start.
EXIT_CANNOT_START = 2

log = structlog.get_logger("scaleboxd")


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the console script `scaleboxd`."""
    options = _parser().parse_args(arguments)
    try:
        config = _configuration(options)
        set_up_log(config.log)
        if options.doctor:
            sys.exit(anyio.run(_doctor, config, options.json))
        parent = _watched_parent(options.exit_with_parent)
        _allow_descriptors()
        # Programs run as other users, and have to read some of what is made here (precompiled
        # headers, say); what nobody else may read has its mode when it is made.
        os.umask(0o022)
        with _claimed(config.store_directory(), config.socket_path()):
            anyio.run(_serve, config, parent, backend_options={"use_uvloop": True})
    except (ScaleboxError, ExceptionGroup) as error:
        cause = _alone(error)
        if not isinstance(cause, ScaleboxError):
            raise
        _give_up(str(cause))
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _give_up(f"{error.strerror or error}{where}")


def _alone(error: Exception) -> Exception:
    """An error that task groups have wrapped, if it is one."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _give_up(words: str) -> NoReturn:
    print(f"scaleboxd: {words}", file=sys.stderr)
    sys.exit(EXIT_CANNOT_START)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scaleboxd", description="Judges submissions in sandboxes; see docs/."
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="scalebox.toml")
    parser.add_argument("--socket", metavar="PATH", help="listen here (over the configuration)")
    parser.add_argument(
        "--exit-with-parent",
        nargs="?",
        type=int,
        const=os.getppid(),
        metavar="PID",
        help="stop when the starting process is gone (with its PID: also if it is gone already)",
    )
    parser.add_argument("--doctor", action="store_true", help="say what this host gives, and exit")
    parser.add_argument("--json", action="store_true", help="with --doctor: as JSON")
    parser.add_argument("--version", action="version", version=f"scaleboxd {scalebox.__version__}")
    return parser


def _configuration(options: argparse.Namespace) -> Config:
    config = configuration.load(options.config)
    if options.socket:
        server = msgspec.structs.replace(config.server, socket=options.socket)
        config = msgspec.structs.replace(config, server=server)
    return config


def _allow_descriptors() -> None:
    """Lift the soft limit of open files, which is 1024 on most hosts, as far as one may.

    Every connection takes one, and a few trainers with their connections are more than that.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _watched_parent(pid: int | None) -> int:
    """A descriptor that tells the end of that process; -1: none is wanted.

    It need not be the parent itself: the single-file executable starts by way of a process of its
    own.

    Raises:
        HostError: that process is gone already.
    """
    if pid is None:
        return -1
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        raise HostError(f"the process {pid} that started this daemon is gone") from None


@contextlib.contextmanager
def _claimed(store: Path, socket: Path) -> Iterator[None]:
    """Hold the store's lock: two daemons would each take the other's work in hand for leftovers.

    The kernel drops the lock with its holder, however that ended; on a network file system it holds
    between hosts too.  The file says who holds it.

    Raises:
        ConfigError: another daemon has the store.
    """
    store.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(store / "lock", "a+", opener=_private) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise ConfigError(
                f"another daemon uses the store {store} ({lock.read(200).strip()}); use that "
                "daemon, stop it, or give this one another folder in store.directory"
            ) from None
        except OSError as error:
            log.warning("the store cannot be locked", store=str(store), reason=error.strerror)
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {os.uname().nodename}, socket {socket}")
        lock.flush()
        yield


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


async def _serve(config: Config, parent: int) -> None:
    from scalebox.engine.service import running

    if config.cluster.listen:
        from scalebox.cluster.listen import entrance
        from scalebox.cluster.providers import make_provider

        # What is wrong there is to be said before anything is started.
        await entrance(config.cluster)
        make_provider(config.cluster)
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        # What speaks to others is loaded while the first slot starts.
        loaded = asyncio.get_running_loop().run_in_executor(None, _outer_rooms)
        async with (
            _judges(config.judges, config.judges_file()).in_use() as judges,
            running(config, judges) as engine,
        ):
            clustered, serve = await loaded
            async with (
                clustered(config, engine),
                serve(config, engine),
                anyio.create_task_group() as tasks,
            ):
                _announce(engine.status())
                if parent >= 0:
                    tasks.start_soon(_until_orphaned, parent, tasks.cancel_scope)
                async for received in signals:
                    log.info("stopping", signal=signal.Signals(received).name)
                    break
                engine.draining = True
                tasks.cancel_scope.cancel()
    log.info("stopped")


def _outer_rooms() -> tuple[Any, Any]:
    from scalebox.api.serve import serve
    from scalebox.cluster.service import clustered

    return clustered, serve


def _judges(config: JudgesConfig, file: Path) -> Catalogue:
    """The judges that submissions can name.

    Raises:
        HostError: the file of the store cannot be used, or this Python knows no SQLite.
        JudgeFolderError: those that ship are not there: this installation is broken.
    """
    try:
        import sqlite3  # noqa: F401
    except ImportError as error:
        raise HostError(
            f"this Python ({sys.executable}) was built without SQLite, in which judges are kept "
            f"({error}): use another one, or install libsqlite3's headers and build it again"
        ) from error
    from scalebox.judges.catalogue import Catalogue
    from scalebox.judges.directory import shipped
    from scalebox.judges.service import Threshold
    from scalebox.judges.store import Bounds, JudgeStore

    bounds = Bounds(
        stored=config.max_stored,
        file_bytes=config.max_bytes,
        judge_bytes=config.max_judge_bytes,
        proof_bytes=config.max_proof_bytes,
    )
    threshold = Threshold(config.quarantine_failures, config.quarantine_rate)
    return Catalogue(shipped(), JudgeStore(file, bounds), threshold)


def _announce(status: Status) -> None:
    log.info(
        "ready",
        version=status.version,
        isolation=status.isolation.value,
        enforcement=status.enforcement.value,
        slots=len(status.slots),
    )
    for note in status.notes:
        log.warning("host", note=note)


async def _until_orphaned(parent: int, scope: anyio.CancelScope) -> None:
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(parent, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(parent)
    log.info("stopping", reason="the process that started this daemon is gone")
    scope.cancel()


async def _doctor(config: Config, as_json: bool) -> int:
    from scalebox.engine import doctor

    diagnosis = await doctor.diagnose(config)
    if as_json:
        sys.stdout.write(msgspec.json.encode(diagnosis).decode() + "\n")
    else:
        sys.stdout.write(doctor.render(diagnosis) + "\n")
    return 0 if diagnosis.ok else 1


if __name__ == "__main__":
    main()
