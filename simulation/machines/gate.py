"""The courier gate: opens for one parcel, counts it through a light curtain, shows a lamp."""

from __future__ import annotations

from collections.abc import Mapping

import simpy

from plc.machine_file import MachineFile
from simulation.machines.mechanics import Behaviour, Done, Mechanics, Move
from simulation.plant.world import World

ERROR_NOBODY_PASSED = 1


class Gate(Mechanics):
    """A gate with a stop before it; what stands there when it opens rolls out of the door."""

    is_of_the_floor = True

    def __init__(self, env: simpy.Environment, world: World, file: MachineFile, station: str) -> None:
        self._env = env
        self._world = world
        self._station = station
        self._open_s = float(file.simulation.get("open_s", 1.0))
        self._pass_s = float(file.simulation.get("pass_s", 2.0))
        self._light_s = float(file.simulation.get("light_s", 0.1))
        self._is_open = False
        self._passed = 0
        self.lamp = 0

    def jobs(self) -> Mapping[str, Behaviour]:
        return {"release": self._release, "light": self._light}

    def sense(self) -> Mapping[str, int]:
        return {
            "parcel_present": int(self._world.place(self._station).first is not None),
            "gate_open": int(self._is_open),
            "lamp": self.lamp,
            "passed_total": self._passed & 0xFFFF,
        }

    def _release(self, _given: Mapping[str, int]) -> Move:
        yield self._env.timeout(self._open_s)
        self._is_open = True
        try:
            yield self._env.timeout(self._pass_s)
            carton = self._world.place(self._station).first
            if carton is None:
                return Done(results={"passed_count": 0}, error=ERROR_NOBODY_PASSED)
            self._passed += 1
            self._world.leave(carton)
        finally:
            self._is_open = False  # a spring closes it, with or without power
        return Done(results={"passed_count": 1})

    def _light(self, given: Mapping[str, int]) -> Move:
        yield self._env.timeout(self._light_s)
        self.lamp = given["lamp"]
        return Done()
