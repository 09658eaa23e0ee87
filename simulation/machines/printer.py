"""A label printer that speaks ESC/POS: bytes in, label paper at the peel bar out, and honest answers about both."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, NamedTuple

import simpy

from labeling import raster
from simulation.machines.printer_status import Health, counter_reply, process_reply
from simulation.motion import Motion
from simulation.plant.world import World
from simulation.quirks import Quirks

DOTS_PER_MM = 8
ROWS_AT_ONCE = 64
"""Rows that are printed in one step of the simulation; finer is not seen by anybody."""
MOST_BUFFERED = 20_000
"""Commands and rows in the receive buffer; about thirty labels, then the peer has to wait."""
CUT_COUNTER, ROW_COUNTER = 50, 21
SAVES_EVERY_S = 120.0
"""Counters are written down so often, and fall back to that when the power goes (Epson's TM-T81: every two to four minutes)."""

Answer = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class _HangUp:
    """The peer went away; what it left unfinished will never come."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """A label that comes out again, though nobody sent it again."""

    dots: list[bytes]
    complete: bool


class _Order(NamedTuple):
    """One thing to do in turn, and whom to answer; each row of a label is one."""

    event: raster.Event | _HangUp | _Copy
    answer: Answer


class Printer:
    """One printer with a peel bar. It is a RawDevice.

    It prints the next label only when the last one has been taken off. A job that is cut off in the middle comes out as half a
    label. `cuts` and `rows` outlive its power as they were when they were last written down.
    """

    def __init__(
        self, name: str, world: World, motion: Motion, *, paper_labels: int, print_mm_per_s: float, quirks: Quirks
    ) -> None:
        self.name = name
        self.quirks = quirks
        self.paper_left = paper_labels
        self.cuts = 0
        self.rows = 0
        self._saved = (0, 0)
        self._saved_at = motion.env.now
        self._roll = paper_labels
        self._world, self._papers = world, world.papers
        self._motion = motion
        self._row_s = 1 / (DOTS_PER_MM * print_mm_per_s)
        self._reader = raster.RasterReader()
        self._orders: deque[_Order] = deque()
        self._answer: Answer | None = None
        self._auto_status = False
        self._on_paper: list[bytes] = []
        self._last: list[bytes] = []
        self._is_spoilt = False
        self._has_error = False
        self._roll_has_ended = False
        self._news = motion.env.event()
        self._told = self.health
        self._running: simpy.Process | None = None
        world.papers.at_peel.setdefault(name, None)

    @property
    def health(self) -> Health:
        """Give what its sensors say now."""
        return Health(
            cover_open="cover_open" in self.quirks,
            paper_out="paper_out" in self.quirks or self._roll_has_ended,
            error=self._has_error,
        )

    # -- power and hands -----------------------------------------------------------------------------------------------

    def power_on(self) -> None:
        """Start with an empty buffer."""
        self._running = self._motion.do(lambda: self._motion.env.process(self._run()))

    def power_off(self) -> None:
        """Cut the power: the buffer is lost, a label in the making stays half."""
        self._motion.do(self._lose_power)

    def load_paper(self) -> None:
        """Put a fresh roll in."""
        self.paper_left, self._roll_has_ended = self._roll, False
        self.quirks.off("paper_out")
        self.changed()

    def recover(self) -> None:
        """Clear an error at the printer's own panel."""
        self._has_error = False
        self.changed()

    def changed(self) -> None:
        """Look at the sensors again; tells the host if it asked to be told."""
        self._motion.do(self._wake)

    # -- the wire's side -----------------------------------------------------------------------------------------------

    def connected(self, answer: Answer) -> None:
        """Meet a peer."""
        self._answer = answer

    async def room(self) -> None:
        """Wait until the receive buffer has room."""
        while len(self._orders) > MOST_BUFFERED:
            await self._motion.until(lambda: self._news)

    def receive(self, data: bytes) -> None:
        """Take bytes; real-time commands are answered at once, also when busy or offline."""
        self._motion.do(lambda: self._receive(data))

    def disconnected(self) -> None:
        """Notice that the peer went."""
        self._motion.do(self._hang_up)

    def _receive(self, data: bytes) -> None:
        for event in self._reader.feed(data):
            if isinstance(event, raster.Row) and self._answer is not None and not self.quirks:
                self._orders.append(_Order(event, self._answer))
            elif isinstance(event, raster.RealTimeRequest):
                self._reply(self.health.real_time(event.n))
            elif isinstance(event, raster.AutoStatus):
                self._auto_status = event.n != 0
                self._reply(self.health.block() if self._auto_status else b"")
            elif isinstance(event, raster.Recover):
                self._has_error = False
                if event.n == 2:
                    self._orders.clear()
            elif not self._swallows(event) and self._answer is not None:
                self._orders.append(_Order(event=event, answer=self._answer))
        self._wake()

    def _swallows(self, event: raster.Event) -> bool:
        silent = "silent_accept" in self.quirks
        return silent and not isinstance(event, raster.CounterRequest | raster.StatusRequest)

    def _hang_up(self) -> None:
        self._reader = raster.RasterReader()
        self._answer = None
        self._auto_status = False
        self._orders.append(_Order(event=_HangUp(), answer=_nobody))
        self._wake()

    def _reply(self, data: bytes) -> None:
        if self._answer is not None and data and "mute" not in self.quirks:
            self._answer(data)

    def _wake(self) -> None:
        health = self.health
        if health != self._told:
            self._told = health
            self._reply(health.block() if self._auto_status else b"")
        news, self._news = self._news, self._motion.env.event()
        news.succeed()

    # -- the mechanics -------------------------------------------------------------------------------------------------

    def _run(self) -> Generator[simpy.Event, Any, None]:
        try:
            while True:
                self._feel_paper()
                if not self._orders or self.health.is_offline:
                    self._give_up_label_if_offline()
                    yield self._news
                    continue
                yield from self._do(self._orders.popleft())
        except simpy.Interrupt:
            return

    def _feel_paper(self) -> None:
        """Notice the end of the roll when it would be needed next: what belongs to the last label is still answered."""
        needs_paper = not self._orders or isinstance(self._orders[0].event, raster.Row)
        if self.paper_left <= 0 and needs_paper and not self._on_paper and not self._roll_has_ended:
            self._roll_has_ended = True
            self._wake()

    def _do(self, order: _Order) -> Generator[simpy.Event, Any, None]:
        event = order.event
        if isinstance(event, raster.Row):
            yield from self._print_rows(order)
        elif isinstance(event, raster.Feed):
            yield self._motion.env.timeout(event.dots * self._row_s)
        elif isinstance(event, raster.Cut):
            self._count(cuts=1)
            self._label_out()
        elif isinstance(event, _Copy):
            yield from self._print_copy(event)
        elif isinstance(event, _HangUp | raster.Initialize):
            self._is_spoilt = True
            self._label_out()
        else:
            self._answer_in_turn(order)

    def _answer_in_turn(self, order: _Order) -> None:
        event, data = order.event, b""
        if isinstance(event, raster.ProcessIdRequest):
            data = b"" if self.quirks.hits("unsaid") else process_reply(event.process_id)
        elif isinstance(event, raster.StatusRequest):
            data = self.health.transmitted(event.n)
        elif isinstance(event, raster.CounterRequest):
            data = counter_reply({CUT_COUNTER: self.cuts, ROW_COUNTER: self.rows}.get(event.counter, 0))
        if data and "mute" not in self.quirks:
            order.answer(data)

    def _print_rows(self, first: _Order) -> Generator[simpy.Event, Any, None]:
        while not self._on_paper and self._papers.at_peel[self.name] is not None:
            yield self._world.changed()
        batch = [first.event]
        while self._orders and isinstance(self._orders[0].event, raster.Row) and len(batch) < ROWS_AT_ONCE:
            batch.append(self._orders.popleft().event)
        yield self._motion.env.timeout(len(batch) * self._row_s)
        self._on_paper += [event.dots for event in batch if isinstance(event, raster.Row)]
        self._count(rows=len(batch))
        if self.quirks.hits("half_print"):
            self._break_down()

    def _count(self, *, cuts: int = 0, rows: int = 0) -> None:
        # what was due to be written down since is written now: nothing was counted meanwhile
        periods = (self._motion.env.now - self._saved_at) // SAVES_EVERY_S
        if periods:
            self._saved = (self.cuts, self.rows)
            self._saved_at += periods * SAVES_EVERY_S
        self.cuts += cuts
        self.rows += rows

    def _break_down(self) -> None:
        """Stop in mid-label with an error; the rest of the job is lost."""
        self._has_error = True
        while self._orders and not isinstance(self._orders[0].event, _HangUp):
            self._orders.popleft()
        self._is_spoilt = True
        self._label_out()
        self._wake()

    def _give_up_label_if_offline(self) -> None:
        """Let a begun label out when the paper ends or the cover opens: it will never be whole."""
        if self._on_paper and self.health.is_offline:
            self._is_spoilt = True
            self._label_out()
            self._is_spoilt = bool(self._orders)  # what is still buffered of it comes out as another piece

    def _label_out(self) -> None:
        dots, self._on_paper = self._on_paper, []
        spoilt, self._is_spoilt = self._is_spoilt, False
        if not dots:
            return
        is_copy = bool(self._last) and self.quirks.hits("previous")
        last, self._last = self._last, dots
        dots = last if is_copy else dots
        if self.quirks.hits("faded"):
            dots, spoilt = dots[: len(dots) // 2], True
        if "ribbon_out" in self.quirks or self.quirks.hits("unreadable"):
            dots = [bytes(len(row)) for row in dots]
        if self.quirks.hits("printed_twice"):
            self._orders.appendleft(_Order(event=_Copy(dots, complete=not spoilt), answer=_nobody))
        self.paper_left -= 1
        self._papers.come_out(self.name, raster.picture(dots), complete=not spoilt, is_copy=is_copy)

    def _print_copy(self, copy: _Copy) -> Generator[simpy.Event, Any, None]:
        while self._papers.at_peel[self.name] is not None:
            yield self._world.changed()
        yield self._motion.env.timeout(len(copy.dots) * self._row_s)
        self.paper_left -= 1
        self._papers.come_out(self.name, raster.picture(copy.dots), complete=copy.complete, is_copy=True)

    def _lose_power(self) -> None:
        if self._running is not None and self._running.is_alive:
            self._running.interrupt("power")
        self._running = None
        self._orders.clear()
        self._reader = raster.RasterReader()
        self._is_spoilt = True
        self._label_out()
        self._has_error = False
        self._count()
        self.cuts, self.rows = self._saved


def _nobody(_data: bytes) -> None:
    return None
