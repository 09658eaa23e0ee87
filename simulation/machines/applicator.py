"""The applicator arm: takes the label at the printer's peel bar, tamps it on the carton, pushes the carton to a lane."""

from __future__ import annotations

from collections.abc import Mapping

import simpy

from plc.machine_file import MachineFile
from simulation.machines.mechanics import Behaviour, Done, Mechanics, Move
from simulation.plant.things import Carton, LabelPaper
from simulation.plant.world import World
from simulation.quirks import Quirks

ERROR_NO_LABEL, ERROR_NO_PARCEL, ERROR_LANE_FULL = 1, 3, 4
LANES = (1, 2, 3)


class Applicator(Mechanics):
    """An arm with a pad; what is on the pad is what it tamps, whoever put it there."""

    is_of_the_floor = True

    def __init__(
        self,
        env: simpy.Environment,
        world: World,
        file: MachineFile,
        station: str,
        *,
        name: str,
        printer: str,
        quirks: Quirks,
    ) -> None:
        self._env = env
        self._world, self._papers = world, world.papers
        self._station = station
        self._name = name
        self._printer = printer
        self._quirks = quirks
        times = file.simulation
        self._apply_s = float(times.get("apply_s", 2.5))
        self._eject_s = float(times.get("eject_s", 1.5))
        self._discard_s = float(times.get("discard_s", 1.5))
        self._pad: LabelPaper | None = None
        for lane in LANES:
            world.add_place(self._lane(lane), int(times.get("lane_capacity", 6)))

    def jobs(self) -> Mapping[str, Behaviour]:
        return {"apply": self._apply, "eject": self._eject, "discard": self._discard}

    def sense(self) -> Mapping[str, int]:
        full = {f"lane{lane}_full": int(self._world.place(self._lane(lane)).full) for lane in LANES}
        return {
            "parcel_present": int(self._world.place(self._station).first is not None),
            "label_at_peel": int(self._papers.at_peel.get(self._printer) is not None),
            "label_on_pad": int(self._pad is not None),
            **full,
        }

    def _apply(self, _given: Mapping[str, int]) -> Move:
        if self._world.place(self._station).first is None:
            yield self._env.timeout(self._apply_s * 0.1)
            return Done(error=ERROR_NO_PARCEL)
        yield self._env.timeout(self._apply_s * 0.3)
        if self._pad is None and "air_low" not in self._quirks:
            self._pad = self._papers.take(self._printer, to=f"pad:{self._name}")
        if self._pad is None:
            return Done(error=ERROR_NO_LABEL)
        yield self._env.timeout(self._apply_s * 0.4)
        carton = self._world.place(self._station).first
        if carton is None:
            return Done(error=ERROR_NO_PARCEL)
        label, self._pad = self._pad, None
        if self._quirks.hits("label_dropped"):
            self._papers.lose(label, by=self._name)  # blown off the pad: the arm feels nothing of it
        else:
            self._tamp(label, carton)
        yield self._env.timeout(self._apply_s * 0.3)
        return Done(results={"applied_count": 1})

    def _tamp(self, label: LabelPaper, carton: Carton) -> None:
        if self._quirks.hits("folded"):
            label.fold()
        twin = self._papers.copy(label) if self._quirks.hits("doubled") else None
        self._papers.stick(label, carton, by=self._name, spot=self._papers.arm_spot())
        if twin is not None:  # beside it: one that lies exactly on the other could be seen by nobody
            self._papers.stick(twin, carton, by=self._name)

    def _eject(self, given: Mapping[str, int]) -> Move:
        carton = self._world.place(self._station).first
        lane = self._lane(given["lane"] % len(LANES) + 1 if self._quirks.hits("wrong_lane") else given["lane"])
        yield self._env.timeout(self._eject_s * 0.5)
        if carton is None or carton is not self._world.place(self._station).first:
            return Done(error=ERROR_NO_PARCEL)
        if self._world.place(lane).full:
            return Done(error=ERROR_LANE_FULL)
        self._world.move(carton, lane)
        yield self._env.timeout(self._eject_s * 0.5)
        return Done(results={"lane": given["lane"]})

    def _discard(self, _given: Mapping[str, int]) -> Move:
        yield self._env.timeout(self._discard_s * 0.5)
        thrown = [label for label in (self._pad, self._papers.at_peel.get(self._printer)) if label is not None]
        self._pad = None
        for label in thrown:
            self._papers.discard(label)
        yield self._env.timeout(self._discard_s * 0.5)
        return Done(results={"discarded_count": len(thrown)})

    def _lane(self, number: int) -> str:
        return f"lane:{self._station}:{number}"
