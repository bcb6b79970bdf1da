"""Nothing is heard that a stranger made, changed, moved or sent again; sessions are learnt anew."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalebox.cluster.sealing import (
    EMPTY,
    HEADER,
    MAX_NODE_BYTES,
    Answered,
    Heard,
    Refusals,
    Refused,
    Seal,
    Sealed,
    digest_of,
)

KEY = "a key of the cluster that nobody guesses"
BODY = b"what is said"
DIGEST = digest_of(BODY)
PATH = "/peer/gossip?page=1"
#: Where B is, as A calls it.
ADDRESS = "b:8766"


def seal(node: str, key: str = KEY, window: int = 4096, max_sessions: int = 8192) -> Seal:
    return Seal(key, node, window=window, max_sessions=max_sessions)


def sent(sender: Seal, address: str = ADDRESS, addressee: str = "") -> Sealed:
    return sender.outgoing(address, "POST", PATH, DIGEST, addressee=addressee)


def heard(receiver: Seal, request: Sealed) -> Heard:
    return receiver.incoming(request.headers, "POST", PATH)


def refusal(act: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value


def introduce(sender: Seal, receiver: Seal, address: str = ADDRESS) -> Answered:
    """The first exchange of two daemons: refused, with the invitation."""
    request = sent(sender, address)
    refused = refusal(lambda: heard(receiver, request))
    assert refused.reason == "invitation"
    assert refused.request is not None
    headers = receiver.answer(refused.request, 409)
    return sender.check_answer(request, 409, headers)


def pair() -> tuple[Seal, Seal]:
    """Two daemons that have met."""
    a, b = seal("a"), seal("b")
    introduce(a, b)
    return a, b


def flipped(headers: dict[str, str], byte: int, bit: int = 0) -> dict[str, str]:
    raw = bytearray(base64.b64decode(headers[HEADER]))
    raw[byte] ^= 1 << bit
    return {HEADER: base64.b64encode(raw).decode()}


def test_the_first_message_brings_the_invitation_and_the_second_is_heard() -> None:
    a, b = seal("a"), seal("b")
    answered = introduce(a, b)
    assert (answered.node, answered.session, answered.again) == ("b", b.session, True)
    message = heard(b, sent(a))
    assert (message.node, message.session, message.refusal) == ("a", a.session, "")
    message.check(DIGEST)


def test_an_answer_comes_back_under_seal() -> None:
    a, b = pair()
    request = sent(a, addressee="b")
    headers = b.answer(heard(b, request), 200, digest_of(b"yes"))
    answered = a.check_answer(request, 200, headers)
    assert (answered.node, answered.refusal, answered.again) == ("b", "", False)
    answered.check(digest_of(b"yes"))
    assert refusal(lambda: answered.check(digest_of(b"no"))).reason == "body"


def test_names_of_any_script_and_of_the_longest_length_are_heard() -> None:
    for name in ("knoten-ä", "節", "n" * MAX_NODE_BYTES):
        a, b = seal(name), seal("b")
        introduce(a, b)
        assert heard(b, sent(a)).node == name


@pytest.mark.parametrize("name", ["", "n" * (MAX_NODE_BYTES + 1), "節" * 100])
def test_a_name_that_fits_in_no_seal_is_refused_at_once(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        seal(name)


def test_a_wrong_key_is_not_heard_and_gets_no_sealed_answer() -> None:
    _, b = pair()
    refused = refusal(lambda: heard(b, sent(seal("a", "another key than that of the cluster"))))
    assert refused.reason == "key"
    assert refused.request is None


def test_a_message_without_a_seal_is_not_heard() -> None:
    b = seal("b")
    assert refusal(lambda: b.incoming({}, "POST", PATH)).reason == "malformed"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", PATH), ("POST", PATH + "1"), ("POST", "/peer/gossip"), ("POS", "T" + PATH)],
)
def test_a_seal_is_of_one_method_and_one_path(method: str, path: str) -> None:
    a, b = pair()
    request = sent(a)
    assert refusal(lambda: b.incoming(request.headers, method, path)).reason == "key"
    heard(b, request)  # what was tried with it has not used it up


def test_another_body_is_noticed() -> None:
    a, b = pair()
    message = heard(b, sent(a))
    refused = refusal(lambda: message.check(digest_of(BODY + b".")))
    assert refused.reason == "body"
    assert refused.request is not None
    assert refused.request.refusal == "body"


def test_no_bit_of_a_seal_can_be_changed() -> None:
    a, b = pair()
    request = sent(a, addressee="b")
    size = len(base64.b64decode(request.headers[HEADER]))
    for byte in range(size):
        for bit in range(8):
            headers = flipped(request.headers, byte, bit)
            refused = refusal(lambda: b.incoming(headers, "POST", PATH))  # noqa: B023
            assert refused.reason in ("key", "malformed", "version")
            assert refused.request is None
    heard(b, request)


def test_no_bit_of_an_answers_seal_can_be_changed() -> None:
    a, b = pair()
    request = sent(a)
    headers = b.answer(heard(b, request), 200, DIGEST)
    for byte in range(len(base64.b64decode(headers[HEADER]))):
        for bit in range(8):
            changed = flipped(headers, byte, bit)
            refused = refusal(lambda: a.check_answer(request, 200, changed))  # noqa: B023
            assert refused.reason in ("key", "malformed", "version")
    a.check_answer(request, 200, headers)


def test_a_replay_is_refused_at_once_and_for_ever() -> None:
    a, b = pair()
    first = sent(a)
    heard(b, first)
    assert refusal(lambda: heard(b, first)).reason == "replay"
    for _ in range(10_000):
        heard(b, sent(a))
    assert refusal(lambda: heard(b, first)).reason == "late"


def test_requests_may_overtake_each_other_within_the_window() -> None:
    a, b = seal("a"), seal("b", window=64)
    introduce(a, b)
    requests = [sent(a) for _ in range(64)]
    random.Random(5).shuffle(requests)
    for request in requests:
        heard(b, request)
    for request in requests:
        assert refusal(lambda: heard(b, request)).reason == "replay"  # noqa: B023


def test_the_window_ends_where_it_is_said_to_end() -> None:
    a, b = seal("a"), seal("b", window=64)
    introduce(a, b)
    requests = [sent(a) for _ in range(65)]
    heard(b, requests[64])
    heard(b, requests[1])
    refused = refusal(lambda: heard(b, requests[0]))
    assert refused.reason == "late"
    # The sender is told, under seal, to seal it anew: nothing has been done for it.
    assert refused.request is not None
    answered = a.check_answer(requests[0], 409, b.answer(refused.request, 409))
    assert answered.again


def test_what_is_at_the_far_end_of_the_window_is_still_known() -> None:
    a, b = seal("a"), seal("b", window=64)
    introduce(a, b)
    requests = [sent(a) for _ in range(64)]
    heard(b, requests[0])
    heard(b, requests[63])
    assert refusal(lambda: heard(b, requests[0])).reason == "replay"


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 40), st.lists(st.integers(0, 90), max_size=200))
def test_the_window_is_a_set_of_what_was_heard(window: int, order: list[int]) -> None:
    a, b = seal("a"), seal("b", window=window)
    introduce(a, b)
    requests = [sent(a) for _ in range(91)]
    done: set[int] = set()
    for number in order:
        if done and max(done) - number >= window:
            expected = "late"
        else:
            expected = "replay" if number in done else ""
        try:
            found = heard(b, requests[number]).refusal
        except Refused as refused:
            found = refused.reason
        assert found == expected
        if not expected:
            done.add(number)


def test_a_receiver_that_was_restarted_hears_nothing_old_and_is_learnt_anew() -> None:
    a, b = pair()
    recorded = [sent(a) for _ in range(5)]
    heard(b, recorded[0])
    b = seal("b")
    for request in recorded:
        assert refusal(lambda: heard(b, request)).reason == "invitation"  # noqa: B023
    introduce(a, b)
    heard(b, sent(a))
    for request in recorded:
        assert refusal(lambda: heard(b, request)).reason == "invitation"  # noqa: B023


def test_a_sender_that_was_restarted_is_heard_beside_its_former_self() -> None:
    a, b = pair()
    old = sent(a)
    again = seal("a")
    introduce(again, b)
    assert heard(b, sent(again)).session == again.session
    assert heard(b, old).session == a.session


def test_one_invitation_serves_under_several_addresses() -> None:
    a, b = pair()
    introduce(a, b, "10.0.0.2:8766")
    for _ in range(3):
        heard(b, sent(a))
        heard(b, sent(a, "10.0.0.2:8766"))


def test_a_session_belongs_to_one_node() -> None:
    a, b = pair()
    heard(b, sent(a))
    a._name = b"c"  # a holder of the key that lies about its name
    refused = refusal(lambda: heard(b, sent(a)))
    assert refused.reason == "sender"


def test_a_message_for_one_node_is_refused_by_another() -> None:
    a, b = pair()
    c = seal("c")
    introduce(a, c, "c:8766")
    request = sent(a, addressee="b")
    assert refusal(lambda: heard(c, request)).reason == "addressee"
    # Somebody has moved B's address to C, who invites like everybody.
    redirected = sent(a, "c:8766", addressee="b")
    refused = refusal(lambda: heard(c, redirected))
    assert refused.reason == "addressee"
    assert refused.request is not None
    answered = a.check_answer(redirected, 421, c.answer(refused.request, 421))
    assert (answered.refusal, answered.node, answered.again) == ("addressee", "c", False)
    heard(b, request)


def test_an_answer_of_another_node_than_the_addressee_is_not_believed() -> None:
    a, b = pair()
    request = sent(a, addressee="c")
    mine = Heard("a", a.session, DIGEST, "", request.mac, (bytes(16), 1))
    assert refusal(lambda: a.check_answer(request, 200, b.answer(mine, 200))).reason == "answer"


def test_a_message_that_comes_back_to_its_sender_is_refused() -> None:
    a, b = pair()
    for request in (sent(a), seal("z").outgoing("a", "POST", PATH)):
        refused = refusal(lambda: heard(a, request))  # noqa: B023
        assert refused.reason in ("oneself", "invitation")
    own = sent(a, "a:8766")
    refused = refusal(lambda: heard(a, own))
    assert refused.reason == "oneself"
    assert refused.request is not None
    answered = a.check_answer(own, 409, a.answer(refused.request, 409))
    assert (answered.node, answered.refusal, answered.again) == ("a", "oneself", False)
    heard(b, sent(a))


def test_answers_cannot_be_swapped_between_requests() -> None:
    a, b = pair()
    first, second = sent(a), sent(a)
    to_first, to_second = (b.answer(heard(b, each), 200, DIGEST) for each in (first, second))
    assert refusal(lambda: a.check_answer(first, 200, to_second)).reason == "key"
    assert refusal(lambda: a.check_answer(second, 200, to_first)).reason == "key"
    a.check_answer(first, 200, to_first)
    a.check_answer(second, 200, to_second)


def test_an_answers_status_is_sealed() -> None:
    a, b = pair()
    request = sent(a)
    headers = b.answer(heard(b, request), 503)
    assert refusal(lambda: a.check_answer(request, 200, headers)).reason == "answer"


def test_a_request_is_no_answer_and_an_answer_no_request() -> None:
    a, b = pair()
    request = sent(a)
    answer = b.answer(heard(b, request), 200)
    with pytest.raises(Refused):
        a.check_answer(request, 200, request.headers)
    with pytest.raises(Refused):
        b.incoming(answer, "POST", PATH)


def test_an_old_invitation_that_is_put_before_the_sender_again_is_not_taken() -> None:
    a, b = seal("a"), seal("b")
    request = sent(a)
    refused = refusal(lambda: heard(b, request))
    assert refused.request is not None
    recorded = b.answer(refused.request, 409)
    b = seal("b")
    introduce(a, b)
    current = sent(a)
    assert refusal(lambda: a.check_answer(current, 409, recorded)).reason == "key"
    heard(b, sent(a))


def test_what_a_forgotten_session_has_said_is_never_heard_again() -> None:
    b = seal("b", max_sessions=2)
    a = seal("a")
    introduce(a, b)
    recorded = [sent(a) for _ in range(4)]
    heard(b, recorded[0])
    heard(b, recorded[2])
    for name in ("c", "d", "e"):
        other = seal(name)
        introduce(other, b)
        heard(b, sent(other))
    # Neither what was heard of A nor what was not: its session has to be invited anew.
    for request in recorded:
        assert refusal(lambda: heard(b, request)).reason == "invitation"  # noqa: B023
    introduce(a, b)
    heard(b, sent(a))
    for request in recorded:
        assert refusal(lambda: heard(b, request)).reason == "invitation"  # noqa: B023


def test_a_session_that_moved_on_to_a_later_generation_is_forgotten_with_that_one() -> None:
    b = seal("b", max_sessions=2)
    a, c, d, e, f = (seal(name) for name in "acdef")
    for other in (a, c, d):  # for D's sake A is forgotten, and the first generation closed
        introduce(other, b)
        heard(b, sent(other))
    request = sent(c)
    c.check_answer(request, 200, b.answer(heard(b, request), 200))
    recorded = sent(c)  # in the second generation
    heard(b, recorded)
    for other in (e, f):  # for their sake D and C
        introduce(other, b)
        heard(b, sent(other))
    assert refusal(lambda: heard(b, recorded)).reason == "invitation"


def test_no_sender_can_make_up_a_generation() -> None:
    a, b = pair()
    for generation in (2, 2**64 - 1):
        a._invitations[ADDRESS] = (b._session, generation)
        refused = refusal(lambda: heard(b, sent(a)))
        assert refused.reason == "invitation"
        assert refused.request is not None
        b.answer(refused.request, 409)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=120))
def test_nothing_is_heard_twice_however_sessions_are_forgotten(
    steps: list[tuple[int, bool]],
) -> None:
    """Five senders, room for two: each step sends anew, or puts forth all that was ever sent."""
    b = seal("b", max_sessions=2, window=8)
    senders = [seal(f"n{number}") for number in range(5)]
    recorded: list[Sealed] = []
    accepted: set[bytes] = set()

    def put(request: Sealed) -> Heard | Refused:
        try:
            message = heard(b, request)
        except Refused as refused:
            return refused
        assert message.mac not in accepted
        accepted.add(message.mac)
        return message

    for which, replay in steps:
        if replay:
            for request in recorded:
                put(request)
        request = sent(senders[which])
        recorded.append(request)
        outcome = put(request)
        if isinstance(outcome, Refused):
            assert outcome.reason == "invitation"
            assert outcome.request is not None
            senders[which].check_answer(request, 409, b.answer(outcome.request, 409))
            request = sent(senders[which])
            recorded.append(request)
            outcome = put(request)
        assert isinstance(outcome, Heard), "an invitation that has just been given is good"
        senders[which].check_answer(request, 200, b.answer(outcome, 200))


def test_memory_is_bounded_on_both_sides() -> None:
    b = seal("b", max_sessions=50)
    a = seal("a", max_sessions=50)
    for number in range(400):
        other = seal(f"n{number}")
        introduce(other, b)
        heard(b, sent(other))
        introduce(a, seal(f"m{number}"), f"m{number}:1")
    assert len(b._sessions) == 50
    assert len(a._invitations) == 50


def test_an_address_that_is_in_use_is_not_forgotten() -> None:
    a, b = seal("a", max_sessions=10), seal("b")
    introduce(a, b)
    for number in range(50):
        introduce(a, seal(f"n{number}"), f"n{number}:1")
        request = sent(a)
        a.check_answer(request, 200, b.answer(heard(b, request), 200))


def test_strangers_and_replays_take_no_memory() -> None:
    _, b = pair()
    for number in range(200):
        refusal(lambda: heard(b, sent(seal(f"n{number}"))))  # noqa: B023 - not invited yet
        refusal(lambda: heard(b, sent(seal("a", "another key"))))
    assert not b._sessions


def test_a_live_sender_stays_known_while_others_come_and_go() -> None:
    b = seal("b", max_sessions=10)
    a = seal("a")
    introduce(a, b)
    for number in range(200):
        request = sent(a)
        a.check_answer(request, 200, b.answer(heard(b, request), 200))
        other = seal(f"n{number}")
        introduce(other, b)
        heard(b, sent(other))


@settings(max_examples=1000, deadline=None)
@given(st.text(max_size=1100))
def test_what_is_no_seal_is_refused_and_nothing_else(text: str) -> None:
    a, b = pair()
    request = sent(a)
    for act in (
        lambda: b.incoming({HEADER: text}, "POST", PATH),
        lambda: a.check_answer(request, 200, {HEADER: text}),
    ):
        assert refusal(act).request is None


@settings(max_examples=1000, deadline=None)
@given(st.binary(max_size=700), st.text(max_size=10), st.text(max_size=10))
def test_bytes_that_are_no_seal_are_refused_and_nothing_else(
    raw: bytes, method: str, path: str
) -> None:
    a, b = pair()
    request = sent(a)
    headers = {HEADER: base64.b64encode(b"\x01" + raw).decode()}
    refusal(lambda: b.incoming(headers, method, path))
    refusal(lambda: a.check_answer(request, 200, headers))


def test_a_path_with_bytes_that_are_no_text_is_sealed_like_another() -> None:
    a, b = pair()
    path = "/peer/\udcff"  # as aiohttp hands over such a byte
    b.incoming(a.outgoing(ADDRESS, "GET", path).headers, "GET", path).check(EMPTY)
    other = a.outgoing(ADDRESS, "GET", path)
    assert refusal(lambda: b.incoming(other.headers, "GET", "/peer/\udcfe")).reason == "key"


def test_another_version_is_told_apart_from_nonsense() -> None:
    a, b = pair()
    raw = b"\x02" + base64.b64decode(sent(a).headers[HEADER])[1:]
    headers = {HEADER: base64.b64encode(raw).decode()}
    assert refusal(lambda: b.incoming(headers, "POST", PATH)).reason == "version"


def test_refusals_are_counted_always_and_told_once() -> None:
    refusals = Refusals()
    assert refusals.note("10.0.0.1", "key")
    assert not refusals.note("10.0.0.1", "key")
    assert refusals.note("10.0.0.1", "replay")
    assert refusals.note("10.0.0.2", "key")
    assert refusals.counts == {"key": 3, "replay": 1}


def test_a_crowd_of_strangers_fills_neither_memory_nor_log() -> None:
    refusals = Refusals(max_pairs=100)
    told = sum(
        refusals.note(f"10.0.{number // 250}.{number % 250}", "key") for number in range(900)
    )
    assert told == 100
    assert refusals.counts == {"key": 900}
