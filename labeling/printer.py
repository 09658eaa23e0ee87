"""Prints a label at most once and says what is proved of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from labeling.content import LabelContent
from labeling.dialogue import Dialogue
from labeling.drawing import draw
from labeling.drivers import escpos
from labeling.drivers.replies import Condition, ProcessDone, Reply, StatusBlock
from labeling.proof import INTERRUPTED, Counts, judge, process_number, was_interrupted
from labeling.transport import CONNECT_S, OpenPort
from packline.core.clock import Clock
from packline.core.effects import Effect, EffectState, Evidence, Ticket
from packline.core.faults import Fault
from packline.core.wire_words import no_answer

MOST_LOOKS = 10
"""How often moving counters are looked at before they are given up."""
SWALLOWED = "was_swallowed"
"""In the ticket of a job that was taken whole and never reported."""
SILENT = 2103
"""It takes data, but says nothing or does nothing."""

T = TypeVar("T")
Offload = Callable[..., Awaitable[Any]]
Typeset = Callable[[LabelContent, bytes], bytes]
"""Turns what stands on a label into a printer's job, which ends by reporting the four bytes of a process id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """The bounds of all waiting for a printer, in seconds.

    `finish_s`: from the last byte sent to the printer's word that the label is out. `poll_s`: how often a printer that
    prints is asked whether it still can. `answer_s`: for one answer; a counter waits behind at most one label.
    `settle_s`: two looks at the counters this far apart must agree before a label counts as not printed. `connect_s`: for a
    connection, by the clock of the port; a printer that does not take one is not reachable.
    """

    connect_s: float = CONNECT_S
    finish_s: float = 10.0
    poll_s: float = 0.5
    answer_s: float = 2.0
    settle_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PrinterStatus:
    """What a screen shows of a printer; `counter` counts cuts since it was built, None when it cannot be asked."""

    connected: bool = False
    online: bool = False
    paper: bool = False
    cover_open: bool = False
    error: bool = False
    silent: bool = False
    counter: int | None = None

    @classmethod
    def of(cls, condition: Condition, counter: int | None) -> PrinterStatus:
        """Give the screen's view of `condition`."""
        return cls(
            connected=True,
            online=not condition.offline,
            paper=not condition.paper_out,
            cover_open=condition.cover_open,
            error=condition.error,
            counter=counter,
        )


class LabelPrinter:
    """A Device for PRINT over ESC/POS; one connection, one job in flight. It never repeats anything by itself.

    `offload` runs `typeset` (default: `whole_job`) off the loop; hand in something inline where time is virtual.
    """

    def __init__(
        self,
        *,
        name: str,
        address: str,
        open_port: OpenPort,
        clock: Clock,
        rng: random.Random,
        offload: Offload = asyncio.to_thread,
        typeset: Typeset | None = None,
        waits: Waits = Waits(),  # noqa: B008 - frozen
    ) -> None:
        self.name = name
        self._address = address
        self._open_port = open_port
        self._clock = clock
        self._rng = rng
        self._offload = offload
        self._typeset = typeset or whole_job
        self._waits = waits
        self._dialogue: Dialogue | None = None
        self._counts_rows: bool | None = None
        self._busy = asyncio.Lock()
        self._last = PrinterStatus()

    def is_connected(self) -> bool:
        """Tell whether a connection is open; whether the other end still listens shows only when it is asked."""
        return self._dialogue is not None and not self._dialogue.is_spoilt

    async def status(self) -> PrinterStatus:
        """Ask the printer; while a job runs, the last known status is given instead. Raises nothing."""
        if self._busy.locked():
            return self._last
        async with self._busy:
            try:
                condition = await self._condition()
                counter = None if condition.offline else await self._talk(_cuts)
                self._last = PrinterStatus.of(condition, counter)
            except Fault as fault:
                self._last = PrinterStatus(silent=fault.code == SILENT)
        return self._last

    async def close(self) -> None:
        """Hang up."""
        async with self._busy:
            await self._hang_up()

    async def prepare(self, effect: Effect, job: int) -> Ticket:
        """Note the counters before the job; raises Fault 2101, 2102, 2103, 2106 or 1001 and prints nothing."""
        content = LabelContent.from_dict(effect.parameters)
        async with self._busy:
            condition = await self._condition()
            if condition.fault is not None:
                raise Fault(condition.fault, where=self.name, seen=condition.words(), expected="a ready printer")
            counts = await self._counts()
        extra = {
            "print_number": content.print_number,
            "counter_before": counts.cuts,
            "rows_before": counts.rows,
            "process_id": self._rng.randrange(escpos.PROCESS_IDS),
        }
        return Ticket(machine=self.name, job=job, extra=extra)

    async def send(self, effect: Effect, ticket: Ticket) -> Evidence:
        """Hand over the job in one piece and wait for the printer's word that it is printed.

        CONFIRMED only by the process id. NOT_EXECUTED only if no byte left. Everything else is UNKNOWN, with fault 2105
        when the printer stopped with the job inside: what comes out after a reload is the other part of two.
        """
        process_id = escpos.process_id(process_number(ticket))
        content = LabelContent.from_dict(effect.parameters)
        data = await self._offload(self._typeset, content, process_id)
        async with self._busy:
            try:
                dialogue = await self._connected()
            except Fault as fault:
                return _evidence(EffectState.NOT_EXECUTED, "printer link", fault.code)
            return await self._print(dialogue, data, process_id)

    async def inquire(self, effect: Effect, ticket: Ticket) -> Evidence:
        """Judge an old job by the printer's counters, which outlive its power, if perhaps not as they were when it went.

        A printer that says it is ready and does not say what it has counted waits with the job inside: half a label may keep its
        exit, after a stop that nobody saw. Once that is free the counters would prove the rest of the label.
        """
        async with self._busy:
            try:
                condition = await self._condition()
            except Fault as fault:
                return _evidence(EffectState.UNKNOWN, "printer link", fault.code)
            if condition.fault is not None:
                return _stopped({"says": condition.words()}, condition.fault)
            try:
                counts = await self._settled_counts(int(ticket.extra["counter_before"]))
            except Fault as fault:
                if fault.code == SILENT:
                    return _stopped({}, 2105 if was_interrupted(ticket) else SILENT)
                return _evidence(EffectState.UNKNOWN, "printer link", fault.code)
        evidence = judge(counts, ticket)
        if evidence.state is EffectState.NOT_EXECUTED and ticket.extra.get(SWALLOWED):
            # it took a whole job and counted nothing: somebody has to look, at the exit and at the printer
            return replace(evidence, state=EffectState.UNKNOWN, fault=SILENT)
        return evidence

    async def _print(self, dialogue: Dialogue, data: bytes, process_id: bytes) -> Evidence:
        try:
            dialogue.forget_changes()
            await dialogue.send(data)
            return await self._finished(dialogue, process_id)
        except TimeoutError:
            return replace(_evidence(EffectState.UNKNOWN, "printer silence", SILENT), remember={SWALLOWED: True})
        except OSError:
            return _evidence(EffectState.UNKNOWN, "printer link", 1001)

    async def _finished(self, dialogue: Dialogue, process_id: bytes) -> Evidence:
        due = self._clock.monotonic() + self._waits.finish_s
        while (left := due - self._clock.monotonic()) > 0:
            try:
                reply = await dialogue.next(min(left, self._waits.poll_s))
            except TimeoutError:
                trouble = (await dialogue.condition()).fault
            else:
                if isinstance(reply, ProcessDone) and reply.process_id == process_id:
                    return _evidence(EffectState.CONFIRMED, "process id")
                trouble = _trouble_in(reply)
            if trouble is not None:
                return _stopped({"cause": trouble}, 2105)
        raise TimeoutError

    async def _condition(self) -> Condition:
        return await self._talk(Dialogue.condition)

    async def _counts(self) -> Counts:
        cuts = await self._talk(_cuts)
        return Counts(cuts=cuts, rows=await self._rows())

    async def _rows(self) -> int | None:
        """Read the head's counter; a printer that has none is asked only once."""
        if self._counts_rows is False:
            return None
        try:
            rows = await self._talk(_rows)
        except Fault as fault:
            if self._counts_rows or fault.code != SILENT:
                raise
            self._counts_rows = False
            return None
        self._counts_rows = True
        return rows

    async def _settled_counts(self, cuts_before: int) -> Counts:
        """Read the counters until two readings agree; a cut settles it at once.

        Data of a lost connection may still be on its way to the head. Where the head is not counted, only a pause as
        long as any label takes tells a printer at rest from one that is printing.
        """
        before = await self._counts()
        for _ in range(MOST_LOOKS):
            if before.cuts != cuts_before:
                return before
            await self._clock.sleep(self._waits.finish_s if before.rows is None else self._waits.settle_s)
            now = await self._counts()
            if now == before:
                return now
            before = now
        raise Fault(SILENT, where=self.name, seen="counters that keep moving", expected="a printer at rest")

    async def _talk(self, question: Callable[[Dialogue], Awaitable[T]]) -> T:
        """Put a harmless question; a connection that died meanwhile is opened afresh once. Raises Fault 1001, 2103."""
        was_open = self.is_connected()
        dialogue = await self._connected()
        try:
            return await question(dialogue)
        except TimeoutError as error:
            raise Fault(SILENT, where=self.name, seen="silence", expected="an answer") from error
        except OSError as error:
            if was_open:
                return await self._talk(question)
            raise Fault(1001, where=f"{self.name} at {self._address}", seen=no_answer(error)) from error

    async def _connected(self) -> Dialogue:
        if self._dialogue is not None and not self._dialogue.is_spoilt:
            return self._dialogue
        await self._hang_up()
        port = self._open_port(self._address)
        try:
            await port.connect(self._waits.connect_s)
        except OSError as error:
            raise Fault(1001, where=f"{self.name} at {self._address}", seen=no_answer(error)) from error
        self._dialogue = Dialogue(port, self._clock, self._waits.answer_s)
        return self._dialogue

    async def _hang_up(self) -> None:
        dialogue, self._dialogue = self._dialogue, None
        if dialogue is not None:
            await dialogue.close()


def whole_job(content: LabelContent, process_id: bytes) -> bytes:
    """Draw a label and give the bytes that print it and then report `process_id`."""
    return escpos.job(draw(content), process_id)


async def _cuts(dialogue: Dialogue) -> int:
    return await dialogue.counter(escpos.CUT_COUNTER)


async def _rows(dialogue: Dialogue) -> int:
    return await dialogue.counter(escpos.HEAD_COUNTER)


def _trouble_in(reply: Reply) -> int | None:
    return Condition.from_block(reply).fault if isinstance(reply, StatusBlock) else None


def _stopped(data: dict[str, Any], fault: int) -> Evidence:
    """Say that the printer stopped, perhaps with the job inside; that is never forgotten of this job."""
    return Evidence(
        state=EffectState.UNKNOWN, source="printer status", data=data, fault=fault, remember={INTERRUPTED: True}
    )


def _evidence(state: EffectState, source: str, fault: int | None = None) -> Evidence:
    return Evidence(state=state, source=source, fault=fault)
