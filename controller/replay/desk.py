"""Questions to people: what may be chosen is what the exception policy says, and nothing else was chosen."""

from __future__ import annotations

from collections.abc import Iterator

from controller.replay.moment import Finding, Moment
from packline.core.faults import FAULTS
from packline.orders.policy import QUARANTINED, actions_for
from packline.orders.ports import ABOUT_ALL, ABOUT_ONE

NOBODY = ("feed ", "courier ", "policy", "controller", "recovery")
"""Actors that are no persons: they end a question when what it is about has settled itself."""


def judge(moment: Moment) -> Iterator[Finding]:
    """Look at the opening or the end of one question."""
    if moment.event.kind == "ExceptionOpened":
        yield from _opened(moment)
    elif moment.event.kind == "ExceptionClosed":
        yield from _closed(moment)


def note(moment: Moment) -> None:
    """Keep which questions are open."""
    if moment.event.kind == "ExceptionOpened":
        moment.past.exceptions[moment.data["exception_id"]] = moment.data["code"]
    elif moment.event.kind == "ExceptionClosed":
        moment.past.exceptions.pop(moment.data["exception_id"], None)


def _opened(moment: Moment) -> Iterator[Finding]:
    code, told = int(moment.data["code"]), moment.data["fault"]
    kind = FAULTS.get(code)
    if kind is None or told.get("name") != kind.name:
        expected = f"{code} {kind.name}" if kind else "a code of the catalogue"
        yield Finding(rule="fault", seen=f"{code} {told.get('name')}", expected=expected)
    row = moment.recorded.one("exception", exception_id=moment.data["exception_id"])
    if row is None:
        return
    may = _choices(moment, code)
    if tuple(row["actions"]) not in may:
        expected = ", ".join(may[0]) or "nothing"
        yield Finding(
            rule="exception policy", seen=f"{code}: {', '.join(row['actions'])}", expected=f"{code}: {expected}"
        )


def _choices(moment: Moment, code: int) -> list[tuple[str, ...]]:
    """Give what people may have been offered; a question about a message offers what can be done with a message."""
    policy, subject = moment.terms.policy, moment.event.subject
    doing = moment.past.effects.get(str(moment.data.get("effect_id", "")))
    offers = [actions_for(code, policy=policy), actions_for(code, doing.kind if doing else "apply", policy)]
    if subject.startswith((ABOUT_ONE, ABOUT_ALL)):
        offers.append(QUARANTINED.actions)
    return [tuple(action.value for action in offer) for offer in offers]


def _closed(moment: Moment) -> Iterator[Finding]:
    name, actor, action = moment.data["exception_id"], str(moment.row["actor"]), str(moment.data["action"])
    if name not in moment.past.exceptions:
        yield Finding(rule="exception", seen=f"the end of {name}", expected="ExceptionOpened before, and one end")
    row = moment.recorded.one("exception", exception_id=name)
    if row is not None and action not in row["actions"] and not actor.startswith(NOBODY):
        expected = ", ".join(row["actions"]) or "nothing"
        yield Finding(rule="exception policy", seen=f"{actor} chose {action}", expected=expected)
