"""What follows a fault: one table read by stations, twin and dashboard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Reaction(StrEnum):
    """What the station does at once."""

    NOTE = "note"
    RETRY = "retry"
    ASK = "ask"
    HOLD = "hold"
    CLARIFY = "clarify"


class Action(StrEnum):
    """What a person may choose in the exception queue."""

    RETRY = "retry"
    DONE = "done"
    NOT_DONE = "not_done"
    REPRINT = "reprint"
    HOLD = "hold"
    RELEASE = "release"
    CLARIFY = "clarify"
    VOID = "void"
    SHIP_SHORT = "ship_short"
    WAIT = "wait"
    SHIPPED = "shipped"
    DISMISS = "dismiss"


ROLES = ("viewer", "operator", "supervisor", "integrator", "admin")
"""Each may do what those before it may."""

ACTION_ROLE: Mapping[Action, str] = {
    Action.VOID: "supervisor",
    Action.SHIPPED: "supervisor",
    Action.DISMISS: "supervisor",
}
"""The least role for an action; "operator" where nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`tries` bounds RETRY before it becomes ASK."""

    reaction: Reaction
    actions: tuple[Action, ...] = ()
    tries: int = 0


UNPROVED_SEAL = 3017
"""Asks about a carton, not only about an effect: the books may have lost that it was ever to be sealed."""

A, R = Action, Reaction
_HOLDS = Rule(reaction=R.HOLD)
_ASK_DONE = Rule(reaction=R.ASK, actions=(A.DONE, A.NOT_DONE, A.CLARIFY))

POLICY: Mapping[int, Rule] = {
    1001: _HOLDS,
    1002: _HOLDS,
    1003: _HOLDS,
    1004: _HOLDS,
    1005: Rule(reaction=R.ASK, actions=(A.RETRY, A.CLARIFY), tries=2),
    1006: Rule(reaction=R.NOTE, actions=(A.DISMISS,)),
    1007: Rule(reaction=R.NOTE, actions=(A.DISMISS,)),
    1008: Rule(reaction=R.NOTE, actions=(A.RETRY, A.DISMISS)),
    1021: Rule(reaction=R.NOTE, actions=(A.DISMISS,)),
    1009: _HOLDS,
    1010: _HOLDS,
    1011: _HOLDS,
    1012: _HOLDS,
    1013: _HOLDS,
    1014: _HOLDS,
    1015: _HOLDS,
    1016: _HOLDS,
    1017: _HOLDS,
    1018: _HOLDS,
    1019: _HOLDS,
    1020: Rule(reaction=R.NOTE, actions=(A.DISMISS,)),
    1022: Rule(reaction=R.NOTE, actions=(A.DISMISS,)),
    1101: Rule(reaction=R.HOLD, actions=(A.RELEASE,)),
    2001: Rule(reaction=R.HOLD, actions=(A.RELEASE,)),
    2002: Rule(reaction=R.HOLD, actions=(A.RELEASE,)),
    2003: Rule(reaction=R.ASK, actions=(A.RETRY, A.CLARIFY), tries=2),
    2004: _ASK_DONE,
    2005: _ASK_DONE,
    2006: Rule(reaction=R.ASK, actions=(A.RETRY, A.CLARIFY)),
    2007: Rule(reaction=R.HOLD, actions=(A.RELEASE,)),
    2101: _HOLDS,
    2102: _HOLDS,
    2103: _ASK_DONE,
    2104: Rule(reaction=R.ASK, actions=(A.RETRY, A.REPRINT, A.CLARIFY), tries=1),
    2105: Rule(reaction=R.ASK, actions=(A.REPRINT, A.CLARIFY)),
    2106: _HOLDS,
    2107: Rule(reaction=R.ASK, actions=(A.RETRY, A.CLARIFY)),
    2201: _HOLDS,
    3001: Rule(reaction=R.ASK, actions=(A.RETRY, A.CLARIFY), tries=2),
    3002: Rule(reaction=R.CLARIFY, actions=(A.REPRINT, A.VOID, A.CLARIFY)),
    3003: Rule(reaction=R.ASK, actions=(A.REPRINT, A.SHIPPED, A.CLARIFY, A.VOID)),
    3004: Rule(reaction=R.NOTE, actions=(A.DISMISS,)),
    3005: Rule(reaction=R.NOTE, actions=(A.DISMISS,)),
    3006: Rule(reaction=R.ASK, actions=(A.REPRINT, A.CLARIFY, A.DISMISS)),
    3007: Rule(reaction=R.ASK, actions=(A.RETRY, A.SHIPPED, A.VOID, A.CLARIFY)),
    3008: Rule(reaction=R.NOTE, actions=(A.DISMISS,)),
    3009: Rule(reaction=R.NOTE, actions=(A.DISMISS,)),
    3010: Rule(reaction=R.NOTE, actions=(A.DISMISS,)),
    3011: Rule(reaction=R.ASK, actions=(A.RELEASE, A.HOLD, A.VOID, A.WAIT)),
    3012: Rule(reaction=R.NOTE, actions=(A.DISMISS,)),
    3013: Rule(reaction=R.ASK, actions=(A.SHIP_SHORT, A.RETRY, A.VOID)),
    3014: _ASK_DONE,
    3015: Rule(reaction=R.NOTE, actions=(A.RETRY, A.DISMISS)),
    3016: Rule(reaction=R.NOTE, actions=(A.SHIPPED, A.RELEASE, A.DISMISS)),
    UNPROVED_SEAL: _ASK_DONE,
    3018: Rule(reaction=R.NOTE, actions=(A.DISMISS,)),
    4005: Rule(reaction=R.NOTE, actions=(A.RETRY, A.DISMISS)),
    4006: Rule(reaction=R.NOTE, actions=(A.RETRY, A.DISMISS)),
    4105: Rule(reaction=R.NOTE, actions=(A.DISMISS,)),
    4106: Rule(reaction=R.NOTE, actions=(A.DISMISS,)),
    4302: Rule(reaction=R.NOTE, actions=(A.DISMISS,)),
    5001: Rule(reaction=R.HOLD, actions=(A.RELEASE,)),
    5002: _HOLDS,
}
QUARANTINED = Rule(reaction=R.NOTE, actions=(A.RETRY, A.DISMISS))
"""The rule of a message that was set aside, whatever is wrong with it: its row is about the message, not the fault."""

ALSO: Mapping[tuple[int, str], tuple[Action, ...]] = {
    (2006, "apply"): (A.REPRINT,),
    (2006, "release"): (A.SHIPPED,),
}
"""What may be chosen besides when it was that kind of effect that failed: a label can be spoilt, a seal cannot be reprinted; and a
gate may say that nobody passed when the parcel is gone."""
_DEFAULT = Rule(reaction=R.NOTE, actions=(A.DISMISS,))


def rule_for(code: int, policy: Mapping[int, Rule] = POLICY) -> Rule:
    """Give the rule of a fault code; unknown codes are noted and may be dismissed."""
    return policy.get(code, _DEFAULT)


def actions_for(code: int, effect_kind: str = "", policy: Mapping[int, Rule] = POLICY) -> tuple[Action, ...]:
    """Give what a person may choose about a fault of an effect."""
    return (*rule_for(code, policy).actions, *ALSO.get((code, effect_kind), ()))


def may(role: str, action: Action) -> bool:
    """Tell whether `role` may take `action`."""
    least = ACTION_ROLE.get(action, "operator")
    return role in ROLES and ROLES.index(role) >= ROLES.index(least)
