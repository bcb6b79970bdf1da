"""Whom to ask for work, how much to lend, how long to wait, whom to tell: pure functions.

The daemon and the simulator (`bench/simulate.py`) call the same functions; each bound below was
chosen with the simulator.  What a function promises is in its docstring, and tested.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping

from scalebox.cluster.records import Load

#: A victim hands out so many leases at a time, and tells the others to come back: what it hands
#: out is made and sent by its one event loop, so more at once would only all come later.
MOST_SERVED = 8
#: A thief asks for what keeps it busy so long: far longer than the way.
_WANTED_S = 5.0
#: With a slow way it asks for more, so that at most a twentieth of the time is spent waiting.
_WANTED_ROUND_TRIPS = 20
#: Of a lease.  It is encoded and sent in one go: a thousand cases are some milliseconds of the
#: victim's loop; and it is what a thief that dies takes with it.
MOST_CASES = 1_000
MOST_LEASE_S = 10_000.0
#: What a thief gets, in what it asks for, where it can be lent on twice: it feeds so many others.
_FED = 10
#: What cannot be lent on is what the thief's own slots do in so long: nobody can help it out.
_LAST_HOP_S = 0.5
#: A lease costs both nodes together some milliseconds of CPU time, whatever is in it: one of less
#: work than this is not worth it, and the last of an even load is not passed around.
_LEAST_LENT_S = 0.1
#: How often a case may be lent on: 1 is a lease of the node that was given the submission.
MOST_HOPS = 3
#: A lease without a sign of life expires between these: the first is some pauses of an event loop,
#: the second is how long a dead thief may hold up a report.
_SHORTEST_TTL_S, _LONGEST_TTL_S = 3.0, 6.0
#: Pauses of a thief that got nothing: exponential, with jitter.  Below the first bound it would
#: ask faster than a victim's loop answers; above the last, work that nobody told of waits.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 1.0
#: So many of those who hear of a backlog ask its node at once: what it serves, and a few who wait.
ASKERS = 4 * MOST_SERVED
#: What a victim needs for one lease, roughly: who comes too early comes back after those before.
_SERVICE_S = 0.003
#: Whoever is sent away comes back by then: meanwhile it asks others.
LONGEST_WAIT_S = 10.0
#: Backlogs below are gone before anybody comes.
_LEAST_NEWS_S = 0.5
#: A backlog that is known already is news again when it is so much larger.
_NEWS_FACTOR = 4.0
#: A node tells of its own backlog no more often.
RUMOUR_EACH_S = 0.1
#: To whom a rumour is pushed.  With three each, forwarded once, 94 % hear of it (the root of
#: z = 1 - exp(-3 z)), the others by the next probe.
FAN_OUT = 3
#: What a thief should find at least when a rumour has called it.
_LEAST_LEASE_S = 80.0
#: Results wait for each other at least so long; a frame takes about so long of a victim's loop; and
#: frames of all its leases together take at most this share of it.
_SHORTEST_FRAME_S, _FRAME_S, _FRAMES_SHARE = 0.2, 0.0005, 0.2
#: CPU seconds of two models differ by less than this in a cluster that is of one age.
_NEAR_LIMIT = 0.7


def is_hungry(
    free_slots: int, slots: int, queued_cases: int, draining: bool, pressed: bool
) -> bool:
    """Whether a node should ask others for work: it could run it at once, and has none.

    Parameters:
        free_slots, slots: that nothing runs in, of how many.
        queued_cases: of its own, and those that were lent to it.
        draining: it is to end.
        pressed: it is short of memory.
    """
    return 0 < free_slots <= slots and not queued_cases and not draining and not pressed


def audience(backlog_s: float, members: int) -> int:
    """How many nodes hear of a backlog when it appears: one for each thief that it can use.

    Parameters:
        backlog_s: CPU seconds of work.
        members: of the cluster.
    """
    return max(FAN_OUT, min(members, int(backlog_s / _LEAST_LEASE_S)))


def choose_victim(
    victims: Mapping[str, float],
    own: str,
    members: int,
    latency_s: Callable[[str], float],
    rng: random.Random,
) -> str | None:
    """Whom to ask for work.

    One of those known, the more likely the more it has.  One that many hear of is passed over with
    a probability that leaves it a bounded number of askers, however many they are; the others ask
    those that got something from it, or again after a pause.

    Parameters:
        victims: CPU seconds of work that others are thought to have.
        own: name of the node that asks; it does not ask itself.
        members: of the cluster.
        latency_s: round trip to a node.
        rng: chance.

    Returns:
        A name, or None where nobody is known to have anything, or it is not this node's turn.
    """
    able = [
        node
        for node, backlog_s in victims.items()
        if node != own
        and backlog_s >= 2 * _LEAST_LENT_S
        and rng.random() * _hearers(backlog_s, members) < ASKERS
    ]
    if not able:
        return None
    weights = [_gain_s(victims[node], latency_s(node)) for node in able]
    return rng.choices(able, weights)[0]


def _hearers(backlog_s: float, members: int) -> int:
    """How many nodes hear of a backlog in time: as many again as were told hear it from those."""
    return min(members, 2 * audience(backlog_s, members))


def _gain_s(backlog_s: float, latency_s: float) -> float:
    """Seconds of work that half of a backlog is worth, less those that the way costs."""
    return max(1e-6, backlog_s / 2 - _WANTED_ROUND_TRIPS * latency_s)


def wanted_s(slots: int, round_trip_s: float) -> float:
    """How many CPU seconds of work a thief asks for.

    Parameters:
        slots: that it has.
        round_trip_s: to the victim.
    """
    return slots * max(_WANTED_S, _WANTED_ROUND_TRIPS * round_trip_s)


def share(
    backlog_s: float,
    cases: int,
    victim_slots: int,
    wanted_s: float,
    thief_free_slots: int,
    round_trip_s: float,
    *,
    hops_left: int = 1,
) -> tuple[int, float]:
    """How much a victim lends to one thief.

    Its surplus is what its own slots will not have begun before the way there and back is over;
    it lends half of that at most (rounded up to a whole case), and nothing if that is little.

    Parameters:
        backlog_s: CPU seconds that the cases are thought to need.
        cases: that can be lent.
        victim_slots: of its own, which take from the same cases.
        wanted_s: what the thief asks for.
        thief_free_slots: that the thief could use at once.
        round_trip_s: between the two.
        hops_left: how often it may be lent on.  The last one to have it gets what it can do soon,
            the one before what it asks for, and the first enough to feed others.

    Returns:
        How many cases, and what they are thought to need in seconds; zeros: nothing.
    """
    # What costs nothing is worth no journey.
    if cases <= 0 or thief_free_slots <= 0 or backlog_s <= 0:
        return 0, 0.0
    case_s = backlog_s / cases
    kept = round(victim_slots * round_trip_s / case_s)
    if hops_left > 1:
        most_s = min(_FED * wanted_s, MOST_LEASE_S)
    elif hops_left == 1:
        most_s = min(wanted_s, MOST_LEASE_S)
    else:
        most_s = min(wanted_s, MOST_LEASE_S, thief_free_slots * _LAST_HOP_S)
    # Every free slot is worth a case, however long it takes.
    most = max(thief_free_slots, int(most_s / case_s))
    lent = max(0, min(math.ceil((cases - kept) / 2), most, MOST_CASES))
    lent_s = lent * backlog_s / cases
    return (lent, lent_s) if lent_s >= _LEAST_LENT_S else (0, 0.0)


def lease_ttl_s(seconds: float, slots: int) -> float:
    """How long a lease stands without a sign of life of its holder.

    Parameters:
        seconds: of work in it.
        slots: of the holder.
    """
    return min(max(seconds / max(1, slots), _SHORTEST_TTL_S), _LONGEST_TTL_S)


def pause_s(failures: int, rng: random.Random) -> float:
    """How long a hungry node waits before it asks again.

    Exponential with full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog,
    2015), so that those who failed together do not come back together.

    Parameters:
        failures: how often it got nothing since it last got something, or heard a rumour.
        rng: chance.
    """
    bound_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(max(failures, 0), 30))
    return bound_s * (0.1 + 0.9 * rng.random())


def ask_again_s(served: int, refused: int, rng: random.Random) -> float:
    """What a victim that serves as many as it can tells one more thief.

    Parameters:
        served: how many it serves.
        refused: how many it has sent away in the last second, and expects back.
        rng: chance.
    """
    bound_s = min(LONGEST_WAIT_S, _SERVICE_S * (served + refused))
    return bound_s * (0.5 + 0.5 * rng.random())


def is_news(before: Load | None, now: Load) -> bool:
    """Whether a node should tell others of its own backlog at once.

    Parameters:
        before: what it last told them at once; None: nothing since it had none.
        now: what it has.
    """
    if now.cases < 2 or now.backlog_s < _LEAST_NEWS_S:
        return False
    return before is None or now.backlog_s > _NEWS_FACTOR * before.backlog_s


def rumour_hops(load: Load, members: int) -> int:
    """How often a rumour of a load is pushed on by those who hear it.

    Parameters:
        load: what it tells.
        members: of the cluster.
    """
    # Each push reaches FAN_OUT times as many; near the end most of them have heard it already.
    reached = audience(load.backlog_s, members)
    return math.ceil(math.log(reached, FAN_OUT)) + (1 if reached == members else 0) - 1


def passes_on(own: Load) -> bool:
    """Whether a node that hears a rumour pushes it on.

    Where everybody has enough to do nobody needs to be told; whoever is idle hears of somebody's
    backlog with each probe.

    Parameters:
        own: its own load.
    """
    return not own.cases


def frame_each_s(leases: int) -> float:
    """How long the results of one lease should wait for others to go with.

    Parameters:
        leases: that the victim has given and that are out; their frames are its loop's work.
    """
    return min(max(_SHORTEST_FRAME_S, leases * _FRAME_S / _FRAMES_SHARE), _SHORTEST_TTL_S / 3)


def confirm_at_home(cpu_time_s: float, limit_s: float, thief_cpu: str, own_cpu: str) -> bool:
    """Whether a result of another node must be tried again here before it is believed.

    CPU seconds of two models of processor are not the same, and the verdict must not depend on
    where a case ran.

    Parameters:
        cpu_time_s: that the run took there.
        limit_s: its limit.
        thief_cpu, own_cpu: models.
    """
    return thief_cpu != own_cpu and cpu_time_s >= _NEAR_LIMIT * limit_s


def recheck(fraction: float, rng: random.Random) -> bool:
    """Whether a result of another node is among those that are run again here as a sample.

    Parameters:
        fraction: of all, 0 to 1.
        rng: chance.
    """
    return rng.random() < fraction
