"""The turntable: turns to absolute angles, dims the camera's light."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import simpy

from plc.machine_file import MachineFile
from simulation.machines.mechanics import Behaviour, Done, Mechanics, Move
from simulation.plant.world import World

DDEG = 3600
"""Tenths of a degree in a full turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """A move from one angle by `by_ddeg` (-1800..1800), begun and due in simulated seconds."""

    start_ddeg: float
    by_ddeg: float
    begun: float
    due: float

    def at(self, now: float) -> float:
        """Give the angle at `now`."""
        share = 1.0 if now >= self.due else (now - self.begun) / (self.due - self.begun)
        return (self.start_ddeg + self.by_ddeg * share) % DDEG


class Turntable(Mechanics):
    """A table with a drive; its angle is also known while it turns."""

    is_of_the_floor = True

    def __init__(self, env: simpy.Environment, world: World, file: MachineFile, station: str) -> None:
        self._env = env
        self._world = world
        self._station = station
        self._turn_full_s = float(file.simulation.get("turn_full_s", 4.0))
        self._light_s = float(file.simulation.get("light_s", 0.1))
        self._turn = _Turn(start_ddeg=0.0, by_ddeg=0.0, begun=0.0, due=0.0)
        self.level_pct = 0
        world.tables.setdefault(station, None)

    @property
    def angle_deg(self) -> float:
        """Give the table's angle now, 0 to below 360."""
        return self._turn.at(self._env.now) / 10

    def jobs(self) -> Mapping[str, Behaviour]:
        return {"turn": self._to_angle, "light": self._light}

    def sense(self) -> Mapping[str, int]:
        return {
            "item_present": int(self._world.tables[self._station] is not None),
            "in_position": int(self._env.now >= self._turn.due),
            "angle_ddeg": round(self.angle_deg * 10) % DDEG,
            "level_pct": self.level_pct,
        }

    def _to_angle(self, given: Mapping[str, int]) -> Move:
        here = self._turn.at(self._env.now)
        by = (given["angle_deg"] - here) % DDEG
        by = by if by <= DDEG / 2 else by - DDEG  # the shorter way round
        duration = self._turn_full_s * abs(by) / DDEG
        self._turn = _Turn(start_ddeg=here, by_ddeg=by, begun=self._env.now, due=self._env.now + duration)
        try:
            yield self._env.timeout(duration)
        except simpy.Interrupt:
            stopped = self._turn.at(self._env.now)
            self._turn = _Turn(start_ddeg=stopped, by_ddeg=0.0, begun=self._env.now, due=self._env.now)
            raise
        return Done(results={"angle_ddeg": round(self.angle_deg * 10) % DDEG})

    def _light(self, given: Mapping[str, int]) -> Move:
        yield self._env.timeout(self._light_s)
        self.level_pct = given["level_pct"]
        return Done()
