"""Works the inbox: what hosts and couriers sent becomes journal events; what cannot be followed waits in quarantine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.feeds.courier import read_delivery
from packline.feeds.intake import NOT_YET, Intake, IntakeBooks, Taken, Terms
from packline.feeds.marketplace import named, order_in, read_order, version_in
from packline.feeds.ports import Held, Inbox, InboxKind, InboxRow, InboxState
from packline.orders.policy import QUARANTINED, Action, rule_for
from packline.orders.ports import ABOUT_ALL, ABOUT_ONE, ExceptionRow

log = logging.getLogger(__name__)

BATCH_ROWS = 50
POLL_S = 0.5
SWEEP_S = 600.0
MOST_TRIES = 3
PATIENCE_S = 30.0
"""How long a delivery may be ahead of the gate, from the first time that this run looked at it."""
UNREADABLE = frozenset({4001, 4004})
"""Faults of a message that nobody can act on here: one row of the queue tells of all of a sender's."""


@dataclass(frozen=True, slots=True)
class _End:
    """How a row of the queue ended, and by whom."""

    action: str
    actor: str
    note: str


NO_ENDS: Mapping[str, _End] = {}


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
        self._holding = asyncio.Lock()
        self._tries: dict[int, int] = {}
        self._waiting: dict[int, float] = {}
        self._over: dict[str, dict[str, _End]] = {}
        """By sender and message: how what has left the quarantine ended."""

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
                    await self._sweep()
            except Fault as fault:
                log.warning("intake waits: %s", fault)
                worked = 0
            if not worked:
                await self._rest()

    async def work(self) -> int:
        """Look at every message that waits, batch after batch; gives how many found their end.

        A batch may be of messages that all have to wait (a courier is ahead of the gate): those behind it must not.
        """
        ended, last = 0, 0
        while rows := await self._inbox.pending(BATCH_ROWS, last):
            ended += sum([await self._one(row) for row in rows])
            last = rows[-1].id
            await self._close_over()
        return ended

    async def decide(self, row: ExceptionRow, *, action: str, actor: str, note: str = "") -> None:
        """Do what a person chose for a row of a feed: `retry` replays the message of a row about "inbox:<id>", `dismiss` takes
        what the row is about out of the quarantine; `shipped` ends the order that a row is about, `release` lets it be
        worked; anything else only closes the row."""
        found = row.subject.removeprefix(ABOUT_ONE)
        if action == Action.RETRY and found.isdigit():
            await self._inbox.replay(int(found))
            self.wake()
        if action == Action.DISMISS:
            async with self._holding:  # so that no message is held under a row that is being closed
                meant = [held.id for held in await self._inbox.quarantined() if _asks_about(row, held)]
                await self._inbox.dismiss(*meant, actor=actor, note=note)
                await self._books.close_exception(row.exception_id, action=action, actor=actor, note=note)
            return
        if action in (Action.RELEASE, Action.SHIPPED):
            await self.intake.settle_aside(row.subject, shipped=action == Action.SHIPPED, actor=actor)
        await self._books.close_exception(row.exception_id, action=action, actor=actor, note=note)

    async def dismiss(self, inbox_id: int, *, actor: str, note: str = "") -> None:
        """Take one message out of the quarantine, and the row of the queue that asks about it; raises Fault 4301."""
        if not await self._inbox.dismiss(inbox_id, actor=actor, note=note):
            raise Fault(4301, where=f"inbox {inbox_id}", seen="a message that is not in quarantine")
        await self._close_idle(_End(Action.DISMISS.value, actor, note))

    async def settle(self) -> None:
        """End the wait of messages whose order was taken in a later version since, by this door or by asking the host."""
        await self._settle()
        await self._close_over()

    async def _sweep(self) -> None:
        await self.intake.close_finished()
        await self.settle()
        # Rows of the queue that a stop left behind: their messages were taken, and they not yet closed.
        await self._close_idle(_End(Action.RETRY.value, "feed", "taken"))

    async def _settle(self, order_id: str = "") -> None:
        for held in await self._inbox.quarantined(f"order {order_id}"):
            number, version = version_in(str(held.fault.get("where", ""))) or ("", 0)
            order = await self._books.order(number) if number and order_id in ("", number) else None
            if order is not None and order.content.version > version:
                note = f"version {order.content.version} was taken"
                await self._inbox.mark(held.id, InboxState.IGNORED, note)
                self._leave(held, _End("superseded", f"feed {held.channel}", note))

    def _leave(self, held: Held, end: _End) -> None:
        self._over.setdefault(held.channel, {})[f"{ABOUT_ONE}{held.id}"] = end

    async def _close_over(self) -> None:
        """Close the rows of what has found its end since the last time, at once for many: each time looks at all that waits."""
        over, self._over = self._over, {}
        for channel, ends in over.items():
            *_, last = ends.values()
            await self._close_idle(last, channel, ends)

    async def _close_idle(self, last: _End, channel: str | None = None, ends: Mapping[str, _End] = NO_ENDS) -> None:
        """Close the rows of the queue (of one sender) whose messages have all left the quarantine, each by its own end or the `last`."""
        async with self._holding:
            asked = {key for held in await self._inbox.quarantined() for key in _keys(held)}
            for row in await self._books.open_exceptions(channel):
                is_ours = row.subject.startswith((ABOUT_ONE, ABOUT_ALL))
                if is_ours and asked.isdisjoint(((0, row.subject), (row.code, row.subject))):
                    end = ends.get(row.subject, last)
                    await self._books.close_exception(
                        row.exception_id, action=end.action, actor=end.actor, note=end.note
                    )

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
            # The text of an error is for the log; its name lets a reader of the log find the place.
            seen = f"an error of the program, {type(error).__name__}"
            return await self._failed(row, Fault(5001, where="message", seen=seen))
        self._forget(row)
        await self._inbox.mark(row.id, taken.state, taken.reason)
        if row.fault:
            self._leave(row, _End(Action.RETRY.value, f"{row.kind} {row.channel}", "taken"))
        return True

    async def _read(self, row: InboxRow) -> Taken:
        reader = self._readers.get(row.kind)
        if reader is None:
            raise Fault(4001, where="message", seen=f"a message by {row.kind}", expected="one of a feed or a courier")
        return await reader(row)

    async def _order(self, row: InboxRow) -> Taken:
        new = read_order(row.channel, row.body)
        try:
            taken = await self.intake.take(new)
        except Fault as fault:
            raise _at(fault, named(new.order_id, new.version)) from fault
        if taken.state is InboxState.DONE:
            await self._settle(new.order_id)
        return taken

    async def _delivery(self, row: InboxRow) -> Taken:
        return await self.intake.deliver(read_delivery(row.body), row.channel)

    async def _failed(self, row: InboxRow, fault: Fault) -> bool:
        """Try again what may pass by itself, a bounded number of times or seconds; quarantine the rest."""
        if self._may_pass(row, fault):
            return False
        self._forget(row)
        told = _at(fault, _name(row)) if fault.where == "message" else fault
        rule = rule_for(told.code) if told.code in UNREADABLE else QUARANTINED
        async with self._holding:
            await self._books.open_exception(
                told, station=row.channel, subject=_subject(row, told.code), actions=[a.value for a in rule.actions]
            )
            await self._inbox.mark(row.id, InboxState.QUARANTINED, told.text(), told.as_dict())
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


def _asks_about(row: ExceptionRow, held: Held) -> bool:
    """Tell whether a row of the queue is about a message, alone or among others."""
    return not _keys(held).isdisjoint(((0, row.subject), (row.code, row.subject)))


def _keys(held: Held) -> frozenset[tuple[int, str]]:
    """Give code (0: any) and subject of the rows that may be about a message."""
    code = int(held.fault.get("code", 0))
    return frozenset({(0, f"{ABOUT_ONE}{held.id}"), (code, _subject(held, code))})


def _subject(row: Held, code: int) -> str:
    return f"{ABOUT_ALL}{row.kind}:{row.channel}" if code in UNREADABLE else f"{ABOUT_ONE}{row.id}"


def _name(row: InboxRow) -> str:
    """Name the order of a message, or the message where it does not say of which order it is."""
    order = order_in(row.channel, row.body) if row.kind == InboxKind.FEED else ""
    return order or f"message {row.delivery_id}"


def _at(fault: Fault, where: str) -> Fault:
    return Fault(fault.code, where=where, seen=fault.seen, expected=fault.expected, remedy=fault.remedy)
