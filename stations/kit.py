"""What every station is handed, and the few steps that all of them share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from packline.core.clock import Clock
from packline.core.effects import EJECT, EffectState, Ledger, Outcome
from packline.core.faults import Fault
from packline.orders.closing import closing
from packline.orders.lifecycle import TARGET, parcel_after, unit_after
from packline.orders.model import Event, Order, OrderState, Parcel
from packline.orders.policy import Reaction, rule_for
from packline.orders.ports import Books
from packline.orders.routing import Destination, destination
from scanning import gs1
from scanning.sight import PixelSight, Sight
from stations.ports import Machinery, Offload, View

MOST_RELEASED = 20_000
"""More than the limit of work in progress and the slots of a rack can ever be together; those who wait for their buyers count too."""
_LINK_FAULTS = range(1001, 1101)
_LINK_WORDS = {"absent": "no answer", "bad": "a damaged status"}


class Trouble(Exception):  # noqa: N818 - the trade's word
    """A fault about one subject (LPN, unit or station); `effect_id` and `kind` name the effect that is in doubt."""

    def __init__(self, fault: Fault, *, subject: str, effect_id: str = "", kind: str = "") -> None:
        super().__init__(fault.text())
        self.fault = fault
        self.subject = subject
        self.effect_id = effect_id
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The site's numbers that stations follow; seconds are the controller's clock."""

    inspect_live_s: float = 30.0
    approve_s: float = 3600.0
    stills: int = 4
    machine_most_mm: tuple[int, int, int] = (400, 300, 250)
    company_prefix: str = "9521321"


@dataclass(slots=True, kw_only=True)
class Kit:
    """Everything a station may use."""

    books: Books
    ledger: Ledger
    clock: Clock
    offload: Offload
    rules: Rules
    places: Mapping[str, str]
    """Destination kind (collect, pack, bench, label, hold, gate, clarify, shelf) -> station name."""
    changed: Callable[..., None] = lambda *events: None
    """Tells the others which events are in the books now; without any, that something else in them changed."""
    sight: Sight = field(default_factory=PixelSight)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    moving: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held over a decision that looks at a whole order and its record, so that two stations do not decide at once."""

    async def record(self, *events: Event) -> None:
        """Commit events and wake whoever waits for a change."""
        await self.books.record(*events)
        self.changed(*events)

    async def released(self) -> list[Order]:
        """Give every order that is on the floor; one that was left out would be in nobody's list."""
        return await self.books.orders({OrderState.RELEASED}, MOST_RELEASED)

    async def follow(self, parcel: Parcel, *events: Event) -> bool:
        """Record what was just done with `parcel`, as it was read before.

        False when it was taken out of this work meanwhile (cancelled, voided, sent to clarification) and nothing was
        recorded: the next pass decides anew. Raises Fault 5101 when the books did not move and still refuse.
        """
        try:
            await self.record(*events)
        except Fault as fault:
            if fault.code != 5101 or await self.is_as_before(parcel):
                raise
            return False
        return True

    async def is_as_before(self, parcel: Parcel) -> bool:
        """Tell whether state and label of a parcel are still those that were read."""
        now = await self._again(parcel.lpn)
        return (now.state, now.sscc) == (parcel.state, parcel.sscc)

    async def finish(self, order_id: str, *events: Event) -> None:
        """Record events together with the end of their order if they bring it, in one transaction."""
        async with self.lock:
            await self.finish_locked(order_id, *events)

    async def finish_locked(self, order_id: str, *events: Event, actor: str = "") -> None:
        """Do the same for a caller that holds `lock`."""
        actor = actor or (events[0].actor if events else "controller")
        for tries_left in (1, 0):
            due = await self._due_after(order_id, events, actor)
            if not (events or due):
                return
            try:
                await self.record(*events, *due)
                return
            except Fault as fault:  # a feed may have closed the order in between: look once more
                if fault.code != 5101 or not (due and tries_left):
                    raise

    async def _due_after(self, order_id: str, events: Sequence[Event], actor: str) -> list[Event]:
        order = await self.books.order(order_id)
        if order is None:
            return []
        units = {u.unit_id: u for u in await self.books.units(order_id=order_id)}
        parcels = {p.lpn: p for p in await self.books.parcels(order_id=order_id)}
        for event in events:
            target = TARGET.get(event.kind)
            if target == "unit" and event.subject in units:
                units[event.subject] = unit_after(units[event.subject], event)
            elif target == "parcel" and event.subject in parcels:
                parcels[event.subject] = parcel_after(parcels[event.subject], event)
        return closing(order, list(units.values()), list(parcels.values()), actor)

    async def known(self, lpn: str, where: str) -> tuple[Parcel, Order]:
        """Give parcel and order of a plate; raises Fault 4106 if the books do not know it."""
        parcel = await self.books.parcel(lpn)
        order = await self.books.order(parcel.order_id) if parcel else None
        if parcel is None or order is None:
            raise Fault(4106, where=where, seen=lpn, expected="a carton that an order was put into")
        return parcel, order

    async def order_of(self, parcel: Parcel) -> Order:
        """Give the order of a parcel that the books know."""
        order = await self.books.order(parcel.order_id)
        if order is None:
            raise Fault(5101, where=parcel.lpn, seen=f"no order {parcel.order_id}")
        return order

    async def is_new_here(self, parcel: Parcel, station: str) -> bool:
        """Tell whether standing at `station` is another visit than the one in the books."""
        if parcel.place != station:
            return True
        ejected = await self.ledger.find(EJECT, parcel.lpn, parcel.visits)
        return ejected is not None and ejected.state is EffectState.CONFIRMED

    async def arrive(self, parcel: Parcel, station: str, *also: Event) -> Parcel:
        """Book the parcel in at `station` once a visit, with what else is true then; gives it as it is then."""
        if not await self.is_new_here(parcel, station):
            return parcel
        event = Event(kind="ParcelArrived", subject=parcel.lpn, order_id=parcel.order_id, station=station)
        await self.record(_at(event, station), *also)
        return await self._again(parcel.lpn)

    async def moved(
        self, parcel: Parcel, place: str, station: str, actor: str = "controller", *, only_from: str = ""
    ) -> Parcel:
        """Book the parcel as on its way to, or at, `place`.

        With `only_from` nothing happens unless the books still have it there: a person with a scanner may have been
        quicker than a machine's word, and what was scanned last is where the parcel is.
        """
        event = Event(kind="ParcelMoved", subject=parcel.lpn, order_id=parcel.order_id, station=station, actor=actor)
        async with self.moving:
            if only_from and (now := await self._again(parcel.lpn)).place != only_from:
                return now
            await self.record(_at(event, place))
            return await self._again(parcel.lpn)

    async def _again(self, lpn: str) -> Parcel:
        parcel = await self.books.parcel(lpn)
        if parcel is None:
            raise Fault(5101, where=lpn, seen="a parcel that vanished from the books")
        return parcel

    def station_for(self, where: Destination, parcel: Parcel) -> str:
        """Give the station name of a destination; large parcels are packed and labelled at the bench."""
        by_hand = parcel.bench and where.kind in ("pack", "label") and "bench" in self.places
        kind = "bench" if by_hand else where.kind
        kind = "clarify" if kind == "shelf" else kind
        return self.places.get(kind) or self.places.get("clarify", "")

    async def where_to(self, parcel: Parcel, order: Order) -> tuple[Destination, str]:
        """Give the destination and its station."""
        where = destination(order, parcel)
        return where, self.station_for(where, parcel)

    async def close_order(self, order_id: str, actor: str = "controller") -> None:
        """Record what is due for the order after one of its parcels or units changed."""
        async with self.lock:
            await self.finish_locked(order_id, actor=actor)

    def deadline(self, seconds: float) -> str:
        """Give now plus `seconds` as ISO text."""
        return (self.clock.now() + timedelta(seconds=seconds)).isoformat()


def plate_of(parsed: gs1.Parsed, where: str) -> str:
    """Give the carton plate that was scanned; raises Fault 4101 for a label or anything else.

    A label names the parcel that it was made for, which need not be the carton that it sticks on.
    """
    if parsed.kind is gs1.Kind.LPN:
        return parsed.value
    is_label = parsed.kind in (gs1.Kind.LABEL, gs1.Kind.SSCC)
    seen = f"a label: {parsed.value}" if is_label else parsed.value
    raise Fault(4101, where=where, seen=seen, expected="the carton's own plate" if is_label else "a carton plate")


def link_fault(view: View, where: str) -> Fault | None:
    """Give what is wrong with the way to a machine: the cause that the machine's link found, or what its picture shows."""
    if view.quality == "good":
        return None
    cause = next((code for code in view.faults if code in _LINK_FAULTS), 0)
    code = cause or {"absent": 1001, "bad": 1003}.get(view.quality, 1002)
    return Fault(code, where=where, seen=_LINK_WORDS.get(view.quality, "an old status"), expected="a good status")


def require_good(view: View, where: str) -> None:
    """Raise the fault that keeps a machine from taking jobs; links first, then its own faults, then ownership."""
    if fault := link_fault(view, where):
        raise fault
    if view.faults:
        own = f", its own fault {' and '.join(map(str, view.own_faults))}" if view.own_faults else ""
        raise Fault(view.faults[0], where=where, seen=f"state {view.state}{own}")
    if not view.owned:  # another owner would be a fault (1101): this one was only not claimed yet
        raise Fault(1002, where=where, seen="machine not yet claimed", expected="ownership")


def sensors(machine: Machinery) -> Mapping[str, int]:
    """Give the inputs of a machine that may be believed now; raises its link fault otherwise."""
    view = machine.view()
    if fault := link_fault(view, machine.name):
        raise fault
    return view.inputs


def trouble_of(
    outcome: Outcome, *, where: str, subject: str, unknown: int = 2005, failed: int = 2006, kind: str = ""
) -> Trouble:
    """Say what is wrong with an outcome that is not confirmed; a job that still runs holds the station."""
    otherwise = {EffectState.SENT: 2001, EffectState.UNKNOWN: unknown, EffectState.NOT_EXECUTED: 2003}
    code = outcome.evidence.fault or otherwise.get(outcome.state, failed)
    seen = f"{outcome.state} by {outcome.evidence.source}{_reported(outcome.evidence.data)}"
    if outcome.state is EffectState.FAILED and rule_for(code).reaction is Reaction.HOLD:
        # waiting heals no job that failed: only a person's word opens it again, so it must be asked for
        code, seen = failed, f"{seen}, fault {code}"
    fault = Fault(code, where=where, seen=seen, expected="confirmed")
    return Trouble(fault, subject=subject, effect_id=outcome.effect_id, kind=kind)


def _reported(data: Mapping[str, Any]) -> str:
    """Say what a machine itself says of what ails it: in words, or by the number that its manual knows."""
    if says := data.get("says"):
        return f", it says {says}"
    if numbers := data.get("own_faults"):
        return f", {data.get('machine', '')} reports its own fault {' and '.join(map(str, numbers))}"
    return f", its own error {data['error']}" if data.get("error") else ""


def _at(event: Event, place: str) -> Event:
    return Event(
        kind=event.kind,
        subject=event.subject,
        order_id=event.order_id,
        station=event.station,
        actor=event.actor,
        data={**event.data, "place": place},
    )
