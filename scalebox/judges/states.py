"""The states of a judge of the store: which follow which, and what each asks for.

    candidate → proven → active → retired

What was proven can be quarantined, by the daemon when it fails too often in service, or by a
person.  What was taken out of use comes back only by being made active anew, with the reason said.
"""

from __future__ import annotations

from scalebox.errors import BadRequestError, JudgeStateError
from scalebox.model import JudgeState, NewJudgeState

_CANDIDATE, _PROVEN, _ACTIVE = JudgeState.CANDIDATE, JudgeState.PROVEN, JudgeState.ACTIVE
_RETIRED, _QUARANTINED = JudgeState.RETIRED, JudgeState.QUARANTINED

#: State → those that can follow it.
FOLLOWING: dict[JudgeState, tuple[JudgeState, ...]] = {
    _CANDIDATE: (_PROVEN, _ACTIVE, _RETIRED),
    _PROVEN: (_ACTIVE, _RETIRED, _QUARANTINED),
    _ACTIVE: (_RETIRED, _QUARANTINED),
    _RETIRED: (_ACTIVE,),
    _QUARANTINED: (_ACTIVE, _RETIRED),
}
#: Nothing that fails in service gets from here to there by itself.
QUARANTINABLE = frozenset(
    state for state, following in FOLLOWING.items() if _QUARANTINED in following
)
_OUT_OF_USE = frozenset({_RETIRED, _QUARANTINED})
#: From lowest to highest; a judge that is registered again can only rise.
_RISING = (_CANDIDATE, _PROVEN, _ACTIVE)


def check(current: JudgeState, wish: NewJudgeState, *, has_proof: bool) -> None:
    """Whether a judge can be given a state.

    Parameters:
        current: which it has.
        has_proof: whether there is a proof already.

    Raises:
        JudgeStateError: it cannot follow, or there is no proof and `force` is not said.
        BadRequestError: a proof or a reason is missing.
    """
    possible = FOLLOWING[current]
    if wish.state not in possible:
        raise JudgeStateError(
            f"a judge that is {current} cannot become {wish.state}; it can become "
            f"{' or '.join(possible)}",
            field="state",
        )
    has_proof = has_proof or wish.proof is not None
    if wish.state is _PROVEN and not has_proof:
        raise BadRequestError("a proven judge has a proof: send it", field="proof")
    if wish.state is _ACTIVE and not (has_proof or wish.force):
        raise JudgeStateError(
            "there is no proof that this judge decides rightly: prove it, or make it active all "
            "the same with `force`",
            field="force",
        )
    if current in _OUT_OF_USE and wish.state is _ACTIVE and not wish.reason.strip():
        raise BadRequestError(
            f"this judge is {current}: say in `reason` why it is to decide again", field="reason"
        )


def check_new(state: JudgeState, *, has_proof: bool) -> None:
    """Whether a judge can begin in a state.

    Raises:
        BadRequestError: it needs a proof for that.
    """
    if state in (_PROVEN, _ACTIVE) and not has_proof:
        raise BadRequestError(
            f"a judge is registered as {state} with a proof; without one it is a candidate",
            field="proof",
        )


def rises(current: JudgeState, asked: JudgeState) -> bool:
    """Whether registering a judge again gives it the state that is asked for."""
    return current in _RISING and asked in _RISING and _RISING.index(asked) > _RISING.index(current)
