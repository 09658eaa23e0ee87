"""The packaging machine: seals the carton at its stop and lets sealed ones go on the outfeed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import simpy

from plc.machine_file import MachineFile
from simulation.machines.mechanics import Behaviour, Doing, Done, Mechanics, Move
from simulation.plant.world import World

ERROR_NO_CARTON = 1
SEALED_AT = 0.6
"""Share of the cycle after which the tape is on."""


class Packer(Mechanics):
    """A sealer. Its belts run only in Execute: a sealed carton then leaves by itself as soon as the outfeed has room."""

    is_of_the_floor = True

    def __init__(
        self,
        env: simpy.Environment,
        world: World,
        file: MachineFile,
        station: str,
        *,
        name: str,
        feeds: str,
        convey_s: float,
    ) -> None:
        self._env = env
        self._world = world
        self._station = station
        self._name = name
        self._outfeed = f"infeed:{feeds}" if feeds else ""
        self._convey_s = convey_s
        self._seal_s = float(file.simulation.get("seal_s", 5.0))
        self._sealed_count = 0

    def jobs(self) -> Mapping[str, Behaviour]:
        return {"seal": self._seal}

    def sense(self) -> Mapping[str, int]:
        carton = self._world.place(self._station).first
        return {
            "carton_present": int(carton is not None),
            "carton_closed": int(carton is not None and carton.closed),
            "outfeed_full": int(bool(self._outfeed) and self._world.place(self._outfeed).full),
        }

    def by_itself(self, runs: Callable[[], bool]) -> Doing:
        """Move sealed cartons on."""
        while self._outfeed:
            carton = self._world.place(self._station).first
            if carton is None or not carton.closed:
                yield self._world.changed()
                continue
            yield self._env.timeout(self._convey_s)
            still_there = carton is self._world.place(self._station).first
            if still_there and runs() and not self._world.place(self._outfeed).full:
                self._world.move(carton, self._outfeed)

    def _seal(self, _given: Mapping[str, int]) -> Move:
        carton = self._world.place(self._station).first
        if carton is None:
            yield self._env.timeout(self._seal_s * 0.2)
            return Done(error=ERROR_NO_CARTON)
        yield self._env.timeout(self._seal_s * SEALED_AT)
        if carton is not self._world.place(self._station).first:
            return Done(error=ERROR_NO_CARTON)
        self._sealed_count += 1
        self._world.seal(carton, self._name)
        yield self._env.timeout(self._seal_s * (1 - SEALED_AT))
        return Done(results={"sealed_count": self._sealed_count})
