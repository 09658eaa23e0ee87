"""Carries out what a person chose in the exception queue or on a parcel's page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace

from packline.core.effects import OPEN_STATES, PRINT, EffectState, Evidence
from packline.core.faults import Fault
from packline.core.identity import Lpn
from packline.orders.changes import way_back
from packline.orders.lifecycle import can
from packline.orders.model import ORDER_LEFT, PARCEL_GONE, Event, Parcel, ParcelState
from packline.orders.policy import UNPROVED_SEAL, Action, may
from packline.orders.ports import ExceptionRow
from stations.cartoning import STILL_TO_BOX
from stations.departure import departure_of, label_on
from stations.kit import Kit

_HAS_LABEL = frozenset(
    {
        ParcelState.PACKED,
        ParcelState.PRINTED,
        ParcelState.LABELLED,
        ParcelState.VERIFIED,
        ParcelState.APPROVED,
    }
)
"""States in which a parcel is sealed and may have a label or is to get one."""
SHORT = 3013
PARCEL_ACTIONS = frozenset({Action.HOLD, Action.RELEASE, Action.VOID, Action.CLARIFY, Action.REPRINT})


class Resolver:
    """Settles effects and moves parcels by a person's word; every choice is an event with the person's name."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._on_parcel: Mapping[Action, Callable[[Parcel, str, str], Awaitable[None]]] = {
            Action.REPRINT: self._reprint,
            Action.HOLD: self._hold,
            Action.RELEASE: self._release,
            Action.CLARIFY: self._clarify,
            Action.VOID: self._void,
            Action.SHIPPED: self._shipped,
        }

    async def resolve(self, exception_id: str, action: str, *, actor: str, role: str, note: str = "") -> None:
        """Do `action` for an open exception and close it; raises Fault 4301 when it is not offered or not allowed."""
        row = await self._row(exception_id)
        choice = _allowed(action, row.actions, role, row.exception_id)
        if choice is Action.NOT_DONE and (unprinted := await self._in_doubt_of_its_print(row)):
            await self._not_printed(unprinted, actor, note)
        else:
            await self._settle(row, choice, actor, note)
        if row.code == UNPROVED_SEAL and choice is Action.DONE:
            await self._sealed(row.subject, actor)
        if row.code == SHORT and choice is Action.VOID:
            await self._give_up(row.subject, actor, note or "voided")
        if choice in self._on_parcel and await self._is_in_house(row.subject):
            await self.parcel(row.subject, choice.value, actor=actor, role=role, note=note)
        await self._kit.books.close_exception(exception_id, action=action, actor=actor, note=note)
        self._kit.changed()

    async def parcel(self, lpn: str, action: str, *, actor: str, role: str, note: str = "") -> None:
        """Do `action` with a parcel; raises Fault 4301, 4106 or 5101."""
        choice = _allowed(action, [a.value for a in (*PARCEL_ACTIONS, Action.SHIPPED)], role, lpn)
        parcel, _ = await self._kit.known(lpn, "desk")
        if parcel.state in PARCEL_GONE:
            raise _refused(parcel, "a parcel that is still in the house")
        await self._on_parcel[choice](parcel, actor, note)
        await self._kit.close_order(parcel.order_id, actor)

    async def _is_in_house(self, subject: str) -> bool:
        """Tell whether there is a parcel to act on; with one that left meanwhile, only the question is closed."""
        parcel = await self._kit.books.parcel(subject) if Lpn.is_lpn(subject) else None
        return parcel is not None and parcel.state not in PARCEL_GONE

    async def _row(self, exception_id: str) -> ExceptionRow:
        for row in await self._kit.books.open_exceptions():
            if row.exception_id == exception_id:
                return row
        raise Fault(4301, where=exception_id, seen="no open exception", expected="one that still waits")

    async def _settle(self, row: ExceptionRow, choice: Action, actor: str, note: str) -> None:
        states = {
            Action.DONE: EffectState.CONFIRMED,
            Action.NOT_DONE: EffectState.NOT_EXECUTED,
            Action.RETRY: EffectState.NOT_EXECUTED,
        }
        if row.effect_id and choice in states:
            word = Evidence(state=states[choice], source=f"person {actor}", data={"note": note})
            try:
                await self._kit.ledger.settle(row.effect_id, word)
            except Fault as fault:
                # evidence that came after the question (a machine that is back, a camera) has settled it: the word is moot
                if fault.code != 5101:
                    raise

    async def _in_doubt_of_its_print(self, row: ExceptionRow) -> Parcel | None:
        """Give the parcel whose label `row` asks about, unless more than its print is proved by now."""
        parcel = await self._kit.books.parcel(row.subject) if row.effect_id and Lpn.is_lpn(row.subject) else None
        if parcel is None or not can(parcel, "LabelVoided"):
            return None
        printed = await self._kit.ledger.find(PRINT, parcel.lpn, parcel.generation)
        if printed is None or printed.effect_id != row.effect_id:
            return None
        # a counter's word that came after the question is none against that of a person who stands there
        is_open = printed.state in OPEN_STATES or parcel.state in (ParcelState.PACKED, ParcelState.PRINTED)
        return parcel if is_open else None

    async def _not_printed(self, parcel: Parcel, actor: str, note: str) -> None:
        """Void the number with the job: a printer that still holds it brings it out later, and that must be no second print."""
        why = note or "not printed"
        await self._kit.record(self._event("LabelVoided", parcel, actor, {"sscc": parcel.sscc, "why": why}))

    async def _sealed(self, lpn: str, actor: str) -> None:
        """Book a carton as packed by a person's word; there may be no effect that could be confirmed."""
        parcel = await self._kit.books.parcel(lpn)
        if parcel is not None and parcel.state is ParcelState.COLLECTED:
            packed = self._event("ParcelPacked", parcel, actor, {"witness": f"person {actor}"})
            await self._kit.follow(parcel, packed)

    async def _give_up(self, unit_id: str, actor: str, reason: str) -> None:
        """Send back everything of the order whose piece `unit_id` is not to be had; raises Fault 4301 while a piece lies on a table."""
        books, order_id = self._kit.books, unit_id.rsplit(".", 2)[0]
        order, units = await books.order(order_id), await books.units(order_id=order_id)
        if order is None or order.state in ORDER_LEFT:
            return
        if lying := next((unit for unit in units if unit.state in STILL_TO_BOX), None):
            remedy = f"Put it back at {lying.station} with DO:NOTDONE, then void again."
            expected = "every piece in its carton or on its shelf"
            raise Fault(4301, where=order_id, seen=f"{lying.unit_id} on the table", expected=expected, remedy=remedy)
        back = way_back(order, units, await books.parcels(order_id=order_id), reason)
        await self._kit.finish(order_id, *(replace(event, actor=actor) for event in back))

    async def _reprint(self, parcel: Parcel, actor: str, note: str) -> None:
        """Void the label and everything done for it; the next pass assigns a new SSCC and print number."""
        is_aside = parcel.state is ParcelState.CLARIFY
        if (parcel.resume if is_aside else parcel.state) not in _HAS_LABEL:
            raise _refused(parcel, "a sealed parcel that is not on its way back")
        events = []
        if parcel.sscc:
            events.append(self._event("LabelVoided", parcel, actor, {"sscc": parcel.sscc, "why": note or "reprint"}))
        if is_aside:
            events.append(self._event("ParcelResumed", parcel, actor, {"to": ParcelState.PACKED.value}))
        await self._kit.record(*events)

    async def _hold(self, parcel: Parcel, actor: str, note: str) -> None:
        await self._kit.record(self._event("ParcelHeld", parcel, actor, {"reason": note or "held"}))

    async def _release(self, parcel: Parcel, actor: str, note: str) -> None:
        if parcel.state is ParcelState.CLARIFY:
            event = self._event("ParcelResumed", parcel, actor, {"to": parcel.resume})
        elif parcel.held:
            event = self._event("ParcelUnheld", parcel, actor, {})
        elif parcel.state is ParcelState.VERIFIED:
            event = self._event("ParcelApproved", parcel, actor, {"approval": "by staff"})
        else:
            raise _refused(parcel, "a parcel that is held, unclear, or waits for its buyer")
        await self._kit.record(event)

    async def _clarify(self, parcel: Parcel, actor: str, note: str) -> None:
        if parcel.state is not ParcelState.CLARIFY:
            await self._kit.record(self._event("ParcelClarify", parcel, actor, {"reason": note or "sent by a person"}))

    async def _void(self, parcel: Parcel, actor: str, note: str) -> None:
        if parcel.state is not ParcelState.RETURNING:
            await self._kit.record(self._event("ParcelReturning", parcel, actor, {"reason": note or "voided"}))

    async def _shipped(self, parcel: Parcel, actor: str, note: str) -> None:
        label = await label_on(self._kit, parcel)
        events = departure_of(parcel, actor=actor, witness=f"person {actor}", why=note or "found shipped", label=label)
        await self._kit.finish(parcel.order_id, *events)

    def _event(self, kind: str, parcel: Parcel, actor: str, data: Mapping[str, object]) -> Event:
        return Event(kind=kind, subject=parcel.lpn, order_id=parcel.order_id, actor=actor, data=data)


def _refused(parcel: Parcel, expected: str) -> Fault:
    return Fault(4301, where=parcel.lpn, seen=parcel.state.value, expected=expected)


def _allowed(action: str, offered: Collection[str], role: str, where: str) -> Action:
    if action not in offered:
        raise Fault(4301, where=where, seen=action, expected=" | ".join(offered))
    choice = Action(action)
    if not may(role, choice):
        raise Fault(4301, where=where, seen=f"{action} as {role}", expected="a higher role")
    return choice
