"""The checkweigher: weighs the carton before it, compares it with its limits, pushes a wrong one off the line."""

from __future__ import annotations

from collections.abc import Mapping

import simpy

from plc.links import Value
from plc.machine_file import MachineFile
from simulation.machines.mechanics import Behaviour, Done, Mechanics, Move
from simulation.plant.things import Carton
from simulation.plant.world import UNBOUNDED, World

ERROR_NOTHING_THERE = 1
UPPER_KG = 60.0


class Checkweigher(Mechanics):
    """A scale knows no item: a carton weighs `carton_kg`, and `piece_kg` more for each piece in it."""

    def __init__(self, env: simpy.Environment, world: World, file: MachineFile, station: str, *, name: str) -> None:
        self._env, self._world, self._station = env, world, station
        self._figures = file.simulation
        self._limits: dict[str, Value] = {"limit_low": 0.0, "limit_high": UPPER_KG}
        self._weight_kg = 0.0
        self._is_weighing = False
        self._bin = world.add_place(f"reject:{name}", UNBOUNDED).name

    def jobs(self) -> Mapping[str, Behaviour]:
        return {"weigh": self._weigh, "eject": self._eject}

    def tags(self) -> Mapping[str, Value]:
        low, high = float(self._limits["limit_low"]), float(self._limits["limit_high"])
        return {
            "ready": True,
            "stable": not self._is_weighing,
            "on_scale": self._carton() is not None,
            "overweight": self._weight_kg > high,
            "underweight": self._weight_kg < low,
            "weight": self._weight_kg,
            "serial": str(self._figures.get("serial", "")),
            **self._limits,
        }

    def written(self, name: str, value: Value) -> None:
        if name in self._limits:
            self._limits[name] = value

    def _weigh(self, _given: Mapping[str, int]) -> Move:
        self._is_weighing = True
        try:
            yield self._env.timeout(float(self._figures.get("weigh_s", 1.0)))
        finally:
            self._is_weighing = False
        carton = self._carton()
        kg = (float(self._figures.get(name, 0.0)) for name in ("carton_kg", "piece_kg"))
        self._weight_kg = next(kg) + next(kg) * len(carton.pieces) if carton is not None else 0.0
        return Done()

    def _eject(self, _given: Mapping[str, int]) -> Move:
        yield self._env.timeout(float(self._figures.get("eject_s", 1.5)))
        carton = self._carton()
        if carton is None:
            return Done(error=ERROR_NOTHING_THERE)
        self._world.move(carton, self._bin)
        return Done()

    def _carton(self) -> Carton | None:
        return self._world.place(self._station).first
