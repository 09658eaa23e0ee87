"""Turns what a person wants into one durable request, once, and waits a moment for the controller's answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.orders.policy import ACTION_ROLE, ROLES, Action, may
from packline.store import Store
from packline.store.requests import ACTUATION_S, ANSWER_S
from web.live import Hub
from web.row_number import RowNumber

PATIENCE_S = 1.5
STEP_S = 0.025
MOST_KEY_CHARS = 100
MOST_ACKED = 500
"""As many alarms as a page shows."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=400)]


class _Args(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScanArgs(_Args):
    station: Name
    text: Code


class ButtonArgs(_Args):
    station: Name
    button: Literal["OK", "SHORT", "HOLD", "DONE", "NOTDONE"]


class ExceptionArgs(_Args):
    id: Name
    action: Action
    note: Annotated[str, StringConstraints(max_length=500)] = ""


class AckArgs(_Args):
    id: RowNumber


class AckAllArgs(_Args):
    ids: Annotated[list[RowNumber], Field(min_length=1, max_length=MOST_ACKED)]


class AnswerArgs(_Args):
    lpn: Name
    answer: Literal["approve", "reject"]
    picture: Name
    by: Name


class TurnArgs(_Args):
    order_id: Name
    unit: Name
    step_deg: Literal[-45, -30, -15, 15, 30, 45]


class ParcelArgs(_Args):
    lpn: Name
    action: Literal["hold", "release", "void", "clarify", "reprint", "shipped"]


class StationArgs(_Args):
    station: Name
    action: Literal["hold", "release"]


class ReplayArgs(_Args):
    inbox_id: RowNumber


class DismissArgs(_Args):
    inbox_id: RowNumber
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of request. `moves`: it may move a machine, so it needs a live screen and soon expires."""

    args: type[_Args]
    role: Callable[[Any], str] = field(default=lambda _: "operator")
    moves: bool = True
    lives_s: float = ACTUATION_S


def _action_role(args: ExceptionArgs | ParcelArgs) -> str:
    return next(role for role in ROLES if may(role, Action(args.action)))


KINDS: Mapping[str, Kind] = {
    "scan": Kind(args=ScanArgs),
    "button": Kind(args=ButtonArgs),
    "exception": Kind(args=ExceptionArgs, role=_action_role),
    "alarm_ack": Kind(args=AckArgs, moves=False, lives_s=3600),
    "alarms_ack": Kind(args=AckAllArgs, moves=False, lives_s=3600),
    "answer": Kind(args=AnswerArgs, role=lambda _: "supervisor", moves=False, lives_s=ANSWER_S),
    "turn": Kind(args=TurnArgs),
    "parcel": Kind(args=ParcelArgs, role=_action_role),
    "station": Kind(args=StationArgs),
    "replay": Kind(args=ReplayArgs, role=lambda _: "supervisor", moves=False, lives_s=3600),
    "dismiss": Kind(args=DismissArgs, role=lambda _: ACTION_ROLE[Action.DISMISS], moves=False, lives_s=3600),
}


class NotFresh(Exception):  # noqa: N818 - the trade's word
    """The controller's snapshot is too old to act on."""


class Unreadable(Exception):  # noqa: N818
    """The request is not one of KINDS, or its arguments are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who asks, in which role."""

    name: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a request. `state` is new (not answered yet) | done | refused | expired."""

    id: int
    state: str
    result: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Give JSON."""
        return {"id": self.id, "state": self.state, "result": dict(self.result)}


class Acting:
    """The only way from a click to the controller."""

    def __init__(self, *, store: Store, hub: Hub, clock: Clock, pause: Callable[[float], None]) -> None:
        self._store = store
        self._hub = hub
        self._clock = clock
        self._pause = pause

    def act(self, action: str, args: Any, *, key: str, person: Person, trusted: bool = False) -> Answer:
        """Write the request, wake the controller, wait up to PATIENCE_S for its answer.

        The same key of the same person again gives the first answer. `trusted` skips the role for those who hold a
        signed link. Raises Unreadable, Fault 4301 (role), NotFresh, Fault 5002 (database).
        """
        kind, known = _read(action, args, key)
        if not trusted:
            if not has_role(person.role, kind.role(known)):
                raise Fault(4301, where=action, seen=person.role, expected=kind.role(known))
            key = f"{person.name}/{key}"  # nobody can take the key of another, or of a buyer, whose keys can be guessed
            if isinstance(known, AnswerArgs):
                known = known.model_copy(
                    update={"by": person.name}
                )  # in the books stands who it was, not who they said
        if isinstance(known, ExceptionArgs):
            self._offered(known)
        if kind.moves and not self._hub.view().fresh:
            raise NotFresh
        return self._ask(action, known.model_dump(mode="json"), key, person, kind.lives_s)

    def _offered(self, args: ExceptionArgs) -> None:
        row = self._store.views.exception(args.id)
        if row is None or args.action not in row.actions:
            offered = ", ".join(row.actions) if row else "no such exception"
            raise Fault(4301, where=f"exception {args.id}", seen=args.action, expected=offered)

    def _ask(self, action: str, args: dict[str, Any], key: str, person: Person, lives_s: float) -> Answer:
        row = self._store.requests.put_now(
            key=key, action=action, args=args, actor=person.name, role=person.role, expires_s=lives_s
        )
        self._hub.nudge()
        return self._wait(row.id)

    def _wait(self, request_id: int) -> Answer:
        until = self._clock.monotonic() + PATIENCE_S
        while True:
            row = self._store.requests.get_now(request_id)
            if row is None:
                return Answer(id=request_id, state="expired", result={})
            if row.state != "new" or self._clock.monotonic() >= until:
                return Answer(id=request_id, state=row.state, result=row.result)
            self._pause(STEP_S)


def has_role(role: str, least: str) -> bool:
    """Tell whether `role` may do what `least` may."""
    return role in ROLES and ROLES.index(role) >= ROLES.index(least)


def _read(action: str, args: Any, key: str) -> tuple[Kind, _Args]:
    kind = KINDS.get(action)
    if kind is None or not 8 <= len(key) <= MOST_KEY_CHARS:
        raise Unreadable(action)
    try:
        return kind, kind.args.model_validate(args)
    except ValidationError as error:
        raise Unreadable(str(error.errors()[0]["msg"])) from error
