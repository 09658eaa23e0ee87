"""Works the inbox: what hosts and couriers sent becomes journal events; what cannot be followed waits in quarantine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.feeds.courier import read_delivery
from packline.feeds.intake import NOT_YET, Intake, IntakeBooks, Taken, Terms
from packline.feeds.marketplace import named, read_order
from packline.feeds.ports import Inbox, InboxKind, InboxRow, InboxState
from packline.orders.model import PlaceOrder
from packline.orders.policy import Action
from packline.orders.ports import ExceptionRow

log = logging.getLogger(__name__)

BATCH_ROWS = 50
POLL_S = 0.5
SWEEP_S = 600.0
MOST_TRIES = 3
MOST_OLDER = 1000
"""Versions back that a newer one makes out of date."""
PATIENCE_S = 30.0
"""How long a delivery may be ahead of the gate, from the first time that this run looked at it."""
QUARANTINE_ACTIONS = (Action.RETRY.value, Action.DISMISS.value)


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
        self._waiting: dict[int, float] = {}

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

    async def decide(self, row: ExceptionRow, *, action: str, actor: str, note: str = "") -> None:
        """Do what a person chose for a row of a feed: `retry` replays the message of a row about "inbox:<id>"; `shipped` ends
        the order that a row is about, `release` lets it be worked; anything else only closes the row."""
        found = row.subject.removeprefix("inbox:")
        if action == Action.RETRY and found.isdigit():
            await self._inbox.replay(int(found))
            self.wake()
        if action in (Action.RELEASE, Action.SHIPPED):
            await self.intake.settle_aside(row.subject, shipped=action == Action.SHIPPED, actor=actor)
        await self._books.close_exception(row.exception_id, action=action, actor=actor, note=note)

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
        self._forget(row)
        await self._inbox.mark(row.id, taken.state, taken.reason)
        return True

    async def _read(self, row: InboxRow) -> Taken:
        reader = self._readers.get(row.kind)
        if reader is None:
            raise Fault(4001, where=f"message {row.id}", seen=row.kind, expected=" | ".join(self._readers))
        return await reader(row)

    async def _order(self, row: InboxRow) -> Taken:
        new = read_order(row.channel, row.body)
        try:
            taken = await self.intake.take(new)
        except Fault as fault:
            raise _at(fault, named(new.order_id, new.version)) from fault
        if taken.state is InboxState.DONE:
            await self._overtake(row, new)
        return taken

    async def _delivery(self, row: InboxRow) -> Taken:
        return await self.intake.deliver(read_delivery(row.body), row.channel)

    async def _failed(self, row: InboxRow, fault: Fault) -> bool:
        """Try again what may pass by itself, a bounded number of times or seconds; quarantine the rest."""
        if self._may_pass(row, fault):
            return False
        self._forget(row)
        told = _at(fault, f"message {row.delivery_id}") if fault.where == "message" else fault
        await self._books.open_exception(
            told, station=row.channel, subject=f"inbox:{row.id}", actions=QUARANTINE_ACTIONS
        )
        await self._inbox.mark(row.id, InboxState.QUARANTINED, told.text())
        return True

    def _forget(self, row: InboxRow) -> None:
        self._tries.pop(row.id, None)
        self._waiting.pop(row.id, None)

    def _may_pass(self, row: InboxRow, fault: Fault) -> bool:
        if fault.code == NOT_YET:
            # The courier may be faster than a controller that was just restarted, or long away, at the gate.
            first_at = self._waiting.setdefault(row.id, self._clock.monotonic())
            return self._clock.monotonic() - first_at < PATIENCE_S
        if fault.code < 5000:
            return False
        self._tries[row.id] = self._tries.get(row.id, 0) + 1
        return self._tries[row.id] < MOST_TRIES

    async def _overtake(self, row: InboxRow, new: PlaceOrder) -> None:
        """Close what waited in quarantine of older versions of this order: one that could be followed has come."""
        older = {named(new.order_id, version) for version in range(max(1, new.version - MOST_OLDER), new.version)}
        for waiting in await self._books.open_exceptions(row.channel):
            if waiting.subject.startswith("inbox:") and waiting.fault.get("where") in older:
                note = f"version {new.version} was taken"
                await self._books.close_exception(
                    waiting.exception_id, action="superseded", actor=f"feed {row.channel}", note=note
                )


def _at(fault: Fault, where: str) -> Fault:
    return Fault(fault.code, where=where, seen=fault.seen, expected=fault.expected, remedy=fault.remedy)
