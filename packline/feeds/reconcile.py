"""Compares the books with a marketplace's open orders: after an unclean stop, and now and then."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

import httpx
from pydantic import Field

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.core.wire_words import no_answer
from packline.feeds.intake import FOREIGN, Intake, IntakeBooks, demand_same_sale
from packline.feeds.marketplace import OrderData, place_order
from packline.feeds.ports import InboxState
from packline.feeds.push import AlarmBell
from packline.feeds.reading import Door, check, read_json
from packline.orders.changes import is_begun
from packline.orders.model import Order, OrderState, PlaceOrder, Unit, UnitState
from packline.orders.policy import rule_for

log = logging.getLogger(__name__)

HOST_AWAY = 1021
ANSWER_S = 15.0
MOST_PAGES = 1000
MOST_PAGE_ORDERS = 500
MOST_PAGE_BYTES = 8 * 2**20
NOT_SHIPPED = frozenset({OrderState.RECEIVED, OrderState.RELEASED})


class Listed(Door):
    """An order as the host lists it, and how far the host believes us to be. It is read one by one: one bad, others good."""

    data: object
    fulfilment: Literal["none", "in_progress", "shipped"]


class Page(Door):
    """One page of the host's open orders."""

    orders: Annotated[list[Listed], Field(max_length=MOST_PAGE_ORDERS)]
    next: Annotated[int, Field(strict=True, ge=1)] | None = None


@dataclass(slots=True, kw_only=True)
class Findings:
    """What a comparison found, in order ids; `foreign` were worked by somebody the books do not know."""

    taken: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unreachable: str = ""


class Reconciler:
    """Asks one host for its open orders and mends what the books lack.

    What the host holds for untouched is taken in as if it had been posted. What it saw in work or shipped, while our
    books know nothing of that, was worked before an older backup was restored: it is set aside with exception 3016, and
    nobody works it before a person has looked.
    """

    def __init__(
        self,
        *,
        channel: str,
        url: str,
        secret: str,
        intake: Intake,
        books: IntakeBooks,
        bell: AlarmBell,
        http: httpx.AsyncClient,
        clock: Clock,
    ) -> None:
        self._channel, self._url, self._secret = channel, url, secret
        self._intake, self._books, self._bell, self._http, self._clock = intake, books, bell, http, clock

    async def run_once(self) -> Findings:
        """Compare everything once; an unreachable host raises an alarm and is said in the findings."""
        found = Findings()
        try:
            await self._pages(found)
        except Fault as fault:
            found.unreachable = fault.seen
            await self._bell.raise_alarm(fault, source=f"feed {self._channel}")
        else:
            await self._bell.clear_alarm(HOST_AWAY, source=f"feed {self._channel}")
        return found

    async def _pages(self, found: Findings) -> None:
        after = 0
        for _ in range(MOST_PAGES):
            page = await self._page(after)
            await self._compare(page.orders, found)
            if page.next is None or page.next <= after:
                return
            after = page.next

    async def _page(self, after: int) -> Page:
        try:
            body = await self._clock.within(ANSWER_S, self._get(after))
        except TimeoutError:
            raise self._silent(f"no answer within {ANSWER_S:.0f} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._silent(no_answer(error)) from error
        try:
            return check(read_json(body), Page)
        except Fault as fault:
            raise self._silent(f"a page with {fault.seen}, not {fault.expected}") from fault

    async def _get(self, after: int) -> bytes:
        headers = {"authorization": f"Bearer {self._secret}", "accept": "application/json"}
        request = self._http.build_request("GET", self._url, params={"after": after}, headers=headers, timeout=ANSWER_S)
        response = await self._http.send(request, stream=True, follow_redirects=False)
        try:
            return await self._body(response)
        finally:
            await response.aclose()

    async def _body(self, response: httpx.Response) -> bytes:
        if response.status_code != httpx.codes.OK:
            raise self._silent(f"status {response.status_code}")
        body = b""
        async for part in response.aiter_bytes():
            body += part
            if len(body) > MOST_PAGE_BYTES:
                raise self._silent(f"a page of more than {MOST_PAGE_BYTES} bytes")
        return body

    async def _compare(self, listed: Sequence[Listed], found: Findings) -> None:
        for entry in listed:
            try:
                new = place_order(self._channel, check(entry.data, OrderData))
                await self._one(new, entry.fulfilment, found)
            except Fault as fault:
                log.warning("reconcile %s: %s", self._channel, fault)
                found.refused.append(fault.where)

    async def _one(self, new: PlaceOrder, fulfilment: str, found: Findings) -> None:
        order = await self._books.order(new.order_id)
        if order is not None:
            demand_same_sale(order, new)
        if await self._is_foreign(order, fulfilment):
            await self._keep_off(new, order, fulfilment)
            found.foreign.append(new.order_id)
        elif order is None or new.version > order.content.version:
            taken = await self._intake.take(new)
            if taken.state is InboxState.DONE:
                found.taken.append(new.order_id)

    async def _is_foreign(self, order: Order | None, fulfilment: str) -> bool:
        """Tell whether the host saw more happen to an order than our books have; events leave only what is committed.

        What a person has looked at and released for the same reason is not asked about again.
        """
        if fulfilment == "none":
            return False
        if order is None:
            return True
        if order.state not in NOT_SHIPPED or order.reason == _aside_for(fulfilment):
            return False
        units = await self._books.units(order_id=order.order_id)
        parcels = await self._books.parcels(order_id=order.order_id)
        if fulfilment == "in_progress":
            return not (is_begun(units, parcels) or any(_was_touched(unit) for unit in units))
        return not any(parcel.place == "gone" for parcel in parcels)

    async def _keep_off(self, new: PlaceOrder, order: Order | None, fulfilment: str) -> None:
        """Ask first, then set aside: after a stop in between the next look does both again, and after both it finds nothing to do."""
        have = f"{order.state}" if order else "nothing"
        fault = Fault(
            FOREIGN,
            where=f"order {new.order_id}",
            seen=f"the host has it {fulfilment}, the books have {have}",
            expected="the same on both sides",
        )
        actions = [action.value for action in rule_for(FOREIGN).actions]
        await self._books.open_exception(fault, station=self._channel, subject=new.order_id, actions=actions)
        await self._bring_up(new, order)
        await self._intake.set_aside(new, _aside_for(fulfilment))

    async def _bring_up(self, new: PlaceOrder, order: Order | None) -> None:
        """Take what the host changed in the lost time too: it sends no version twice, and the order may be worked later."""
        if order is None or new.version <= order.content.version:
            return
        try:
            await self._intake.take(new)
        except Fault as fault:
            log.warning("reconcile %s: %s", self._channel, fault)

    def _silent(self, seen: str) -> Fault:
        return Fault(HOST_AWAY, where=f"feed {self._channel}", seen=seen, expected="a page of open orders")


def _aside_for(fulfilment: str) -> str:
    return f"host_has_{fulfilment}"


def _was_touched(unit: Unit) -> bool:
    """Tell whether the host heard of a piece from these very books: it was put back since, or was not at its place."""
    return bool(unit.station) or unit.state is UnitState.SHORT
