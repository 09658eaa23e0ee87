"""The bag sealer: hot jaws that close over what lies between them, and a stack light."""

from __future__ import annotations

from collections.abc import Mapping

import simpy

from plc.links import Value
from plc.machine_file import MachineFile
from simulation.machines.mechanics import Behaviour, Done, Mechanics, Move
from simulation.plant.things import Carton
from simulation.plant.world import World

ERROR_NO_BAG = 1
JAWS_CEL = 142.5


class BagSealer(Mechanics):
    """It seals what stands at its place, open or sealed."""

    def __init__(self, env: simpy.Environment, world: World, file: MachineFile, station: str, *, name: str) -> None:
        self._env, self._world, self._station, self._name = env, world, station, name
        self._seal_s = float(file.simulation.get("seal_s", 3.0))
        self._light_s = float(file.simulation.get("light_s", 0.1))
        self.lamp = 0

    def jobs(self) -> Mapping[str, Behaviour]:
        return {"seal": self._seal, "light": self._light}

    def tags(self) -> Mapping[str, Value]:
        return {"bag_present": self._carton() is not None, "guard_closed": True, "jaw_temp": JAWS_CEL}

    def _seal(self, _given: Mapping[str, int]) -> Move:
        yield self._env.timeout(self._seal_s)
        carton = self._carton()
        if carton is None:
            return Done(error=ERROR_NO_BAG)
        self._world.seal(carton, self._name)
        return Done()

    def _light(self, given: Mapping[str, int]) -> Move:
        yield self._env.timeout(self._light_s)
        self.lamp = given["lamp"]
        return Done()

    def _carton(self) -> Carton | None:
        return self._world.place(self._station).first
