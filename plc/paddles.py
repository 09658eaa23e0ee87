"""Bidding paddles: tells every press once, in the order of the hub's own clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from packline.core.faults import Fault
from plc.machine_view import MachineView
from plc.plain_machine import PlainMachine

ROLL_OVER_MS = 2**32
MOST_PRESSES = 2**16
MOST_WAITING = 10_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """One press of a paddle (1 is the first). `number` counts this paddle's presses since the hub was switched on.

    `ended_ms` is the hub's clock when the paddle was let go, which orders presses; `at` is that moment by our clock. Of a press
    that was followed by another before the hub was read only the count is known: its moment is that of the later one, and
    force and duration are None.
    """

    paddle: int
    number: int
    ended_ms: int
    at: datetime
    force_n: float | None = None
    duration_ms: int | None = None


class PaddleHub(PlainMachine):
    """A plain machine whose file has `clock_ms`, and for paddle n `presses_n`, `force_n`, `duration_n` and `time_n`.

    Nothing is told of what was pressed before the first look. What is pressed while the hub is not reached is told when it is
    there again. The tags must come in one request, or presses of different paddles may be told out of order. Raises Fault 4201 for a
    file without `boot`: a hub that starts again would seem to have been pressed 65,000 times.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**given, on_change=self._take)
        if "boot" not in self.file.capability:
            where = f"{self.file.model} [capability]"
            raise Fault(4201, where=where, seen="no boot", expected="boot: the tag that counts the hub's starts")
        names = (name for name in self.file.tags if name.startswith("presses_"))
        self._paddles = sorted(int(name.removeprefix("presses_")) for name in names)
        self._counts: dict[int, int] = {}
        self._boot: int | None = None
        self._waiting: asyncio.Queue[Press] = asyncio.Queue(MOST_WAITING)

    async def presses(self) -> AsyncIterator[Press]:
        """Give presses for ever, in the order of the hub's clock; for one consumer."""
        while True:
            yield await self._waiting.get()

    def _take(self, view: MachineView) -> None:
        """Compare the counters with those of the last look."""
        tags = ["clock_ms", *(f"{name}_{paddle}" for name in ("presses", "time") for paddle in self._paddles)]
        if not view.is_good or not all(view.tags[tag].is_good for tag in tags):
            return
        counts = {paddle: _number(view, f"presses_{paddle}") for paddle in self._paddles}
        is_first, is_new = self._boot is None, self._boot != view.boot
        before = dict.fromkeys(counts, 0) if is_new else self._counts  # a hub that was switched on again counts from 0
        self._boot, self._counts = view.boot, counts
        if is_first:
            return
        found = [press for paddle in self._paddles for press in _pressed(view, paddle, before[paddle])]
        for press in sorted(found, key=lambda p: (p.at, p.paddle)):
            self._tell(press)

    def _tell(self, press: Press) -> None:
        if self._waiting.full():
            log.error("%s: nobody takes presses; one of paddle %s is dropped", self.name, press.paddle)
        else:
            self._waiting.put_nowait(press)


def _pressed(view: MachineView, paddle: int, before: int) -> list[Press]:
    """Give the presses of one paddle since it had counted `before`, oldest first; details are known of the last only."""
    count, ended_ms = _number(view, f"presses_{paddle}"), _number(view, f"time_{paddle}")
    read_at = view.tags["clock_ms"].at
    assert read_at is not None  # noqa: S101 - every good value has a time
    at = read_at - timedelta(milliseconds=(_number(view, "clock_ms") - ended_ms) % ROLL_OVER_MS)
    risen = (count - before) % MOST_PRESSES
    numbers = [(before + step) % MOST_PRESSES for step in range(1, risen + 1)]
    presses = [Press(paddle=paddle, number=number, ended_ms=ended_ms, at=at) for number in numbers[:-1]]
    if numbers:
        force, duration = view.tags[f"force_{paddle}"], view.tags[f"duration_{paddle}"]
        force_n = float(force.value) if force.is_good and force.value is not None else None
        duration_ms = int(duration.value) if duration.is_good and duration.value is not None else None
        last = Press(paddle=paddle, number=count, ended_ms=ended_ms, at=at, force_n=force_n, duration_ms=duration_ms)
        presses.append(last)
    return presses


def _number(view: MachineView, tag: str) -> int:
    value = view.tags[tag].value
    assert value is not None  # noqa: S101 - asked of good values only
    return int(value)
