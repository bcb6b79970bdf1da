"""Who speaks between peers: a keyed seal on every message, and none heard twice.

Answers for one thing: what is heard was sent by a holder of the cluster's key, for this daemon,
unaltered, once; and what is taken for the answer to a request is the answer to that request.
Secrecy is TLS's.  No sockets and no clock in here: header lines in, header lines out.

How it works.  Every daemon draws a *session* at its start.  A request carries the sender's session,
a number that the sender never uses twice, and the receiver's *invitation*: the receiver's session
and generation, as it gave them in an earlier answer.  A sender that has no invitation yet, or one
of a daemon that has been restarted, is not heard; the answer, sealed like all answers, brings the
right one, and the sender sends again.  So nothing that was recorded is heard by a daemon that was
not there, and no clock is asked.

Of each sender's session the receiver remembers which of the last `WINDOW` numbers it has heard:
requests may overtake each other on their several connections, and none is heard twice.  Sessions
are bounded; the one longest unheard is forgotten.  With it would go the knowledge of what it had
said.  Therefore the receiver closes all generations in which a forgotten session was heard: that
session's requests are now out of date, it has to take an invitation of a later generation, and
what was recorded of it carries the earlier one.

The body is bound by its SHA-256, which stands in the seal itself: whether a stranger is speaking is
known before a byte of the body is read.

The seal is keyed BLAKE2b (RFC 7693): the key and the purpose (`person`) are parameters of the hash
itself, so that a request never passes for an answer, and one takes half of what HMAC-SHA256 takes.
Bodies are hashed by SHA-256 because that is the name under which blobs travel, which then need no
second hash, and because processors have instructions for it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import struct
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

#: The only header of ours on a request, and on an answer.
HEADER = "Scalebox-Seal"
#: Of no body.
EMPTY = hashlib.sha256(b"").digest()
#: How far one request may be overtaken by others of its sender.  A node sends a few hundred in a
#: second, to all its peers together.
WINDOW = 4096
#: Sessions of senders remembered, of less than 1 KB each: more nodes than a cluster has.
MAX_SESSIONS = 8192
#: A name is a host's (253 characters at most, RFC 1035) or shorter.
MAX_NODE_BYTES = 255

Reason = Literal[
    "malformed", "version", "key", "oneself", "addressee", "invitation", "sender", "late",
    "replay", "body", "answer",
]  # fmt: skip
#: What is wrong where the seal itself is not; such refusals are answered under seal.  Their places
#: in this list travel.
_SEALED_REASONS: tuple[Reason, ...] = (
    "oneself", "addressee", "invitation", "sender", "late", "replay", "body",
)  # fmt: skip

_VERSION = 1
_SESSION_BYTES = 16
_MAC_BYTES = 32
#: Version, sender's session, receiver's session and generation, number, hash of the body, sizes of
#: the sender's and the addressee's names (which follow).
_REQUEST = struct.Struct(">B16s16sQQ32sBB")
#: Version, answerer's session and generation, HTTP status, why the request was refused (0: it was
#: not), hash of the body, size of the answerer's name (which follows).
_ANSWER = struct.Struct(">B16sQHB32sB")
_SIZE = struct.Struct(">I")
#: A seal is at most this long, as text.
_MAX_TEXT = 1024
_NOBODY = bytes(_SESSION_BYTES)
_PURPOSE_REQUEST = b"scalebox request"
_PURPOSE_ANSWER = b"scalebox answer"
_PURPOSE_KEY = b"scalebox key"


class Refused(Exception):
    """A message is not heard.

    Attributes:
        reason: why; one word of a fixed list, fit to be counted by.
        request: for a request whose seal is right all the same: what the answer is sealed for.
            None: a stranger's, who gets no sealed answer.
    """

    def __init__(self, reason: Reason, request: Heard | None = None) -> None:
        super().__init__(_WORDS[reason])
        self.reason = reason
        self.request = request


_WORDS: dict[Reason, str] = {
    "malformed": "no seal, or none that can be read",
    "version": "a seal of another version of scaleboxd",
    "key": "sealed with another key, or altered on the way",
    "oneself": "sent by this daemon itself",
    "addressee": "meant for another node",
    "invitation": "sent without this daemon's invitation, as the first after a start is",
    "sender": "a session that belongs to another node",
    "late": "overtaken by too many others of the same sender",
    "replay": "heard before",
    "body": "the body is not the one that was sealed",
    "answer": "not the answer to this request",
}
assert set(_WORDS) == set(get_args(Reason))


@dataclass(frozen=True, slots=True)
class Sealed:
    """A request of ours under seal.

    Attributes:
        headers: to be sent with it.
        address: of the receiver, as the caller calls it.
        addressee: the node that must answer; empty: whoever is there.
        mac: what the answer must refer to.
    """

    headers: dict[str, str]
    address: str
    addressee: str
    mac: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """A request whose seal is right.  Its body is to be compared with `check` before it is read.

    Attributes:
        node: who sent it.  Every holder of the key can say any name; one session keeps to one.
        session: the start of the sender that it is from, as hexadecimal digits.
        digest: SHA-256 of the body.
        refusal: why it is refused nevertheless; empty: it is not.
        mac: what the answer must refer to.
        invitation: for the answer: the session and generation that the sender is to use.
    """

    node: str
    session: str
    digest: bytes
    refusal: Reason | Literal[""]
    mac: bytes
    invitation: tuple[bytes, int]

    def check(self, digest: bytes) -> None:
        """Compare the body that came with the one that was sealed.

        Parameters:
            digest: of the body that came.

        Raises:
            Refused: it is another (`body`).
        """
        if not hmac.compare_digest(digest, self.digest):
            raise Refused("body", _refused(self, "body"))


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer whose seal is right.  Its body is to be compared with `check` before it is read.

    Attributes:
        node: who answered.
        session: the start of that node, as hexadecimal digits.
        digest: SHA-256 of the body.
        refusal: why the request was not heard; empty: it was.
    """

    node: str
    session: str
    digest: bytes
    refusal: Reason | Literal[""]

    @property
    def again(self) -> bool:
        """Whether to seal the request anew and send it once more: nothing has been done for it."""
        return self.refusal in ("invitation", "late")

    def check(self, digest: bytes) -> None:
        """Compare the body that came with the one that was sealed.

        Raises:
            Refused: it is another (`body`).
        """
        if not hmac.compare_digest(digest, self.digest):
            raise Refused("body")


class _Session:
    """What has been heard of one start of one node.

    Attributes:
        node: its name.
        since: the generation in which it was first heard; earlier ones are out of date.
        latest: the last generation in which it was heard.
    """

    __slots__ = ("_heard", "_highest", "latest", "node", "since")

    def __init__(self, node: str, generation: int) -> None:
        self.node = node
        self.since = self.latest = generation
        self._highest = 0
        # Bit i: whether the number `_highest - i` was heard.
        self._heard = 0

    def hear(self, number: int, window: int) -> Reason | Literal[""]:
        """Mark a number as heard, or say why it must not be."""
        ahead = number - self._highest
        if ahead > 0:
            kept = self._heard & ((1 << window - ahead) - 1) if ahead < window else 0
            self._heard = kept << ahead | 1
            self._highest = number
            return ""
        if -ahead >= window:
            return "late"
        if self._heard >> -ahead & 1:
            return "replay"
        self._heard |= 1 << -ahead
        return ""


class Seal:
    """One daemon's part: seals what it sends, and opens what it gets.

    Parameters:
        key: the cluster's, any text; its randomness is all the security there is.
        node: this daemon's name.
        max_sessions: of senders remembered, and addresses whose invitations are.
        window: how far a request may be overtaken by others of its sender.

    Raises:
        ValueError: the name is empty or longer than `MAX_NODE_BYTES`.
    """

    def __init__(
        self, key: str, node: str, *, max_sessions: int = MAX_SESSIONS, window: int = WINDOW
    ) -> None:
        self._name = node.encode()
        if not 0 < len(self._name) <= MAX_NODE_BYTES:
            raise ValueError(f"a node's name has 1 to {MAX_NODE_BYTES} bytes: {node!r}")
        self.node = node
        self._key = hashlib.blake2b(key.encode(), person=_PURPOSE_KEY).digest()
        self._session = os.urandom(_SESSION_BYTES)
        self._max_sessions = max_sessions
        self._window = window
        self._number = 0
        self._generation = 1
        self._sessions: OrderedDict[bytes, _Session] = OrderedDict()
        self._invitations: OrderedDict[str, tuple[bytes, int]] = OrderedDict()

    @property
    def session(self) -> str:
        """This start of this daemon, as hexadecimal digits."""
        return self._session.hex()

    def outgoing(
        self, address: str, method: str, path: str, digest: bytes = EMPTY, *, addressee: str = ""
    ) -> Sealed:
        """Seal a request; each time it is sent, anew.

        Parameters:
            address: tells receivers apart, to find the invitation that came from there.
            method, path: as they go over the wire, the path with its query.
            digest: SHA-256 of the body.
            addressee: the node that it is for; another one refuses it.  Empty: whoever is there.

        Raises:
            ValueError: the addressee's name is longer than `MAX_NODE_BYTES`.
        """
        self._number += 1
        session, generation = self._invitations.get(address, (_NOBODY, 0))
        name = addressee.encode()
        if len(name) > MAX_NODE_BYTES:
            raise ValueError(f"a node's name has at most {MAX_NODE_BYTES} bytes: {addressee!r}")
        head = _REQUEST.pack(
            _VERSION, self._session, session, generation, self._number, digest,
            len(self._name), len(name),
        )  # fmt: skip
        head += self._name + name
        mac = self._request_mac(head, method, path)
        return Sealed({HEADER: _written(head + mac)}, address, addressee, mac)

    def incoming(self, headers: Mapping[str, str], method: str, path: str) -> Heard:
        """Open a request.

        Parameters:
            headers: of the request.
            method, path: as they came over the wire, the path with its query.

        Raises:
            Refused: it must not be heard.
        """
        raw, fields, names = _read(headers, _REQUEST, names=2)
        _, sender, receiver, generation, number, digest, _, _ = fields
        mac = raw[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._request_mac(raw[:-_MAC_BYTES], method, path)):
            raise Refused("key")
        node, addressee = names
        known = self._sessions.get(sender)
        heard = Heard(node, sender.hex(), digest, "", mac, (self._session, self._generation))
        reason: Reason | Literal[""] = ""
        if sender == self._session:
            reason = "oneself"
        elif addressee and addressee != self.node:
            reason = "addressee"
        elif receiver != self._session or not (
            (self._generation if known is None else known.since) <= generation <= self._generation
        ):
            reason = "invitation"
        elif known is not None and known.node != node:
            reason = "sender"
        if not reason:
            if known is None:
                known = self._sessions[sender] = _Session(node, generation)
            known.latest = max(known.latest, generation)
            reason = known.hear(number, self._window)
            self._sessions.move_to_end(sender)
            self._forget()
        if reason:
            raise Refused(reason, _refused(heard, reason))
        return heard

    def answer(self, request: Heard, status: int, digest: bytes = EMPTY) -> dict[str, str]:
        """Seal the answer to a request that was heard, or refused with `Refused.request`.

        Parameters:
            request: what it answers.
            status: of HTTP.
            digest: SHA-256 of the answer's body.

        Returns:
            Headers to be sent with it.
        """
        code = _SEALED_REASONS.index(request.refusal) + 1 if request.refusal else 0
        session, generation = request.invitation
        head = _ANSWER.pack(
            _VERSION, session, generation, status, code, digest, len(self._name)
        ) + self._name  # fmt: skip
        return {HEADER: _written(head + self._answer_mac(head, request.mac))}

    def check_answer(self, request: Sealed, status: int, headers: Mapping[str, str]) -> Answered:
        """Open the answer to a request of ours, and keep the invitation in it.

        Parameters:
            request: from `outgoing`.
            status, headers: of the answer.

        Raises:
            Refused: it is not the answer of a holder of the key to this very request.
        """
        raw, fields, (node,) = _read(headers, _ANSWER, names=1)
        _, session, generation, sealed_status, code, digest, _ = fields
        mac = self._answer_mac(raw[:-_MAC_BYTES], request.mac)
        if not hmac.compare_digest(raw[-_MAC_BYTES:], mac):
            raise Refused("key")
        if sealed_status != status or code > len(_SEALED_REASONS):
            raise Refused("answer")
        refusal: Reason | Literal[""] = _SEALED_REASONS[code - 1] if code else ""
        if request.addressee and node != request.addressee and refusal != "addressee":
            raise Refused("answer")
        self._invitations[request.address] = (session, generation)
        self._invitations.move_to_end(request.address)
        if len(self._invitations) > self._max_sessions:
            self._invitations.popitem(last=False)
        return Answered(node, session.hex(), digest, refusal)

    def _forget(self) -> None:
        """Let the session go that was longest unheard, with the generations it was heard in."""
        if len(self._sessions) > self._max_sessions:
            _, gone = self._sessions.popitem(last=False)
            self._generation = max(self._generation, gone.latest + 1)

    def _request_mac(self, head: bytes, method: str, path: str) -> bytes:
        # What a request line may hold besides ASCII came by surrogates, and goes back by them.
        verb, where = (text.encode("utf-8", "surrogatepass") for text in (method, path))
        sealed = b"".join((_SIZE.pack(len(verb)), verb, _SIZE.pack(len(where)), where, head))
        return self._mac(sealed, _PURPOSE_REQUEST)

    def _answer_mac(self, head: bytes, request_mac: bytes) -> bytes:
        return self._mac(request_mac + head, _PURPOSE_ANSWER)

    def _mac(self, sealed: bytes, purpose: bytes) -> bytes:
        return hashlib.blake2b(
            sealed, key=self._key, digest_size=_MAC_BYTES, person=purpose
        ).digest()


def digest_of(body: bytes | bytearray | memoryview) -> bytes:
    """What a seal binds a body by: its SHA-256."""
    return hashlib.sha256(body).digest()


def _refused(request: Heard, reason: Reason) -> Heard:
    return Heard(
        request.node, request.session, request.digest, reason, request.mac, request.invitation
    )


def _written(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _read(
    headers: Mapping[str, str], layout: struct.Struct, names: int
) -> tuple[bytes, tuple[Any, ...], list[str]]:
    """A seal's bytes, its fields, and the names behind them.

    Raises:
        Refused: there is none, or none that can be read.
    """
    text = headers.get(HEADER, "")
    if not text or len(text) > _MAX_TEXT:
        raise Refused("malformed")
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused("malformed") from None
    if raw and raw[0] != _VERSION:
        raise Refused("version")
    if len(raw) < layout.size + _MAC_BYTES:
        raise Refused("malformed")
    fields = layout.unpack_from(raw)
    found = []
    start = layout.size
    try:
        for size in fields[-names:]:
            found.append(raw[start : start + size].decode())
            start += size
    except UnicodeDecodeError:
        raise Refused("malformed") from None
    if start + _MAC_BYTES != len(raw):
        raise Refused("malformed")
    return raw, fields, found


class Refusals:
    """What was refused: how often for each reason, and of whom it has been said in the log.

    A stranger must fill neither the memory nor the log: once `max_pairs` peers and reasons have
    been told, further ones are only counted.

    Parameters:
        max_pairs: bound of what is remembered, and so of what is logged.

    Attributes:
        counts: reason → how often.
    """

    def __init__(self, max_pairs: int = 1024) -> None:
        self.counts: dict[str, int] = {}
        self._max_pairs = max_pairs
        self._told: set[tuple[str, str]] = set()

    def note(self, peer: str, reason: str) -> bool:
        """Count a refusal.

        Parameters:
            peer: the address that it came from, without the port, which changes.
            reason: a word of this program's, never the peer's.

        Returns:
            Whether to log it: the first of this peer for this reason.
        """
        self.counts[reason] = self.counts.get(reason, 0) + 1
        pair = (peer, reason)
        if pair in self._told or len(self._told) >= self._max_pairs:
            return False
        self._told.add(pair)
        return True
