"""Works the outbox: every subscriber gets every event until it has it, the events of one order in their order."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.feeds.circuit import Circuit
from packline.feeds.http import Carry
from packline.feeds.ports import Delivery, Outbox
from packline.feeds.sending import Answer, Sender, Subscriber
from packline.orders.policy import Action, rule_for
from packline.orders.ports import ExceptionRow

log = logging.getLogger(__name__)

LADDER_S = (1.0, 5.0, 30.0, 120.0, 600.0, 1800.0, 7200.0, 18000.0, 36000.0, 36000.0)
"""Pauses after the first, second, ... failure of an event; the last one repeats until GIVE_UP."""
JITTER = 0.25
GIVE_UP = timedelta(days=5)
BATCH_ROWS = 100
POLL_S = 0.5
MOST_AT_ONCE = 8
MOST_WAITING = 24
"""Streams of one subscriber under way; more are given back, so that a slow one never fills the house."""
CROWDED_S = 15.0


PARKED = "outbox:"
"""What the subject of a row about parked events begins with; the subscriber's name follows."""


class AlarmBell(Protocol):
    """Where people are told that a subscriber does not answer."""

    async def raise_alarm(self, fault: Fault, *, source: str) -> None: ...

    async def clear_alarm(self, code: int, *, source: str) -> None: ...


class PushDesk(AlarmBell, Protocol):
    """Where people are asked about events that were given up, too."""

    async def open_exception(
        self, fault: Fault, *, station: str, subject: str, actions: Collection[str], effect_id: str = ""
    ) -> str: ...

    async def close_exception(self, exception_id: str, *, action: str, actor: str, note: str = "") -> None: ...


class Pusher:
    """Pushes what is due; a slow or dead subscriber costs the others nothing.

    At least once: a stop between the answer and its note sends again, under the same webhook-id.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        subscribers: Iterable[Subscriber],
        desk: PushDesk,
        carry: Carry,
        clock: Clock,
        rng: random.Random,
        source: str,
        link_for: Callable[[str], str],
    ) -> None:
        self._outbox, self._desk, self._clock, self._rng = outbox, desk, clock, rng
        self._sender = Sender(carry=carry, clock=clock, source=source, link_for=link_for)
        self._subscribers = {subscriber.name: subscriber for subscriber in subscribers}
        self._circuits: dict[str, Circuit] = defaultdict(Circuit)
        self._rights = {name: asyncio.Semaphore(MOST_AT_ONCE) for name in self._subscribers}
        self._under_way: dict[str, int] = defaultdict(int)
        self._rungs: dict[tuple[str, str], int] = {}
        self._woken = asyncio.Event()
        self._parking = asyncio.Lock()
        """Held so that no event is parked under a row that is being closed."""

    def wake(self) -> None:
        """Look now instead of at the next poll."""
        self._woken.set()

    def circuit(self, subscriber: str) -> Circuit:
        """Give what is known of a subscriber's health."""
        return self._circuits[subscriber]

    async def run(self) -> None:
        """Push for ever; streams go side by side and nobody waits for the slowest."""
        async with asyncio.TaskGroup() as group:
            while True:
                # What is under way is bounded for each subscriber, not in all: a few slow ones would leave no room for the others.
                for stream in _streams(await self._claim(BATCH_ROWS)):
                    group.create_task(self._stream(stream)).add_done_callback(lambda _: self._woken.set())
                await self._rest()

    async def decide(self, row: ExceptionRow, *, action: str, actor: str, note: str = "") -> None:
        """Do what a person chose for a row about parked events: `retry` sends them again, anything else only closes the row."""
        name = row.subject.removeprefix(PARKED)
        async with self._parking:
            if action == Action.RETRY:
                self._circuits[name] = Circuit()
                await self._outbox.replay(to=name, parked_only=True)
            await self._desk.close_exception(row.exception_id, action=action, actor=actor, note=note)
        self.wake()

    async def _claim(self, room: int) -> Sequence[Delivery]:
        try:
            return await self._outbox.claim(self._clock.now(), room, without=self._left_in_peace())
        except Fault as fault:
            log.warning("outbox waits: %s", fault)
            return ()

    def _left_in_peace(self) -> list[str]:
        """Name the subscribers to whom nothing can be sent now: what is claimed for them would only be given back, again and
        again for thousands of orders, and before anything newer for the others."""
        now_s = self._clock.monotonic()
        return [
            name
            for name in self._subscribers
            if self._under_way[name] >= MOST_WAITING or self._circuits[name].waits_s(now_s)
        ]

    async def _rest(self) -> None:
        try:
            await self._clock.within(POLL_S, self._woken.wait())
        except TimeoutError:
            return
        self._woken.clear()

    async def _stream(self, deliveries: Sequence[Delivery]) -> None:
        """Push the events of one order to one subscriber in order; what goes wrong here stops no other stream."""
        name = deliveries[0].subscriber
        self._under_way[name] += 1
        try:
            await self._in_order(deliveries)
        except Fault as fault:
            log.warning("outbox waits: %s", fault)
        except Exception:  # the claim lapses and the events are due again
            log.exception("pushing to %s", name)
        finally:
            self._under_way[name] -= 1

    async def _in_order(self, deliveries: Sequence[Delivery]) -> None:
        due: datetime | None = None
        for delivery in deliveries:
            if due is None:
                due = await self._deliver(delivery)
            else:
                await self._outbox.failed(delivery.id, due, "waits for an earlier event of its order")

    async def _deliver(self, delivery: Delivery) -> datetime | None:
        """Push one event; gives when it is due again, None when it is over."""
        name = delivery.subscriber
        subscriber, circuit = self._subscribers.get(name), self._circuits[name]
        if subscriber is None or circuit.disabled:
            await self._park(delivery, "no such subscriber" if subscriber is None else "410: wants nothing more")
            return None
        if self._under_way[name] > MOST_WAITING:
            return await self._give_back(delivery, self._now_plus(CROWDED_S), "many others wait before it")
        async with self._rights[name]:
            if wait_s := circuit.waits_s(self._clock.monotonic()):
                due = self._clock.now() + timedelta(seconds=wait_s)
                return await self._give_back(delivery, due, "the subscriber does not answer")
            answer = await self._ask(subscriber, circuit, delivery)
        return await self._noted(subscriber, circuit, delivery, answer)

    async def _ask(self, subscriber: Subscriber, circuit: Circuit, delivery: Delivery) -> Answer:
        circuit.busy += 1
        try:
            return await self._sender.send(subscriber, delivery)
        finally:
            circuit.busy -= 1

    async def _noted(
        self, subscriber: Subscriber, circuit: Circuit, delivery: Delivery, answer: Answer
    ) -> datetime | None:
        if answer.ok:
            self._rungs.pop((delivery.subscriber, delivery.event_id), None)
            await self._outbox.sent(delivery.id)
            await self._recovered(subscriber, circuit)
            return None
        if answer.is_gone:
            circuit.disabled = True
            await self._tell(subscriber, circuit, answer)
            await self._park(delivery, answer.words)
            return None
        circuit.failed(self._clock.monotonic(), answer.retry_after_s)
        if circuit.is_open:
            await self._tell(subscriber, circuit, answer)
        return await self._again_later(delivery, circuit, answer)

    async def _again_later(self, delivery: Delivery, circuit: Circuit, answer: Answer) -> datetime | None:
        if delivery.attempts >= len(LADDER_S) and self._clock.now() - delivery.at > GIVE_UP:
            await self._park(delivery, answer.words)
            return None
        key = (delivery.subscriber, delivery.event_id)
        rung = self._rungs[key] = self._rungs.get(key, -1) + 1
        shut = timedelta(seconds=circuit.waits_s(self._clock.monotonic()))
        due = max(self._now_plus(LADDER_S[min(rung, len(LADDER_S) - 1)]), self._clock.now() + shut)
        return await self._give_back(delivery, due, answer.words)

    async def _give_back(self, delivery: Delivery, due: datetime, answer: str) -> datetime:
        await self._outbox.failed(delivery.id, due, answer)
        return due

    async def _park(self, delivery: Delivery, answer: str) -> None:
        self._rungs.pop((delivery.subscriber, delivery.event_id), None)
        log.warning("event %s for %s is parked: %s", delivery.event_id, delivery.subscriber, answer)
        # First the row, then the parking: a stop in between asks about an event that is parked a moment later.
        async with self._parking:
            await self._ask_person(delivery, answer)
            await self._outbox.parked(delivery.id, answer)

    async def _ask_person(self, delivery: Delivery, answer: str) -> None:
        name = delivery.subscriber
        fault = Fault(1008, where=f"subscriber {name}", seen=answer, expected="2xx within five days")
        actions = [action.value for action in rule_for(fault.code).actions]
        await self._desk.open_exception(fault, station=name, subject=f"{PARKED}{name}", actions=actions)

    async def _tell(self, subscriber: Subscriber, circuit: Circuit, answer: Answer) -> None:
        async with circuit.telling:
            if not circuit.told:
                log.warning("subscriber %s: %s", subscriber.name, answer.words)
                fault = Fault(1007, where=f"subscriber {subscriber.name}", seen=answer.words, expected="2xx")
                await self._desk.raise_alarm(fault, source=subscriber.name)
                circuit.told = True

    async def _recovered(self, subscriber: Subscriber, circuit: Circuit) -> None:
        circuit.worked()
        async with circuit.telling:
            if circuit.told is not False:
                log.info("subscriber %s answers", subscriber.name)
                await self._desk.clear_alarm(1007, source=subscriber.name)
                circuit.told = False

    def _now_plus(self, seconds: float) -> datetime:
        """Give now plus `seconds`, give or take a quarter: many events must not come back in one moment."""
        return self._clock.now() + timedelta(seconds=seconds * self._rng.uniform(1 - JITTER, 1 + JITTER))


def _streams(claimed: Sequence[Delivery]) -> list[list[Delivery]]:
    """Sort a batch into what must go one after the other: the events of one order to one subscriber."""
    streams: dict[tuple[str, str], list[Delivery]] = defaultdict(list)
    for delivery in sorted(claimed, key=lambda d: d.sequence):
        streams[delivery.subscriber, delivery.order_id].append(delivery)
    return list(streams.values())
