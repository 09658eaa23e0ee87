"""An exception with its words and the actions that are legal for whoever looks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from packline.core.identity import Lpn
from packline.orders.policy import Action, may
from packline.orders.ports import ABOUT_ALL, ABOUT_ONE, ExceptionRow
from packline.store.view_rows import EffectRow, Unreadable
from web import speech
from web.guard import visitor
from web.room import room

# these cannot be taken back: the page asks once more, or wants the parcel scanned
GRAVE = frozenset({Action.VOID, Action.SHIPPED, Action.REPRINT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A row of the queue. `offered` may be chosen by the visitor, `withheld` only by a supervisor.

    `order` is the order that it is about where it is about no carton, `message` the number of the message that it is
    about, `messages` how many unreadable ones it tells of; "" and 0: none.
    """

    row: ExceptionRow
    fault: dict[str, Any]
    effect: EffectRow | None
    lpn: str
    order: str
    message: int
    messages: int
    offered: tuple[Action, ...]
    withheld: tuple[Action, ...]
    grave: frozenset[Action] = GRAVE


def open_cases() -> list[Case]:
    """Give all open exceptions, the most urgent first."""
    views = room().settings.store.views
    rows = views.exceptions()
    effects = views.effects([row.effect_id for row in rows if row.effect_id])
    unreadable = views.unreadable() if any(row.subject.startswith(ABOUT_ALL) for row in rows) else {}
    known = views.known_orders({name for row in rows for name in _orders_of(row.subject)})
    return [case(row, effects.get(row.effect_id), unreadable.get((row.subject, row.code)), known) for row in rows]


def _orders_of(subject: str) -> tuple[str, ...]:
    """Give the orders that a subject may tell of: itself, or that of the piece `ORDER.LINE.NUMBER`."""
    return (subject, subject.rsplit(".", 2)[0])


def open_case(exception_id: str) -> Case | None:
    """Give one exception if it is still open."""
    row = room().settings.store.views.exception(exception_id)
    return case(row, None) if row and row.state == "open" else None


def case(
    row: ExceptionRow, effect: EffectRow | None, unreadable: Unreadable | None = None, orders: Collection[str] = ()
) -> Case:
    """Put words and legal actions to a row; of unreadable messages the newest is shown. `orders` are the known ones."""
    legal = tuple(Action(action) for action in row.actions if action in set(Action))
    role = visitor().role
    number = row.subject.removeprefix(ABOUT_ONE)
    return Case(
        row=row,
        fault=speech.fault_of({**(unreadable.fault if unreadable else row.fault), "code": row.code}),
        effect=effect,
        lpn=row.subject if Lpn.is_lpn(row.subject) else "",
        order=next((name for name in _orders_of(row.subject) if name in orders), ""),
        message=int(number) if number.isdecimal() else 0,
        messages=unreadable.count if unreadable else 0,
        offered=tuple(action for action in legal if may(role, action)),
        withheld=tuple(action for action in legal if not may(role, action)) if role != "viewer" else (),
    )
