"""What falls due by itself: releasing orders, deadlines of buyers, the calendar's jobs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from apscheduler.triggers.base import BaseTrigger

from controller.missing import Missing
from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.market.purchase import expired
from packline.orders.changes import CANCELLED, way_back
from packline.orders.model import Event, Order, OrderState, Parcel, ParcelState, Purchase, Unit, UnitState
from packline.orders.policy import actions_for
from packline.orders.release import PARCELS_IN_WORK, UNITS_IN_WORK, order_blockers
from stations.kit import Kit

LOOK_S = 0.5
REST_S = 0.1
NO_ANSWER, SOFTWARE = 3011, 5001
DUTY = "duty"
_WAITING_FOR_MONEY = frozenset({ParcelState.OPEN, ParcelState.COLLECTED, ParcelState.PACKED})

log = logging.getLogger("packline.duties")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The site's numbers for what falls due."""

    wip_limit: int
    no_answer: str
    missing_s: float = 900.0


class Duties:
    """Looks every LOOK_S seconds, and at once when the books change."""

    def __init__(
        self,
        kit: Kit,
        terms: Terms,
        *,
        may_release: Callable[[], bool] = lambda: True,
        waits: Callable[[str], bool] = lambda station: True,
        sees_nothing: Callable[[str], bool] = lambda _station: False,
        is_place: Callable[[str], bool] = lambda _place: True,
    ) -> None:
        """`may_release` tells whether new orders may go to the floor at all; `waits` whether a station has nothing to do, and
        `sees_nothing` whether its own sensor says so; `is_place` whether there is a station or a slot of that name.
        """
        self._may_release = may_release
        self._kit = kit
        self._terms = terms
        self._missing = Missing(kit, terms.missing_s, waits=waits, sees_nothing=sees_nothing, is_place=is_place)
        self._all: Mapping[str, Callable[[], Awaitable[None]]] = {
            "release": self._release,
            "silent buyers": self._unanswered,
            "unpaid orders": self._unpaid,
            "missing parcels": self._missing.once,
        }
        self._rings: dict[str, str] = {}
        self._asked: set[str] | None = None
        """About whose buyers a question was open at the last look; before the first one, an earlier run may have left some."""
        self._bell = asyncio.Event()

    def wake(self) -> None:
        """The books changed: look now."""
        self._bell.set()

    async def run(self) -> None:
        """Do what is due, for ever; a refused step is logged and looked at again."""
        while True:
            self._bell.clear()
            for name, duty in self._all.items():
                await self._tried(name, duty)
            with contextlib.suppress(TimeoutError):
                await self._kit.clock.within(LOOK_S, self._bell.wait())
            await self._kit.clock.sleep(REST_S)  # changes come in bursts: look once for all of them

    async def once(self) -> None:
        """Do everything that is due now."""
        for duty in self._all.values():
            await duty()

    async def _tried(self, name: str, duty: Callable[[], Awaitable[None]]) -> None:
        """Do one duty. What fails keeps nobody from the others: one order that no rule foresaw must not stop the line."""
        try:
            await duty()
            await self._ring(name, "")
        except Fault as fault:
            log.warning("%s", fault)
        except Exception as error:
            if self._rings.get(name) != repr(error):
                log.exception("duty %s", name)
            with contextlib.suppress(Fault):  # the books are away: the next look rings
                await self._ring(name, repr(error))

    async def _ring(self, name: str, error: str) -> None:
        """Ring one alarm while a duty ends in an error of the program; an earlier run may have left one standing."""
        if self._rings.get(name) == error:
            return
        if error:
            fault = Fault(SOFTWARE, where=name, seen=f"an error of the program, {error.partition('(')[0]}")
            await self._kit.books.raise_alarm(fault, source=f"{DUTY} {name}")
        else:
            await self._kit.books.clear_alarm(SOFTWARE, source=f"{DUTY} {name}")
        self._rings[name] = error

    async def _release(self) -> None:
        # The queue may be long: no more of it is read than could go.
        waiting = partial(self._kit.books.orders, {OrderState.RECEIVED})
        if not self._may_release() or not await waiting(1):
            return
        in_work, passed_over, limit = await self._in_work(), 0, self._terms.wip_limit
        while in_work < limit and (found := await waiting(limit, passed_over)):
            for order in found:
                if order_blockers(order, in_work=in_work, wip_limit=limit):
                    passed_over += 1
                    continue
                if not self._may_release():  # books that are found to be old meanwhile
                    return
                await self._kit.record(_order_released(order))
                in_work += 1

    async def _in_work(self) -> int:
        """Count the orders that use the floor; one whose cartons all wait in the rack or are gone does not."""
        released = {o.order_id for o in await self._kit.released()}
        wanted = {u.order_id for u in await self._kit.books.units(states=UNITS_IN_WORK, released=True)}
        moving = {p.order_id for p in await self._kit.books.parcels(states=PARCELS_IN_WORK)}
        return len(released & (wanted | moving))

    async def _unanswered(self) -> None:
        verified = await self._kit.books.parcels(states={ParcelState.VERIFIED})
        silent = {parcel.lpn: parcel for parcel in verified if self._is_silent(parcel)}
        if self._terms.no_answer == "ask":
            await self._ask_about(silent)
            return
        for parcel in silent.values():
            if not parcel.held:
                await self._no_answer(parcel)

    def _is_silent(self, parcel: Parcel) -> bool:
        return parcel.approve_until is not None and parcel.approve_until <= self._kit.clock.now()

    async def _ask_about(self, silent: Mapping[str, Parcel]) -> None:
        """Ask about each silent buyer once; a question whose buyer has answered meanwhile is taken back.

        None of its answers would do by then but holding the parcel or sending it back.
        """
        if not silent and self._asked == set():
            return
        rows = [row for row in await self._kit.books.open_exceptions("desk") if row.code == NO_ANSWER]
        for row in rows:
            if row.subject not in silent:
                await self._kit.books.close_exception(row.exception_id, action="dismiss", actor="policy")
        self._asked = {row.subject for row in rows} & silent.keys()
        for lpn, parcel in silent.items():
            if lpn not in self._asked and not parcel.held:
                await self._open(
                    Fault(NO_ANSWER, where=lpn, seen="no answer in time", expected="approve or reject"), lpn
                )
                self._asked.add(lpn)

    async def _no_answer(self, parcel: Parcel) -> None:
        kind, data = (
            ("ParcelApproved", {"approval": "expired"})
            if self._terms.no_answer == "ship"
            else ("ParcelReturning", {"reason": "no_answer", "was": parcel.state.value})
        )
        event = Event(kind=kind, subject=parcel.lpn, order_id=parcel.order_id, actor="policy", data=data)
        await self._kit.record(event)

    async def _unpaid(self) -> None:
        now = self._kit.clock.now()
        for order in await self._kit.released():
            why = expired(order, now)
            if order.content.purchase is Purchase.CANCELLED:
                await self._sweep(order)
            elif why:
                await self._take_back(order, why)

    async def _sweep(self, order: Order) -> None:
        """Send back what was begun for a cancelled order in the moment when its cancellation came in."""
        units = await self._kit.books.units(order_id=order.order_id)
        parcels = await self._kit.books.parcels(order_id=order.order_id)
        if events := way_back(order, units, parcels, CANCELLED):
            await self._kit.finish(order.order_id, *_as_judged(order, events))

    async def _take_back(self, order: Order, why: str) -> None:
        parcels = await self._kit.books.parcels(order_id=order.order_id, states=_WAITING_FOR_MONEY)
        wanted = await self._kit.books.units(order_id=order.order_id, states={UnitState.WANTED})
        if not parcels and not wanted:
            return
        events = [_parcel_event("ParcelReturning", p, {"reason": why}) for p in parcels]
        events += [_unit_returned(u, order) for u in wanted]
        await self._kit.finish(order.order_id, *_as_judged(order, events))
        fault = Fault(3012, where=order.order_id, seen=why)
        await self._open(fault, order.order_id)

    async def _open(self, fault: Fault, subject: str) -> None:
        actions = [action.value for action in actions_for(fault.code)]
        await self._kit.books.open_exception(fault, station="desk", subject=subject, actions=actions)


class Calendar:
    """Jobs by the calendar: APScheduler's triggers say when, our clock says now; nothing is stored."""

    def __init__(self, clock: Clock, jobs: Mapping[str, tuple[BaseTrigger, Callable[[], Awaitable[object]]]]) -> None:
        self._clock = clock
        self._jobs = jobs

    async def run(self) -> None:
        """Run every job at its times, for ever."""
        async with asyncio.TaskGroup() as group:
            for name, (trigger, work) in self._jobs.items():
                group.create_task(self._serve(name, trigger, work))

    async def _serve(self, name: str, trigger: BaseTrigger, work: Callable[[], Awaitable[object]]) -> None:
        last: datetime | None = None
        while (due := trigger.get_next_fire_time(last, self._clock.now())) is not None:
            await self._clock.sleep(max(0.0, (due - self._clock.now()).total_seconds()))
            try:
                await work()
            except (Fault, OSError) as error:
                log.warning("job %s: %s", name, error)
            except Exception:  # the line does not end for a work that is done by the hour; it is tried again then
                log.exception("job %s", name)
            last = due


def _order_released(order: Order) -> Event:
    # it may have been set aside since it was read: that only a person lets to the floor
    data = {"was": order.state.value}
    return Event(kind="OrderReleased", subject=order.order_id, order_id=order.order_id, data=data)


def _as_judged(order: Order, events: Sequence[Event]) -> Iterator[Event]:
    """Say by which version of the order this was decided: a newer one may be taken before it is written down."""
    version = {"order_version": order.content.version}
    return (replace(event, data={**event.data, **version}) for event in events)


def _unit_returned(unit: Unit, order: Order) -> Event:
    data = {"was": unit.state.value}
    return Event(kind="UnitReturned", subject=unit.unit_id, order_id=order.order_id, actor="policy", data=data)


def _parcel_event(kind: str, parcel: Parcel, data: dict[str, str]) -> Event:
    return Event(kind=kind, subject=parcel.lpn, order_id=parcel.order_id, actor="policy", data=data)
