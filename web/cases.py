"""An exception with its words and the actions that are legal for whoever looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from packline.core.identity import Lpn
from packline.orders.policy import Action, may
from packline.orders.ports import ExceptionRow
from packline.store.view_rows import EffectRow
from web import face
from web.guard import visitor
from web.room import room

# these cannot be taken back: the page asks once more, or wants the parcel scanned
GRAVE = frozenset({Action.VOID, Action.SHIPPED, Action.REPRINT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A row of the queue. `offered` may be chosen by the visitor, `withheld` only by a supervisor."""

    row: ExceptionRow
    fault: dict[str, Any]
    effect: EffectRow | None
    lpn: str
    offered: tuple[Action, ...]
    withheld: tuple[Action, ...]
    grave: frozenset[Action] = GRAVE


def open_cases() -> list[Case]:
    """Give all open exceptions, the most urgent first."""
    views = room().settings.store.views
    rows = views.exceptions()
    effects = views.effects([row.effect_id for row in rows if row.effect_id])
    return [case(row, effects.get(row.effect_id)) for row in rows]


def open_case(exception_id: str) -> Case | None:
    """Give one exception if it is still open."""
    row = room().settings.store.views.exception(exception_id)
    return case(row, None) if row and row.state == "open" else None


def case(row: ExceptionRow, effect: EffectRow | None) -> Case:
    """Put words and legal actions to a row."""
    legal = tuple(Action(action) for action in row.actions if action in set(Action))
    role = visitor().role
    return Case(
        row=row,
        fault=face.fault_of({**row.fault, "code": row.code}),
        effect=effect,
        lpn=row.subject if Lpn.is_lpn(row.subject) else "",
        offered=tuple(action for action in legal if may(role, action)),
        withheld=tuple(action for action in legal if not may(role, action)) if role != "viewer" else (),
    )
