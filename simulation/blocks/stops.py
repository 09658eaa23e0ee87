"""What stops a machine, and by which clock: failures by time, by working time, by cycles; a change of reels likewise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from simulation.blocks.draws import Distribution, Draw
from simulation.blocks.floor import FAILS, Due, Floor

Clock = Literal["time", "busy", "cycles"]
After = Literal["resume", "repeat", "restart", "scrap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLaw:
    """One way in which a machine stops.

    `by`: `time` runs whenever the machine is not down, `busy` only while it works, `cycles` counts pieces: after that
    many the machine stops when it would begin the next. `last_s`: how long it is down. `after`: what becomes of the
    piece in work: the rest is done (`resume`), all of it again with the same time (`repeat`) or a new one (`restart`),
    or it is spoiled (`scrap`). `is_setup` counts the time as setup. `is_passed_on`: the piece goes back to the head of
    the queue, for another channel to take. `needs_crew`: a person is needed for all of it. `is_whole`: one clock (by time)
    for all channels, which stop together. `name` is that of its streams of random numbers; without one its place among the
    stops is: what is named keeps its luck when there is one stop more.
    """

    by: Clock
    until: Distribution
    last_s: Distribution
    after: After = "resume"
    is_setup: bool = False
    is_passed_on: bool = False
    needs_crew: bool = False
    is_whole: bool = False
    name: str = ""


class Stop:
    """One way to stop, at one channel: the clock until it happens next."""

    __slots__ = ("_due", "_floor", "_on_time", "draw_last", "_draw_until", "law", "left")

    def __init__(self, floor: Floor, name: str, law: StopLaw, on_time: Callable[[Stop], None]) -> None:
        self.law = law
        self._floor = floor
        self._draw_until: Draw = floor.draw(f"{name}.until", law.until)
        self.draw_last: Draw = floor.draw(f"{name}.last", law.last_s)
        self._on_time = on_time
        self._due: Due | None = None
        self.left = self._draw_until()
        """Seconds, or cycles, until it happens; of a clock by time only while it is paused."""

    def renew(self) -> None:
        """Draw when it happens next."""
        self.left = self._draw_until()

    def run(self) -> None:
        """Let a clock by time run."""
        if self.law.by == "time" and self._due is None:
            self._due = self._floor.after(self.left, self._strike, FAILS)

    def pause(self) -> None:
        """Hold a clock by time: a machine that is down does not fail again."""
        if self._due is not None:
            self._due.cancel()
            self.left = max(0.0, self._due.at - self._floor.env.now)
            self._due = None

    def _strike(self, _due: Due) -> None:
        self._due = None
        self._on_time(self)
