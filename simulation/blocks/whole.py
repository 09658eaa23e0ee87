"""Failures of a machine as a whole: one clock, and all of its channels stop together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from simulation.blocks.channel import Channel
from simulation.blocks.conduct import Conduct
from simulation.blocks.floor import Due, Floor
from simulation.blocks.stops import Stop, StopLaw


class Many(Protocol):
    """What has channels."""

    name: str
    floor: Floor
    conduct: Conduct
    channels: list[Channel]


class Whole:
    """Stops every channel of a server when its clock says so, and lets them go on together. `down`: what has it down."""

    def __init__(self, server: Many, laws: Sequence[StopLaw]) -> None:
        self._server = server
        self.down: Stop | None = None
        self._stops = [Stop(server.floor, f"{server.name}.whole{n}", law, self._fail) for n, law in enumerate(laws)]
        self._run()

    def _run(self) -> None:
        for stop in self._stops:
            stop.run()

    def _fail(self, stop: Stop) -> None:
        for one in self._stops:
            one.pause()
        self.down = stop
        for channel in self._server.channels:
            channel.fall(stop)
        crew = self._server.conduct.crew
        if not stop.law.needs_crew or crew is None or crew.ask(self):
            self.granted()

    def granted(self) -> None:
        """Begin the repair: an operator is here, or none is needed."""
        assert self.down is not None  # only asked for what is down  # noqa: S101
        self._server.floor.after(self.down.draw_last(), self._repaired)

    def _repaired(self, _due: Due) -> None:
        stop, self.down = self.down, None
        assert stop is not None  # noqa: S101
        stop.renew()
        self._run()
        for channel in self._server.channels:
            channel.rise(stop)
        if stop.law.needs_crew and self._server.conduct.crew is not None:
            self._server.conduct.crew.release()
