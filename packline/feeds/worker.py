"""Works the inbox: what hosts and couriers said becomes journal events; what cannot be followed waits in quarantine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.feeds.courier import Delivered, read_delivery
from packline.feeds.marketplace import read_order
from packline.feeds.ports import Inbox, InboxKind, InboxRow, InboxState
from packline.market.purchase import carried_on, deadlines
from packline.orders.changes import changes
from packline.orders.model import (
    PARCEL_DONE,
    PARCEL_GONE,
    Event,
    Item,
    Order,
    OrderState,
    Parcel,
    ParcelState,
    PlaceOrder,
    Purchase,
    Unit,
    UnitState,
)
from packline.orders.policy import Action
from packline.orders.ports import ExceptionRow, Label

log = logging.getLogger(__name__)

BATCH_ROWS = 50
POLL_S = 0.5
SWEEP_S = 30.0
OLD_NEWS_TRIES = 3
PATIENCE_S = 600.0
QUARANTINE_ACTIONS = (Action.RETRY.value, Action.DISMISS.value)
_RACE = 5101
_NOT_YET = 3005


class IntakeBooks(Protocol):
    """The part of the books that feeds read and write."""

    async def order(self, order_id: str) -> Order | None: ...

    async def orders(self, states: Collection[OrderState], limit: int = 1000) -> list[Order]: ...

    async def units(
        self,
        *,
        order_id: str | None = None,
        lpn: str | None = None,
        station: str | None = None,
        states: Collection[UnitState] | None = None,
    ) -> list[Unit]: ...

    async def parcel(self, lpn: str) -> Parcel | None: ...

    async def parcels(
        self,
        *,
        order_id: str | None = None,
        states: Collection[ParcelState] | None = None,
        place: str | None = None,
    ) -> list[Parcel]: ...

    async def label(self, sscc: str) -> Label | None: ...

    async def item(self, sku: str) -> Item | None: ...

    async def record(self, *events: Event) -> None: ...

    async def open_exception(
        self, fault: Fault, *, station: str, subject: str, actions: Collection[str], effect_id: str = ""
    ) -> str: ...

    async def close_exception(self, exception_id: str, *, action: str, actor: str, note: str = "") -> None: ...

    async def open_exceptions(self, station: str | None = None) -> list[ExceptionRow]: ...


class Terms(Protocol):
    """How long a reservation and an unpaid purchase stand, in seconds."""

    @property
    def reserve_s(self) -> float: ...

    @property
    def pay_s(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a message: `state` for the inbox, and why in words."""

    state: InboxState
    reason: str = ""


class Intake:
    """Takes what was read into the books; used by the inbox worker and by reconciling alike."""

    def __init__(self, *, books: IntakeBooks, clock: Clock, policy: Terms) -> None:
        self._books, self._clock, self._policy = books, clock, policy

    async def take(self, new: PlaceOrder) -> Taken:
        """Bring the books to `new`; duplicates and older versions change nothing.

        Raises Fault 4005 (contradiction, too late), 4006 (unknown SKU) or 5101 (the order moved while we looked).
        """
        order = await self._books.order(new.order_id)
        if order is None:
            return await self._receive(new)
        if new.version <= order.content.version:
            return _old_news(order.content, new)
        return await self._change(order, new)

    async def deliver(self, said: Delivered, courier: str) -> Taken:
        """Note that the courier delivered a parcel, and close its order with the last one.

        Raises Fault 4106 (a number we never gave), 3006 (a voided label) or 3005 (the books do not have it shipped).
        """
        parcel = await self._parcel_of(said.sscc)
        if parcel.state is ParcelState.DELIVERED:
            return Taken(state=InboxState.IGNORED, reason="delivered already")
        if parcel.state is not ParcelState.SHIPPED:
            raise Fault(
                _NOT_YET, where=f"parcel {parcel.lpn}", seen="delivered", expected=f"{parcel.state} is shipped first"
            )
        events = [_delivered(parcel, said, courier)]
        events += await self._closing(parcel)
        await self._books.record(*events)
        return Taken(state=InboxState.DONE)

    async def close_finished(self) -> int:
        """Close shipped orders whose last parcel was delivered before the order was called shipped; gives how many."""
        closed = 0
        for order in await self._books.orders({OrderState.SHIPPED}):
            if _all_done(await self._books.parcels(order_id=order.order_id)):
                await self._books.record(_closed(order.order_id))
                closed += 1
        return closed

    async def _receive(self, new: PlaceOrder) -> Taken:
        await self._check_items(new)
        runs = deadlines(new.purchase, new.paid, self._clock.now(), self._policy.reserve_s, self._policy.pay_s)
        events = [_order_event("OrderReceived", new, {"content": new, **_iso(runs)})]
        if new.purchase is Purchase.CANCELLED:
            events.append(_order_event("OrderCancelled", new, {"reason": "cancelled"}))
        await self._books.record(*events)
        return Taken(state=InboxState.DONE)

    async def _change(self, order: Order, new: PlaceOrder) -> Taken:
        if new.lines != order.content.lines:
            await self._check_items(new)
        units = await self._books.units(order_id=order.order_id)
        parcels = await self._books.parcels(order_id=order.order_id)
        events = changes(order, units, parcels, new)
        if not events:
            return Taken(state=InboxState.IGNORED, reason=f"the order is {order.state}")
        await self._books.record(*(self._with_deadlines(order, event) for event in events))
        await self._tell_cancelled(order, parcels, new)
        return Taken(state=InboxState.DONE)

    def _with_deadlines(self, order: Order, event: Event) -> Event:
        new = event.data.get("content")
        if event.kind != "OrderChanged" or not isinstance(new, PlaceOrder):
            return event
        fresh = deadlines(new.purchase, new.paid, self._clock.now(), self._policy.reserve_s, self._policy.pay_s)
        return replace(event, data={**event.data, **_iso(carried_on(order, fresh))})

    async def _tell_cancelled(self, order: Order, parcels: list[Parcel], new: PlaceOrder) -> None:
        """People must know of a cancellation that came when a parcel was gone already."""
        gone = [p.lpn for p in parcels if p.state in PARCEL_GONE]
        if new.purchase is Purchase.CANCELLED and gone:
            fault = Fault(4302, where=f"order {order.order_id}", seen=f"{', '.join(gone)} gone already")
            await self._books.open_exception(
                fault, station=new.channel, subject=order.order_id, actions=(Action.DISMISS.value,)
            )

    async def _check_items(self, new: PlaceOrder) -> None:
        for line in new.lines:
            if await self._books.item(line.sku) is None:
                raise Fault(4006, where=f"order {new.order_id}", seen=line.sku, expected="an item of the item master")

    async def _parcel_of(self, sscc: str) -> Parcel:
        label = await self._books.label(sscc)
        parcel = await self._books.parcel(label.lpn) if label else None
        if label is None or parcel is None:
            raise Fault(4106, where=f"label {sscc}", seen="delivered", expected="a label that we printed")
        if label.state == "voided":
            raise Fault(3006, where=f"label {sscc}", seen="delivered", expected=f"the newest label of {label.lpn}")
        return parcel

    async def _closing(self, parcel: Parcel) -> list[Event]:
        order = await self._books.order(parcel.order_id)
        others = [p for p in await self._books.parcels(order_id=parcel.order_id) if p.lpn != parcel.lpn]
        over = order is not None and order.state is OrderState.SHIPPED and _all_done(others)
        return [_closed(parcel.order_id)] if over else []


class IntakeWorker:
    """Takes pending messages, oldest first, one at a time; a message that cannot be worked never stops the next."""

    def __init__(self, *, inbox: Inbox, books: IntakeBooks, clock: Clock, policy: Terms) -> None:
        self._inbox, self._books, self._clock = inbox, books, clock
        self.intake = Intake(books=books, clock=clock, policy=policy)
        self._readers: Mapping[str, Callable[[InboxRow], Awaitable[Taken]]] = {
            InboxKind.FEED: self._order,
            InboxKind.COURIER: self._delivery,
        }
        self._woken = asyncio.Event()
        self._tries: dict[int, int] = {}

    def wake(self) -> None:
        """Look now instead of at the next poll."""
        self._woken.set()

    async def run(self) -> None:
        """Work for ever; a database that is away is waited for."""
        swept = -SWEEP_S
        while True:
            try:
                worked = await self.work()
                if self._clock.monotonic() - swept >= SWEEP_S:
                    swept = self._clock.monotonic()
                    await self.intake.close_finished()
            except Fault as fault:
                log.warning("intake waits: %s", fault)
                worked = 0
            if not worked:
                await self._rest()

    async def work(self) -> int:
        """Work one batch; gives how many messages found their end."""
        ends = [await self._one(row) for row in await self._inbox.pending(BATCH_ROWS)]
        return sum(ends)

    async def decide(self, row: ExceptionRow, *, action: str, actor: str) -> None:
        """Do what a person chose for a quarantined message: `retry` replays it, anything else only closes the row."""
        found = row.subject.removeprefix("inbox:")
        if action == Action.RETRY and found.isdigit():
            await self._inbox.replay(int(found))
            self.wake()
        await self._books.close_exception(row.exception_id, action=action, actor=actor)

    async def _rest(self) -> None:
        try:
            await self._clock.within(POLL_S, self._woken.wait())
        except TimeoutError:
            return
        self._woken.clear()

    async def _one(self, row: InboxRow) -> bool:
        try:
            taken = await self._read(row)
        except Fault as fault:
            return await self._failed(row, fault)
        except Exception as error:  # noqa: BLE001 - one poisonous message must not stop the intake
            log.exception("message %s of %s", row.id, row.channel)
            return await self._failed(row, Fault(5001, where=f"message {row.id}", seen=repr(error)[:120]))
        self._tries.pop(row.id, None)
        await self._inbox.mark(row.id, taken.state, taken.reason)
        return True

    async def _read(self, row: InboxRow) -> Taken:
        reader = self._readers.get(row.kind)
        if reader is None:
            raise Fault(4001, where=f"message {row.id}", seen=row.kind, expected=" | ".join(self._readers))
        return await reader(row)

    async def _order(self, row: InboxRow) -> Taken:
        new = read_order(row.channel, row.body)
        taken = await self.intake.take(new)
        await self._overtake(row, new)
        return taken

    async def _delivery(self, row: InboxRow) -> Taken:
        return await self.intake.deliver(read_delivery(row.body), row.channel)

    async def _failed(self, row: InboxRow, fault: Fault) -> bool:
        """Try again what may pass by itself, a bounded number of times or seconds; quarantine the rest."""
        if self._may_pass(row, fault):
            return False
        self._tries.pop(row.id, None)
        where = fault.where if fault.where != "message" else f"message {row.delivery_id}"
        told = Fault(fault.code, where=where, seen=fault.seen, expected=fault.expected, remedy=fault.remedy)
        await self._books.open_exception(
            told, station=row.channel, subject=f"inbox:{row.id}", actions=QUARANTINE_ACTIONS
        )
        await self._inbox.mark(row.id, InboxState.QUARANTINED, told.text())
        return True

    def _may_pass(self, row: InboxRow, fault: Fault) -> bool:
        if fault.code == _NOT_YET:
            # The courier may be faster than a controller that was just restarted at the gate.
            return self._clock.now() - row.received_at < timedelta(seconds=PATIENCE_S)
        if fault.code < 5000:
            return False
        self._tries[row.id] = self._tries.get(row.id, 0) + 1
        return self._tries[row.id] < OLD_NEWS_TRIES

    async def _overtake(self, row: InboxRow, new: PlaceOrder) -> None:
        """Close what waited in quarantine for this order: a version that could be followed has come."""
        for waiting in await self._books.open_exceptions(row.channel):
            mine = waiting.subject.startswith("inbox:") and waiting.fault.get("where") == f"order {new.order_id}"
            if mine:
                note = f"version {new.version} was taken"
                await self._books.close_exception(
                    waiting.exception_id, action="superseded", actor=f"feed {row.channel}", note=note
                )


def _old_news(known: PlaceOrder, new: PlaceOrder) -> Taken:
    if new.version < known.version:
        return Taken(state=InboxState.IGNORED, reason=f"version {known.version} is known")
    if new.digest == known.digest:
        return Taken(state=InboxState.IGNORED, reason="duplicate")
    raise Fault(
        4005,
        where=f"order {new.order_id}",
        seen=f"another content of version {new.version}",
        expected="a new version for every change",
    )


def _order_event(kind: str, new: PlaceOrder, data: Mapping[str, Any]) -> Event:
    return Event(kind=kind, subject=new.order_id, order_id=new.order_id, actor=f"feed {new.channel}", data=data)


def _delivered(parcel: Parcel, said: Delivered, courier: str) -> Event:
    data = {"sscc": said.sscc, "at": said.at.isoformat(), "proof": said.proof, "courier": courier}
    return Event(
        kind="ParcelDelivered", subject=parcel.lpn, order_id=parcel.order_id, actor=f"courier {courier}", data=data
    )


def _closed(order_id: str) -> Event:
    return Event(kind="OrderClosed", subject=order_id, order_id=order_id, actor="feed")


def _all_done(parcels: list[Parcel]) -> bool:
    return all(parcel.state in PARCEL_DONE for parcel in parcels)


def _iso(runs: Mapping[str, datetime | None]) -> dict[str, str | None]:
    return {name: until.isoformat() if until else None for name, until in runs.items()}
