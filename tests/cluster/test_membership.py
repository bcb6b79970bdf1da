"""Who is there, by many `Members` that talk through a model of a network that loses and divides.

There is no daemon here: membership knows neither network nor clock, so both are made up.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebox.cluster import membership
from scalebox.cluster.loads import FRESH_S, KEPT
from scalebox.cluster.membership import Members
from scalebox.cluster.records import (
    MOST_LOADS,
    MOST_UPDATES,
    PAGE_UPDATES,
    Exchange,
    Facts,
    Gossip,
    Heard,
    Load,
    State,
    Update,
)

Message = TypeVar("Message", Gossip, Exchange)


def facts(node: str, address: str = "") -> Facts:
    return Facts(node=node, address=address or f"{node}:1", slots=2)


def member(node: str, seed: int = 1, incarnation: int = 1) -> Members:
    return Members(facts(node), random.Random(f"{node} {seed}"), incarnation=incarnation)


def update(node: str, incarnation: int = 1, state: State = "alive") -> Update:
    return Update(node=node, incarnation=incarnation, state=state, facts=facts(node))


def gossip(sender: str, *updates: Update, incarnation: int = 1, load: Load | None = None) -> Gossip:
    return Gossip(
        sender=sender, incarnation=incarnation, load=load or Load(), updates=list(updates)
    )


def knowing(*nodes: str) -> Members:
    """`me`, to whom others were introduced, and whose news is told."""
    me = member("me")
    me.hear(gossip("somebody", *(update(node) for node in nodes)), 0.0)
    while me.gossip("", 0.0).updates:
        pass
    me.changes()
    return me


def state_of(me: Members, node: str) -> tuple[int, State] | None:
    known = me.get(node)
    return None if known is None else (known.incarnation, known.state)


class Network:
    """Members that probe each other once a second; what is sent arrives at once, or never.

    Parameters:
        nodes: how many; each knows the first one's address.
        seed: everything follows from it.
        loss: share of messages that are lost.
    """

    def __init__(self, nodes: int, seed: int, loss: float = 0.0) -> None:
        self.rng = random.Random(seed)
        self.loss = loss
        self.now_s = 0.0
        self.down: set[str] = set()
        #: Nodes of different sides do not hear each other.
        self.side: Callable[[str], int] = lambda node: 0
        self.sent: list[Gossip | Exchange] = []
        self.members = {f"n{number}": member(f"n{number}", seed) for number in range(nodes)}
        for node in list(self.members)[1:]:
            self.exchange(node, "n0")

    def passes(self, sender: str, to: str) -> bool:
        return (
            to not in self.down
            and sender not in self.down
            and self.side(sender) == self.side(to)
            and self.rng.random() >= self.loss
        )

    def ask(self, sender: str, to: str) -> bool:
        """A probe and its answer; whether the answer came."""
        one, other = self.members[sender], self.members.get(to)
        probe = self.wire(one.gossip(to, self.now_s))
        if other is None or not self.passes(sender, to):
            return False
        self.hear(other, probe)
        answer = self.wire(other.gossip(sender, self.now_s))
        if not self.passes(to, sender):
            return False
        self.hear(one, answer)
        return True

    def hear(self, one: Members, message: Gossip) -> None:
        one.hear(message, self.now_s)
        if one.wants_exchange(message, self.now_s):
            self.exchange(one.node, message.sender)

    def exchange(self, sender: str, to: str, pages: int = 32) -> None:
        one, other = self.members[sender], self.members[to]
        theirs: Exchange | None = None
        for _ in range(pages):
            ours = one.exchange(theirs)
            if not self.passes(sender, to):
                return
            other.hear_exchange(self.wire(ours), self.now_s)
            theirs = self.wire(other.exchange(ours))
            if not self.passes(to, sender) or not one.hear_exchange(theirs, self.now_s):
                return

    def wire(self, message: Message) -> Message:
        """As it comes out at the other end."""
        self.sent.append(message)
        return msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=type(message))

    def period(self) -> None:
        self.now_s += 1.0
        for node, one in self.members.items():
            if node in self.down:
                continue
            for target in one.tick(self.now_s):
                if self.ask(node, target):
                    one.answered()
                elif one.is_living(target):
                    helpers = one.helpers(target)
                    answers = [
                        self.passes(node, helper) and self.ask(helper, target)
                        for helper in helpers
                        if self.passes(node, helper)
                    ]
                    if not any(answers):
                        one.accuse(target, self.now_s, asked=len(helpers), heard=len(answers))

    def periods(self, count: int) -> None:
        for _ in range(count):
            self.period()

    def until(self, holds: Callable[[], bool], most: int) -> int:
        """Periods until something holds; fails after so many."""
        for count in range(most):
            if holds():
                return count
            self.period()
        raise AssertionError(f"it does not hold after {most} periods: {self.views()}")

    def agree(self, alive: Iterable[str]) -> bool:
        """Whether all of some take exactly these for living, and none of them is suspected."""
        wanted = set(alive)
        return all(
            {one.node for one in self.members[node] if one.state in ("alive", "suspect")} == wanted
            and not any(one.state == "suspect" for one in self.members[node])
            for node in wanted
        )

    def views(self) -> dict[str, list[str]]:
        return {
            node: [f"{one.node}:{one.state}" for one in members if one.state != "alive"]
            for node, members in self.members.items()
        }


# --- what counts ---------------------------------------------------------------------------------


@given(st.permutations([(i, s) for i in (1, 2, 3) for s in ("alive", "suspect", "dead", "left")]))
def test_the_newest_counts_in_whatever_order_things_are_heard(
    said: list[tuple[int, State]],
) -> None:
    me = knowing("other")
    heard: list[tuple[int, State]] = [(1, "alive")]
    order = {"alive": 0, "suspect": 1, "dead": 2, "left": 3}
    for incarnation, state in said:
        me.hear(gossip("somebody", update("other", incarnation, state)), 1.0)
        heard.append((incarnation, state))
        assert state_of(me, "other") == max(heard, key=lambda one: (one[0], order[one[1]]))


def test_an_old_incarnation_never_wins() -> None:
    me = knowing()
    me.hear(gossip("somebody", update("other", 5)), 0.0)
    for state in ("suspect", "dead", "left"):
        me.hear(gossip("somebody", update("other", 4, state)), 1.0)
    assert state_of(me, "other") == (5, "alive")


def test_left_is_not_dead_and_stays_so() -> None:
    me = knowing("other")
    me.hear(gossip("somebody", update("other", 1, "left")), 0.0)
    me.hear(gossip("somebody", update("other", 1, "dead")), 1.0)
    assert state_of(me, "other") == (1, "left")
    assert len(me) == 1
    # It said itself that it goes: nobody looks whether it comes back.
    assert not [node for second in range(40) for node in me.tick(2.0 + second)]


def test_one_that_comes_back_is_believed_with_its_new_incarnation() -> None:
    me = knowing("other")
    me.hear(gossip("somebody", update("other", 1, "left")), 0.0)
    me.hear(gossip("somebody", update("other", 2)), 1.0)
    assert state_of(me, "other") == (2, "alive")
    assert me.some(1) == ["other"]


def test_nobody_is_known_without_an_address_and_the_dead_not_for_the_first_time() -> None:
    me = knowing()
    me.hear(gossip("somebody", Update(node="other", incarnation=1)), 0.0)
    me.hear(gossip("somebody", update("late", 1, "dead")), 0.0)
    assert [one.node for one in me] == ["me"]


def test_facts_of_another_node_are_refused() -> None:
    with pytest.raises(ValueError, match="another node"):
        Update(node="one", incarnation=1, facts=facts("two"))


def test_a_change_is_told_once() -> None:
    me = knowing("other")
    me.hear(gossip("somebody", update("other", 1, "suspect")), 0.0)
    me.hear(gossip("somebody", update("other", 1, "dead")), 0.0)
    assert [(one.node, one.state) for one in me.changes()] == [("other", "dead")]
    assert me.changes() == []


# --- suspicion -----------------------------------------------------------------------------------


def test_who_hears_that_it_is_suspected_says_that_it_lives() -> None:
    me = knowing("other")
    me.hear(gossip("somebody", update("me", 1, "suspect")), 0.0)
    assert me.incarnation == 2
    assert [(one.node, one.incarnation, one.state) for one in me.gossip("other", 0.0).updates] == [
        ("me", 2, "alive")
    ]


def test_a_new_process_of_an_old_name_outlives_what_was_said_of_it() -> None:
    me = knowing("other")
    me.hear(gossip("somebody", update("me", 7, "dead")), 0.0)
    assert me.incarnation == 8


def test_who_leaves_does_not_say_that_it_lives() -> None:
    me = knowing("other")
    me.leave(0.0)
    me.hear(gossip("somebody", update("me", 1, "dead")), 1.0)
    assert state_of(me, "me") == (1, "left")
    assert me.incarnation == 1


def test_a_namesake_is_noticed() -> None:
    me = knowing()
    theirs = Update(node="me", incarnation=1, facts=facts("me", "elsewhere:1"))
    me.hear(gossip("somebody", theirs), 0.0)
    assert me.namesake == "elsewhere:1"


def test_a_suspect_is_told_so_whatever_else_is_news() -> None:
    me = knowing("other", *(f"n{number}" for number in range(100)))
    me.accuse("other", 0.0, asked=0, heard=0)
    me.hear(gossip("x", *(update(f"n{number}", 2) for number in range(16))), 0.0)
    for _ in range(20):
        told = me.gossip("other", 0.0).updates
        assert told[0] == me.get("other")
        assert [one.node for one in told].count("other") == 1


def test_a_suspect_has_some_periods_and_then_is_dead() -> None:
    me = knowing("other", "third")
    me.tick(0.0)
    me.accuse("other", 0.0, asked=1, heard=1)
    assert state_of(me, "other") == (1, "suspect")
    second = 0
    while state_of(me, "other") == (1, "suspect"):
        second += 1
        me.tick(float(second))
    assert state_of(me, "other") == (1, "dead")
    assert second == math.ceil(me.suspicion_s)
    assert me.some(5) == ["third"]


def test_a_node_that_did_not_run_buries_nobody() -> None:
    me = knowing("other")
    me.tick(0.0)
    me.accuse("other", 0.0, asked=0, heard=0)
    me.tick(600.0)
    assert state_of(me, "other") == (1, "suspect")
    me.hear(gossip("other", update("other", 2), incarnation=2), 600.0)
    assert state_of(me, "other") == (2, "alive")


def test_who_gets_no_answer_of_helpers_either_doubts_itself_first() -> None:
    me = knowing("a", "b", "c", "d")
    patience_s = me.probe_timeout_s
    me.accuse("a", 0.0, asked=3, heard=3)
    assert me.probe_timeout_s == patience_s
    me.accuse("b", 0.0, asked=3, heard=0)
    assert me.probe_timeout_s == 2 * patience_s
    me.answered()
    assert me.probe_timeout_s == patience_s


def test_suspicion_grows_with_the_logarithm_of_the_members() -> None:
    few, many = knowing("a"), knowing(*(f"n{number}" for number in range(9_999)))
    assert many.suspicion_s == pytest.approx(4 * few.suspicion_s)


def test_the_dead_are_probed_now_and_then_and_forgotten_in_the_end() -> None:
    me = knowing("other", "third")
    me.hear(gossip("somebody", update("other", 1, "dead")), 0.0)
    probed = [node for second in range(20) for node in me.tick(float(second))]
    assert 2 <= probed.count("other") <= 6
    me.tick(membership.REMEMBER_DEAD_S + 1)
    assert me.get("other") is None
    assert me.get("third") is not None


def test_the_dead_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "MOST_ENDED", 5)
    me = knowing(*(f"n{number}" for number in range(20)))
    for number in range(20):
        me.hear(gossip("x", update(f"n{number}", 1, "dead")), float(number))
    me.tick(20.0)
    assert sorted(one.node for one in me if one.state == "dead") == [
        f"n{number}" for number in range(15, 20)
    ]


# --- turns ---------------------------------------------------------------------------------------


def test_each_is_probed_once_before_any_is_probed_again() -> None:
    nodes = {f"n{number}" for number in range(30)}
    me = knowing(*nodes)
    first = [me.tick(float(second))[0] for second in range(30)]
    second = [me.tick(30.0 + second)[0] for second in range(30)]
    assert set(first) == set(second) == nodes
    assert first != second


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), max_size=40))
def test_choices_are_of_the_living_whatever_has_happened(steps: list[tuple[str, bool]]) -> None:
    me = member("me")
    living: set[str] = set()
    for number, (node, lives) in enumerate(steps, start=1):
        me.hear(gossip("x", update(node, number, "alive" if lives else "dead")), 0.0)
        living = living | {node} if lives else living - {node}
        assert set(me.some(9)) == living
        assert set(me.some(9, but="a")) == living - {"a"}
        assert len(me) == len(living) + 1
    turns = {me.tick(float(second))[0] for second in range(3 * len(living))}
    assert turns == living


# --- messages ------------------------------------------------------------------------------------


def test_what_a_message_carries_is_bounded() -> None:
    network = Network(60, seed=3, loss=0.1)
    for number, one in enumerate(network.members.values()):
        one.set_load(Load(cases=number, backlog_s=float(number)))
    network.periods(5)
    network.down |= {f"n{number}" for number in range(30, 60)}
    network.periods(40)
    messages = [one for one in network.sent if isinstance(one, Gossip)]
    assert max(len(one.updates) for one in messages) == MOST_UPDATES
    assert 6 <= max(len(one.loads) for one in messages) <= 2 * math.log2(60) + 1
    pages = [one for one in network.sent if isinstance(one, Exchange)]
    assert max(len(one.updates) for one in pages) <= PAGE_UPDATES


def test_an_update_is_told_some_times_the_logarithm_and_no_more() -> None:
    me = knowing(*(f"n{number}" for number in range(100)))
    me.hear(gossip("x", update("news", 1)), 0.0)
    told = sum("news" in {one.node for one in me.gossip("n1", 0.0).updates} for _ in range(200))
    assert told == 3 * math.ceil(math.log2(102))


def test_large_messages_are_refused_where_they_are_decoded() -> None:
    many = [update(f"n{number}") for number in range(MOST_UPDATES + 1)]
    raw = msgspec.msgpack.encode(gossip("x", *many))
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(raw, type=Gossip)
    heard = {f"n{number}": Heard(incarnation=1, load=Load()) for number in range(MOST_LOADS + 1)}
    raw = msgspec.msgpack.encode(msgspec.structs.replace(gossip("x"), loads=heard))
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(raw, type=Gossip)


def test_a_message_of_a_newer_version_is_understood() -> None:
    raw = msgspec.json.encode({**msgspec.to_builtins(gossip("x")), "colour": "blue"})
    assert msgspec.json.decode(raw, type=Gossip).sender == "x"


# --- loads ---------------------------------------------------------------------------------------


def loaded(sender: str, number: int, cases: int, backlog_s: float = 10.0) -> Gossip:
    return gossip(sender, load=Load(number=number, cases=cases, backlog_s=backlog_s))


def test_the_newest_load_counts() -> None:
    me = knowing("a", "b")
    assert me.hear(loaded("a", 2, 8), 0.0) == ["a"]
    assert me.hear(loaded("a", 1, 99), 0.0) == []
    assert me.loads(0.0)["a"].cases == 8
    me.hear(loaded("a", 3, 0), 0.0)
    assert me.loads(0.0) == {}


def test_old_loads_say_nothing_and_are_not_passed_on() -> None:
    me = knowing("a", "b")
    me.hear(loaded("a", 1, 8), 0.0)
    assert me.gossip("b", 1.0).loads["a"].age_s == 1.0
    assert "a" not in me.gossip("b", FRESH_S + 0.1).loads
    assert me.loads(FRESH_S + 0.1) == {}
    passed_on = {"a": Heard(incarnation=1, age_s=FRESH_S + 0.1, load=Load(number=2, cases=8))}
    assert me.hear(msgspec.structs.replace(gossip("b"), loads=passed_on), 9.0) == ["b"]
    assert me.loads(9.0) == {}


def test_a_backlog_is_thought_to_become_less() -> None:
    me = knowing("a", "b")
    me.hear(loaded("a", 1, 8, backlog_s=100.0), 0.0)
    me.hear(loaded("b", 1, 8, backlog_s=50.0), 1.0)
    victims = me.victims(1.0)
    assert victims["b"] == pytest.approx(50.0)
    assert 0 < victims["a"] < 50.0


def test_the_dead_and_suspects_are_no_victims() -> None:
    me = knowing("a", "b", "c")
    for node in "abc":
        me.hear(loaded(node, 1, 8), 0.0)
    me.accuse("a", 0.0, asked=0, heard=0)
    me.hear(gossip("c", update("b", 1, "dead"), load=Load(number=1, cases=8)), 0.0)
    assert set(me.victims(0.0)) == set(me.loads(0.0)) == {"c"}


def test_loads_that_are_kept_are_bounded_to_those_most_worth_it() -> None:
    nodes = [f"n{number}" for number in range(10 * KEPT)]
    me = knowing(*nodes)
    for number, node in enumerate(nodes):
        me.hear(loaded(node, 1, 1 + number, backlog_s=float(number)), 0.0)
    victims = me.victims(0.0)
    assert KEPT <= len(victims) <= 2 * KEPT
    assert {f"n{number}" for number in range(9 * KEPT + 1, 10 * KEPT)} <= set(victims)


def test_a_rumour_is_news_once() -> None:
    me, other = knowing("a", "b"), knowing("a", "b")
    other.hear(loaded("a", 1, 500), 0.0)
    rumour = msgspec.structs.replace(other.rumour(["a"], 0.0, hops=3), sender="b")
    assert me.hear(rumour, 0.0) == ["a", "b"]
    assert me.hear(rumour, 0.0) == []
    assert rumour.hops == 3
    assert not rumour.updates


# --- many ----------------------------------------------------------------------------------------


def test_all_learn_of_all() -> None:
    network = Network(40, seed=1)
    network.until(lambda: network.agree(network.members), most=30)
    assert len({one.digest for one in network.members.values()}) == 1


def test_who_joins_is_known_in_a_logarithm_of_periods() -> None:
    network = Network(64, seed=2)
    network.until(lambda: network.agree(network.members), most=30)
    network.members["new"] = member("new")
    network.exchange("new", "n7")
    assert network.until(lambda: network.agree(network.members), most=30) <= 12


def test_who_leaves_is_gone_at_once_and_is_not_mourned() -> None:
    network = Network(20, seed=3)
    network.until(lambda: network.agree(network.members), most=30)
    leaver = network.members["n5"]
    leaver.leave(network.now_s)
    for node in leaver.some(3):
        network.ask("n5", node)
    network.down.add("n5")
    rest = network.members.keys() - {"n5"}
    network.until(lambda: network.agree(rest), most=12)
    network.periods(30)
    assert {state_of(network.members[node], "n5") for node in rest} == {(1, "left")}


def test_the_dead_are_found_and_nobody_else_is_thought_dead() -> None:
    network = Network(30, seed=4)
    network.until(lambda: network.agree(network.members), most=30)
    network.down |= {"n3", "n4"}
    rest = network.members.keys() - network.down
    network.until(lambda: network.agree(rest), most=40)
    assert {network.members[node].incarnation for node in rest} == {1}


@pytest.mark.parametrize("seed", range(6))
def test_they_agree_again_after_loss_and_a_partition(seed: int) -> None:
    network = Network(24, seed=seed)
    network.until(lambda: network.agree(network.members), most=40)
    network.loss = 0.2
    network.periods(20)
    # One node of another side may be the last to hear of it: several sizes.
    first = {f"n{number}" for number in range(3 + 3 * seed)}
    network.side = lambda node: int(node in first)
    rest = network.members.keys() - first
    network.loss = 0.05
    network.until(
        lambda: all(
            {one.node for one in network.members[node] if one.state in ("alive", "suspect")} <= side
            for side in (first, rest)
            for node in side
        ),
        most=120,
    )
    network.side = lambda node: 0
    network.loss = 0.0
    network.until(lambda: network.agree(network.members), most=150)


@pytest.mark.parametrize("seed", range(3))
def test_loss_alone_kills_nobody(seed: int) -> None:
    network = Network(20, seed=seed)
    network.until(lambda: network.agree(network.members), most=40)
    # At 15 % a node is buried in one of ten such runs; see the next test.
    network.loss = 0.05
    for _ in range(100):
        network.period()
        assert not any(one.state == "dead" for view in network.members.values() for one in view)


def test_who_is_buried_alive_under_heavy_loss_comes_back() -> None:
    buried = 0
    for seed in range(12):
        network = Network(20, seed=seed)
        network.until(lambda network=network: network.agree(network.members), most=40)
        network.loss = 0.3
        for _ in range(60):
            network.period()
            views = network.members.values()
            buried += any(one.state == "dead" for view in views for one in view)
        network.loss = 0.0
        network.until(lambda network=network: network.agree(network.members), most=150)
    assert buried, "else nothing is tested here"


def test_what_news_did_not_reach_is_repaired_by_an_exchange() -> None:
    network = Network(12, seed=5)
    network.until(lambda: network.agree(network.members), most=30)
    # One that nobody tells of any more.
    secret = member("secret")
    network.members["n3"].hear_exchange(secret.exchange(None), network.now_s)
    network.members["secret"] = secret
    network.down.add("secret")
    while any(one.gossip("", network.now_s).updates for one in network.members.values()):
        pass
    assert network.members["n5"].get("secret") is None
    network.until(lambda: network.members["n5"].get("secret") is not None, most=60)


def test_a_large_cluster_is_learnt_page_by_page() -> None:
    old = knowing(*(f"n{number}" for number in range(3 * PAGE_UPDATES)))
    network = Network(1, seed=6)
    network.members = {"me": old, "new": member("new")}
    network.exchange("new", "me")
    assert network.members["new"].digest == old.digest
    assert len(network.members["new"]) == 3 * PAGE_UPDATES + 2
    pages = [one for one in network.sent if isinstance(one, Exchange)]
    assert max(len(one.updates) for one in pages) == PAGE_UPDATES
    # Who was late tells nobody what all the others know.
    assert {one.node for one in network.members["new"].gossip("n1", 0.0).updates} <= {"new"}


def test_what_another_one_knows_can_be_taken_over() -> None:
    old = knowing(*(f"n{number}" for number in range(50)), "new")
    new = member("new")
    new.take_over(old)
    assert new.digest == old.digest
    assert set(new.some(99)) == {"me", *(f"n{number}" for number in range(50))}
