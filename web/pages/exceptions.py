"""What waits for a person's decision: what happened, what it means, what may be done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint

from packline.core.identity import Lpn
from packline.orders.policy import Action, may
from packline.orders.ports import ExceptionRow
from packline.store.views import EffectRow
from web import face
from web.guard import needs, visitor
from web.room import room

blueprint = Blueprint("exceptions", __name__)

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


@blueprint.get("/exceptions")
@needs("viewer")
def listing() -> tuple[str, int]:
    """Show the queue, the most urgent first."""
    rows = room().settings.store.views.exceptions()
    effects = room().settings.store.views.effects([row.effect_id for row in rows if row.effect_id])
    return face.page("exceptions.html", cases=[case(row, effects.get(row.effect_id)) for row in rows], grave=GRAVE)


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
