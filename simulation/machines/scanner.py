"""Scanners: fixed ones read what stands before them, hand scanners what a person shows."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Literal

import simpy

from simulation.motion import Motion
from simulation.plant.things import Carton
from simulation.plant.world import World
from simulation.quirks import Quirks

READ_S = 0.3
"""Simulated time from arrival, or the trigger, to the read."""

Send = Callable[[str], None]
Tried = Callable[[str, bool], None]
"""Hears of every try: what stood before the scanner, and whether it was read."""


def misread(text: str, before: str, quirks: Quirks) -> list[str]:
    """Give what is sent of a code that was read after `before`: nothing, part of it, another, or more than it."""
    if not quirks:
        return [text]
    if quirks.hits("no_read"):
        return []
    if quirks.hits("fragment"):
        return [text[: (len(text) + 3) // 2]]
    if quirks.hits("wrong_read"):
        return [_another_digit(text)]
    if quirks.hits("multi_read"):
        return [text, text, text]
    return [text, before] if before and quirks.hits("ghost") else [text]


def _another_digit(text: str) -> str:
    """Change the digit before the last one, which a reader without a check takes for right."""
    at = max((n for n, letter in enumerate(text[:-1]) if letter.isdigit()), default=len(text) - 1)
    other = str((int(text[at]) + 3) % 10) if text[at].isdigit() else "?"
    return text[:at] + other + text[at + 1 :]


class HandScanner:
    """Reads what it is shown; with `no_read` on it beeps wrong and sends nothing."""

    def __init__(self, quirks: Quirks) -> None:
        self.quirks = quirks
        self.send: Send = _into_the_air
        self.tried: Tried = _to_nobody
        self._before = ""

    def show(self, text: str) -> None:
        """Read `text`, which carries its AIM prefix."""
        before, self._before = self._before, text
        sent = misread(text, before, self.quirks)
        self.tried(text, sent[:1] == [text])
        for one in sent:
            self.send(one)

    def trigger(self) -> None:
        """Ignore a trigger: nobody holds anything before it."""


class FixedScanner:
    """Reads the carton at a stop when it arrives and when it is triggered."""

    def __init__(
        self, world: World, motion: Motion, station: str, reads: Literal["plate", "label"], quirks: Quirks
    ) -> None:
        self.quirks = quirks
        self.send: Send = _into_the_air
        self._world = world
        self._motion = motion
        self._station = station
        self._reads = reads
        self._before = ""
        self.tried: Tried = _to_nobody
        world.on_arrival(station, self._arrived)

    def trigger(self) -> None:
        """Read again what stands there now."""
        self._motion.do(self._begin)

    def _arrived(self, _carton: Carton) -> None:
        self._begin()

    def _begin(self) -> None:
        self._motion.env.process(self._read())

    def _read(self) -> Generator[simpy.Event, Any, None]:
        yield self._motion.env.timeout(READ_S)
        carton = self._world.place(self._station).first
        if carton is None:
            return
        for text in self._texts(carton):
            before, self._before = self._before, text
            sent = misread(text, before, self.quirks)
            self.tried(text, sent[:1] == [text])
            for one in sent:
                self.send(one)

    def _texts(self, carton: Carton) -> list[str]:
        """Give what is legible; a scanner set to labels falls back to the plate of a carton without one."""
        codes = [f"]C100{stuck.label.sscc}" for stuck in carton.labels if stuck.label.sscc]
        return codes if codes and self._reads == "label" else [f"]C0{carton.lpn}"]


def _into_the_air(_text: str) -> None:
    return None


def _to_nobody(_what: str, _is_read: bool) -> None:
    return None
