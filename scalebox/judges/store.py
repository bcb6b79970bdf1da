"""The store of special judges: each by its content, with where it comes from and what became of it.

Answers for: what was registered is there as it was, under the hash of its content; states change
only as `states` has it, and each change is noted; a problem has one active judge at most.  What is
behind the name of a judge that ships, and who asks, is for others.

Calls block, and may come from any thread; `lookup` alone is quick enough for an event loop.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from scalebox.errors import JudgeStoreError, TooLargeError
from scalebox.judges import rows, states
from scalebox.judges.content import check_content, decode_proof, describe, encode_proof
from scalebox.judges.database import damaged, open_database, told
from scalebox.judges.names import StoreName, name_of
from scalebox.judges.rows import Row
from scalebox.model import (
    JudgeRecord,
    JudgeState,
    JudgeStateChange,
    NewJudge,
    NewJudgeState,
    Provenance,
    StorableJudge,
    StoredJudge,
    judge_bytes,
)

_judges = msgspec.msgpack.Decoder(StorableJudge)
_provenances = msgspec.json.Decoder(Provenance)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the store takes.

    Attributes:
        stored: judges.
        file_bytes: size of the file.
        judge_bytes: of one judge, encoded.
        proof_bytes: of one proof, as JSON.
    """

    stored: int
    file_bytes: int
    judge_bytes: int
    proof_bytes: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a name means.

    Attributes:
        row: the record.
        judge: itself.
        size_bytes: encoded.
        last: how it came to its state.
    """

    row: Row
    judge: StorableJudge
    size_bytes: int
    last: JudgeStateChange


@dataclass(frozen=True, slots=True)
class Count:
    """What a judge did since it was last counted.

    Attributes:
        id: of its record.
        decided, failed: how often.
        quarantine: why it is to be taken out of service; empty: it is not.
    """

    id: int
    decided: int
    failed: int
    quarantine: str = ""


class JudgeStore:
    """The store in one file.  Close it.

    Parameters:
        path: the file; made, for its owner alone, if it is not there.
        bounds: what it takes.

    Attributes:
        generation: another number whenever a name may mean something else than before.

    Raises:
        JudgeStoreError: the file cannot be used; the message holds the remedy.
    """

    def __init__(self, path: Path, bounds: Bounds) -> None:
        self.path = path
        self.generation = 0
        self._bounds = bounds
        self._main, self._quick = open_database(path)
        self._lock, self._quick_lock = threading.Lock(), threading.Lock()
        self._version = self._others()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock, self._quick_lock:
            self._quick.close()
            self._main.close()

    # --- reading ---------------------------------------------------------------------------------

    def lookup(self, name: StoreName) -> Found:
        """What a name means, to judge with: some 0.1 ms.

        Raises:
            UnknownJudgeError: there is none of that name.
            JudgeStoreError: the file cannot be read.
        """
        with told(self.path), self._quick_lock:
            row = rows.find(self._quick, name)
            content = rows.content(self._quick, row)
            (last,) = rows.history(self._quick, row, 1)
        return Found(row, self._decoded(row, content), len(content), last)

    def record(self, name: StoreName) -> JudgeRecord:
        """All that is known of a judge; of a problem's, if none is active, of the latest one.

        Raises:
            UnknownJudgeError: there is none of that name.
            JudgeStoreError: the file cannot be read.
        """
        with self._using() as db:
            return self._record(db, rows.find(db, name, latest=True))

    def stored(self) -> list[tuple[str, str, StoredJudge]]:
        """Name, title, and what a list says of each, by problem and version.

        Raises:
            JudgeStoreError: the file cannot be read.
        """
        with self._using() as db:
            listed = db.execute(
                "SELECT r.id, hash, problem, version, state, decided, failed, title, provenance, "
                "proof IS NOT NULL FROM records r JOIN judges USING (hash) "
                "ORDER BY problem, version, r.id"
            )
            found = []
            for *columns, title, provenance, proven in listed:
                row = Row(*columns)
                summary = StoredJudge(
                    hash=row.hash,
                    problem=row.problem or None,
                    version=row.version,
                    state=JudgeState(row.state),
                    source=_provenances.decode(provenance).source,
                    proven=bool(proven),
                    decided=row.decided,
                    failed=row.failed,
                )
                found.append((row.name, title, summary))
        return found

    # --- writing ---------------------------------------------------------------------------------

    def add(self, new: NewJudge) -> tuple[JudgeRecord, bool]:
        """Register a judge, and say whether it is new.

        One that is there stays as it is, but for a higher state that is asked for.  What becomes
        active retires its problem's active one.

        Raises:
            BadRequestError: it cannot be kept; the error names the field.
            TooLargeError: it, or the store, is over a bound.
            JudgeStateError: a higher state is asked for, and there is no proof.
            JudgeStoreError: the file cannot be written.
        """
        check_content(new.judge)
        content = judge_bytes(new.judge)
        if len(content) > self._bounds.judge_bytes:
            raise TooLargeError(
                f"the judge takes {len(content)} bytes; at most {self._bounds.judge_bytes} "
                "(judges.max_judge_bytes)",
                field="judge",
            )
        proof = self._encoded_proof(new.proof)
        digest, problem = hashlib.sha256(content).hexdigest(), new.problem or ""
        with self._writing() as db:
            row = rows.same(db, digest, problem)
            if row is not None:
                if states.rises(JudgeState(row.state), new.state):
                    self._move(
                        db, row, NewJudgeState(state=new.state, reason=new.reason), proof=proof
                    )
                return self._record(db, rows.by_id(db, row.id)), False
            states.check_new(new.state, has_proof=proof is not None)
            self._check_room(db, len(content) + len(proof or b""))
            db.execute(
                "INSERT OR IGNORE INTO judges VALUES (?, ?, ?)",
                (digest, describe(new.judge), content),
            )
            now, version = rows.now(), rows.next_version(db, problem)
            if new.state is JudgeState.ACTIVE:
                rows.retire_active(db, problem, _instead(name_of(digest, problem, version)))
            made = msgspec.structs.replace(new.provenance, date=new.provenance.date or now)
            cursor = db.execute(
                "INSERT INTO records (hash, problem, version, state, provenance, proof) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (digest, problem, version, new.state.value, msgspec.json.encode(made), proof),
            )
            assert cursor.lastrowid is not None
            row = rows.by_id(db, cursor.lastrowid)
            rows.note(db, row, new.state, new.reason, now)
            return self._record(db, row), True

    def change(self, name: StoreName, wish: NewJudgeState) -> JudgeRecord:
        """Give a judge another state; to the one that it has, nothing happens.

        Raises:
            UnknownJudgeError: there is none of that name.
            JudgeStateError: it cannot follow on the one that it has.
            BadRequestError: the name means several, or a proof or reason is missing.
            TooLargeError: the proof is over its bound.
            JudgeStoreError: the file cannot be written.
        """
        proof = self._encoded_proof(wish.proof)
        with self._writing() as db:
            row = rows.only(db, name) if name.hash else rows.find(db, name)
            if wish.state != row.state:
                self._move(db, row, wish, proof=proof)
            return self._record(db, rows.by_id(db, row.id))

    def count(self, counts: Sequence[Count]) -> list[Row]:
        """Add what judges did, and quarantine those that are to be; how each is now.

        Raises:
            JudgeStoreError: the file cannot be written; then nothing was counted.
        """
        found = []
        with self._writing(names=False) as db:
            for one in counts:
                db.execute(
                    "UPDATE records SET decided = decided + ?, failed = failed + ? WHERE id = ?",
                    (one.decided, one.failed, one.id),
                )
                row = rows.by_id(db, one.id)
                if one.quarantine and JudgeState(row.state) in states.QUARANTINABLE:
                    rows.set_state(db, row, JudgeState.QUARANTINED, one.quarantine)
                    row = rows.by_id(db, one.id)
                found.append(row)
        return found

    def look(self) -> None:
        """See whether another process has written to the file; `generation` says so.

        Raises:
            JudgeStoreError: the file cannot be read.
        """
        with self._using():
            before, self._version = self._version, self._others()
            self.generation += before != self._version

    # --- parts -----------------------------------------------------------------------------------

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with told(self.path), self._lock:
            yield self._main

    @contextmanager
    def _writing(self, *, names: bool = True) -> Iterator[sqlite3.Connection]:
        """All of the block, or nothing of it.

        Parameters:
            names: whether a name may mean something else afterwards.
        """
        with self._using() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
                self.generation += names
            except BaseException:
                # Some failures, a full disk among them, have ended it already.
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _others(self) -> int:
        """Changes whenever another connection than the main one has written."""
        version: int = self._main.execute("PRAGMA data_version").fetchone()[0]
        return version

    def _encoded_proof(self, proof: dict[str, object] | None) -> bytes | None:
        if proof is None:
            return None
        encoded = encode_proof(proof)
        if len(encoded) > self._bounds.proof_bytes:
            raise TooLargeError(
                f"the proof takes {len(encoded)} bytes; at most {self._bounds.proof_bytes} "
                "(judges.max_proof_bytes)",
                field="proof",
            )
        return encoded

    def _check_room(self, db: sqlite3.Connection, size: int) -> None:
        (count,) = db.execute("SELECT count(*) FROM records").fetchone()
        if count >= self._bounds.stored:
            raise TooLargeError(
                f"the store holds {count} judges and takes no more (judges.max_stored)"
            )
        (pages,), (page,) = (
            db.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size")
        )
        if pages * page + size > self._bounds.file_bytes:
            raise TooLargeError(
                f"the store takes {pages * page} bytes, and there is no room for {size} more "
                "(judges.max_bytes)"
            )

    def _move(
        self, db: sqlite3.Connection, row: Row, wish: NewJudgeState, *, proof: bytes | None
    ) -> None:
        """Give a record another state, and the proof that came with the wish."""
        (there,) = db.execute(
            "SELECT proof IS NOT NULL FROM records WHERE id = ?", (row.id,)
        ).fetchone()
        states.check(JudgeState(row.state), wish, has_proof=bool(there) or proof is not None)
        if proof is not None:
            db.execute("UPDATE records SET proof = ? WHERE id = ?", (proof, row.id))
        if wish.state is JudgeState.ACTIVE:
            rows.retire_active(db, row.problem, _instead(row.name))
        rows.set_state(db, row, wish.state, wish.reason)

    def _record(self, db: sqlite3.Connection, row: Row) -> JudgeRecord:
        provenance, proof = db.execute(
            "SELECT provenance, proof FROM records WHERE id = ?", (row.id,)
        ).fetchone()
        return JudgeRecord(
            name=row.name,
            hash=row.hash,
            judge=self._decoded(row, rows.content(db, row)),
            problem=row.problem or None,
            version=row.version,
            state=JudgeState(row.state),
            provenance=_provenances.decode(provenance),
            proof=None if proof is None else decode_proof(proof),
            decided=row.decided,
            failed=row.failed,
            history=rows.history(db, row, rows.MAX_CHANGES),
        )

    def _decoded(self, row: Row, content: bytes) -> StorableJudge:
        """The judge, if the file holds what was written: a flipped bit would be a wrong verdict.

        Raises:
            JudgeStoreError: it does not.
        """
        if hashlib.sha256(content).hexdigest() != row.hash:
            raise damaged(self.path, f"of {row.name} it holds something else than was written")
        try:
            judge: StorableJudge = _judges.decode(content)
        except msgspec.ValidationError as error:
            words = f"{row.name} is no judge that this ScaleBox knows: {error}"
            raise JudgeStoreError(words) from error
        return judge


def _instead(name: str) -> str:
    return f"{name} took its place"
