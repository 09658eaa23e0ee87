"""Takes what hosts and couriers said into the books: once, in the order of versions, or not at all with a reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any, Protocol

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.feeds.courier import Delivered
from packline.feeds.ports import InboxState
from packline.market.purchase import carried_on, deadlines
from packline.orders.changes import changes
from packline.orders.closing import closing
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
from packline.orders.policy import rule_for
from packline.orders.ports import ExceptionRow, Label

NOT_YET = 3015
"""The fault of a delivery that came before the books have the parcel shipped."""
FOREIGN = 3016
"""The fault of an order that was worked, or may have been, in a time that the books have lost."""
BOOKS_OLDER = "books_older"
MOST_ASIDE = 100_000
"""Orders that may wait for somebody who looks for them on the floor; each of them is asked about."""
LOOKED_AT = 1000
"""Orders of a kind that are looked at at once for an end that a stop lost."""
_IN_HANDS = frozenset({UnitState.INDUCTED, UnitState.INSPECTED})


class IntakeBooks(Protocol):
    """The part of the books that feeds read and write."""

    async def order(self, order_id: str) -> Order | None: ...

    async def orders(self, states: Collection[OrderState], limit: int = 1000, skip: int = 0) -> list[Order]: ...

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
        self._passed = {OrderState.RELEASED: 0, OrderState.SHIPPED: 0}
        """How many of those in each state the last looks for unfinished ones have passed."""

    async def take(self, new: PlaceOrder) -> Taken:
        """Bring the books to `new`; duplicates and older versions change nothing.

        Raises Fault 4005 (contradiction, too late, another feed's order), 4006 (unknown SKU) or 5101 (the order moved while we looked).
        """
        order = await self._books.order(new.order_id)
        if order is None:
            return await self._receive(new)
        demand_same_sale(order, new)
        if new.version <= order.content.version:
            return _old_news(order.content, new)
        return await self._change(order, new)

    async def set_aside(self, new: PlaceOrder, reason: str) -> None:
        """Book an order that must not be worked before a person has looked; whether the books know it or not."""
        aside = _order_event("OrderClarify", new, {"reason": reason})
        is_known = await self._books.order(new.order_id) is not None
        await self._books.record(*([] if is_known else [_order_event("OrderReceived", new, {"content": new})]), aside)

    async def settle_aside(self, order_id: str, *, shipped: bool, actor: str) -> None:
        """Let an order that was set aside be worked, or call it shipped; raises Fault 5101 for any other.

        What is called shipped takes its parcels along, whatever state the books have them in; with no parcel whose label
        a courier could tell of it is over.
        """

        def event(kind: str, subject: str = order_id, **data: str) -> Event:
            return Event(kind=kind, subject=subject, order_id=order_id, actor=actor, data=data)

        if not shipped:
            await self._books.record(event("OrderReleased"))
            return
        parcels = await self._books.parcels(order_id=order_id)
        gone = [_gone(parcel, event) for parcel in parcels if parcel.state not in PARCEL_GONE]
        is_over = all(parcel.state in PARCEL_DONE or not parcel.sscc for parcel in parcels)
        end = [event("OrderClosed")] if is_over else []
        await self._books.record(event("OrderShipped"), *chain.from_iterable(gone), *end)

    async def set_all_aside(self) -> None:
        """After a restore: nobody works an order that was in work before a person has looked for it on the floor.

        The floor may be further than the books. What they have on a table or in a hand is wanted again. May be repeated.
        """
        while orders := await self._books.orders({OrderState.RELEASED}):
            for order in orders:
                data = {"reason": BOOKS_OLDER}
                await self._books.record(
                    *(_put_back(unit) for unit in await self._books.units(order_id=order.order_id, states=_IN_HANDS)),
                    Event(kind="OrderClarify", subject=order.order_id, order_id=order.order_id, data=data),
                )
        for order in await self._books.orders({OrderState.CLARIFY}, MOST_ASIDE):
            if order.reason == BOOKS_OLDER:
                await self._ask_where(order)

    async def _ask_where(self, order: Order) -> None:
        fault = Fault(
            FOREIGN,
            where=f"order {order.order_id}",
            seen="in work when the books were copied",
            expected="a person who has looked for its parcels",
        )
        actions = [action.value for action in rule_for(FOREIGN).actions]
        await self._books.open_exception(fault, station=order.content.channel, subject=order.order_id, actions=actions)

    async def deliver(self, said: Delivered, courier: str) -> Taken:
        """Note that the courier delivered a parcel, and close its order with the last one.

        Raises Fault 4106 (a number we never gave), 3006 (a voided label) or 3005 (the books do not have it shipped).
        """
        parcel = await self._parcel_of(said.sscc)
        if parcel.state is ParcelState.DELIVERED:
            return Taken(state=InboxState.IGNORED, reason="delivered already")
        if parcel.state is not ParcelState.SHIPPED:
            raise Fault(
                NOT_YET, where=f"parcel {parcel.lpn}", seen="delivered", expected=f"{parcel.state} is shipped first"
            )
        actor = f"courier {courier}"
        await self._books.record(_delivered(parcel, said, courier), *await self._after(parcel, actor))
        return Taken(state=InboxState.DONE)

    async def close_finished(self) -> int:
        """Finish orders whose last event was lost between two transactions of a stop; gives how many.

        Looks at LOOKED_AT of those on the floor and of those on their way, the next time at the next ones: the parcels of a
        few days are on their way.
        """
        ended = 0
        for state, passed in self._passed.items():
            found = await self._books.orders({state}, LOOKED_AT, passed)
            here = sum([await self._finish(order) for order in found])
            self._passed[state] = passed + len(found) - here if len(found) == LOOKED_AT else 0
            ended += here
        return ended

    async def _finish(self, order: Order) -> bool:
        parcels = await self._books.parcels(order_id=order.order_id)
        due = await self._due(order, parcels, "feed")
        if due:
            await self._books.record(*due)
        return bool(due)

    async def _receive(self, new: PlaceOrder) -> Taken:
        await self._check_items(new)
        events = [_order_event("OrderReceived", new, {"content": new})]
        runs = deadlines(new.purchase, new.paid, self._clock.now(), self._policy.reserve_s, self._policy.pay_s)
        if any(runs.values()):
            events.append(_order_event("OrderChanged", new, {"content": new, **_iso(runs)}))
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
        # First people, then the books: after a stop in between the message comes again, and after both it is a duplicate.
        await self._tell_cancelled(order, parcels, new)
        await self._books.record(*(self._with_deadlines(order, event) for event in events))
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
            actions = [action.value for action in rule_for(fault.code).actions]
            await self._books.open_exception(fault, station=new.channel, subject=order.order_id, actions=actions)

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

    async def _after(self, parcel: Parcel, actor: str) -> list[Event]:
        """Give what the delivery of `parcel` ends: its order, when it was the last."""
        order = await self._books.order(parcel.order_id)
        others = await self._books.parcels(order_id=parcel.order_id)
        parcels = [replace(p, state=ParcelState.DELIVERED) if p.lpn == parcel.lpn else p for p in others]
        return await self._due(order, parcels, actor) if order else []

    async def _due(self, order: Order, parcels: Sequence[Parcel], actor: str) -> list[Event]:
        return closing(order, await self._books.units(order_id=order.order_id), parcels, actor)


def _gone(parcel: Parcel, event: Callable[..., Event]) -> list[Event]:
    """One that should not have left yet goes out by way of clarification."""
    shipped = event("ParcelShipped", parcel.lpn, sscc=parcel.sscc, witness="person")
    may_ship = parcel.state in (ParcelState.APPROVED, ParcelState.CLARIFY)
    return [shipped] if may_ship else [event("ParcelClarify", parcel.lpn, reason=BOOKS_OLDER), shipped]


def _put_back(unit: Unit) -> Event:
    return Event(kind="UnitPutBack", subject=unit.unit_id, order_id=unit.order_id, data={"reason": BOOKS_OLDER})


def demand_same_sale(order: Order, new: PlaceOrder) -> None:
    """Raise Fault 4005 where two feeds' orders have one number here: "5" of "shop-eu", and "eu-5" of "shop"."""
    if (new.channel, new.external_id) != (order.content.channel, order.content.external_id):
        raise Fault(
            4005,
            where=f"order {new.order_id}",
            seen=f"an order of feed {new.channel}",
            expected=f"an order of feed {order.content.channel}, which has this number",
            remedy="Give one of the two feeds another name in the site file.",
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


def _iso(runs: Mapping[str, datetime | None]) -> dict[str, str | None]:
    return {name: until.isoformat() if until else None for name, until in runs.items()}
