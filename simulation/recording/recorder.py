"""Listens to a plant while a shift is played. It looks only when something has changed, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from simulation.hall import AnyMachine, Hall
from simulation.machines.ears import Ears
from simulation.misbehave import Misbehaviour
from simulation.plant.truth import Fact
from simulation.plant.world import World
from simulation.recording.conditions import state_of
from simulation.recording.rows import FaultRow, Jobs, MachineRow, ScannerRow, State
from simulation.spec import MachineSpec

PLANNED = {"release": ("open_s", "pass_s")}
"""Keys of [simulation] whose sum is the time of a job, where that is not the one key of its name."""
DIGITS = 2
MOST_STRIKES = 100
"""So many strikes of one fault are noted: a line with a bad link has thousands."""
KILL = ("controller", "kill")
"""Of this death the shift tells as of the others."""


class Plant(Protocol):
    """A twin, as far as it is listened to."""

    @property
    def hall(self) -> Hall: ...

    @property
    def misbehaviour(self) -> Misbehaviour: ...


class Recorder:
    """`attach` before the plant is switched on; what it heard is asked for when the shift is over."""

    def __init__(self) -> None:
        self._machines: list[_Machine] = []
        self._scanners: dict[str, _Scanner] = {}
        self._faults: list[FaultRow] = []
        self._now: Callable[[], float] = float

    def attach(self, plant: Plant) -> None:
        """Listen to every machine, scanner and switch of a plant."""
        hall = plant.hall
        self._now = hall.now
        for spec in hall.spec.machines:
            watch = _Machine(spec, hall.machines[spec.name], hall.world, hall.now)
            hall.machines[spec.name].ears = watch
            self._machines.append(watch)
        hall.world.on_change(self._look)
        for name, scanner in hall.scanners.items():
            self._scanners[name] = _Scanner()
            scanner.tried = self._scanners[name].tried
        plant.misbehaviour.heard = self._fault
        plant.misbehaviour.struck = self._strike

    def struck(self, device: str, fault: str) -> None:
        """Note what no switch makes and is over in a moment: the death of a controller, a commit that fails."""
        at_s = _second(self._now())
        self._faults.append(FaultRow(at_s=at_s, device=device, fault=fault, until_s=at_s))

    def machines(self, facts: list[Fact]) -> tuple[MachineRow, ...]:
        """Give a row for each machine; `facts` tell what of its work did not last."""
        return tuple(watch.row(facts) for watch in self._machines)

    def scanners(self) -> tuple[ScannerRow, ...]:
        """Give a row for each scanner."""
        return tuple(scanner.row(name) for name, scanner in self._scanners.items())

    def faults(self) -> tuple[FaultRow, ...]:
        """Give what was made to go wrong, in the order in which it began."""
        return tuple(self._faults)

    def _look(self) -> None:
        for watch in self._machines:
            watch.looked()

    def _fault(self, device: str, fault: str, is_on: bool) -> None:
        if (device, fault) == KILL:
            return
        at_s = _second(self._now())
        if is_on:
            self._faults.append(FaultRow(at_s=at_s, device=device, fault=fault))
            return
        if (n := self._open_fault(device, fault)) is not None:
            self._faults[n] = self._faults[n].model_copy(update={"until_s": at_s})

    def _strike(self, device: str, fault: str, is_last: bool) -> None:
        if (n := self._open_fault(device, fault)) is None:
            return
        row, at_s = self._faults[n], _second(self._now())
        update: dict[str, object] = {"until_s": at_s} if is_last else {}
        if len(row.strikes) < MOST_STRIKES:
            update["strikes"] = (*row.strikes, at_s)
        if update:
            self._faults[n] = row.model_copy(update=update)

    def _open_fault(self, device: str, fault: str) -> int | None:
        """Give the number of the fault's last row, if it has no end yet."""
        for n in reversed(range(len(self._faults))):
            row = self._faults[n]
            if (row.device, row.fault, row.until_s) == (device, fault, None):
                return n
        return None


class _Machine(Ears):
    """One machine's states and jobs."""

    def __init__(self, spec: MachineSpec, machine: AnyMachine, world: World, now: Callable[[], float]) -> None:
        self._spec, self._now = spec, now
        place = spec.at or f"beside:{spec.name}"
        self._state_of: Callable[[], State] = partial(state_of, machine, world, place)
        self._states: list[tuple[float, State]] = [(_second(now()), "down")]
        self._jobs: dict[str, list[float]] = {}

    def looked(self) -> None:
        state = self._state_of()
        if state == self._states[-1][1]:
            return
        at_s = _second(self._now())
        if self._states[-1][0] == at_s:
            self._states.pop()  # nothing lasts no time
        if not self._states or self._states[-1][1] != state:
            self._states.append((at_s, state))

    def ended(self, kind: str, took_s: float, error: int | None) -> None:
        counts = self._jobs.setdefault(kind, [0, 0, 0, 0.0])
        counts[2 if error is None else 1 if error else 0] += 1
        counts[3] += took_s if error == 0 else 0.0
        self.looked()

    def row(self, facts: list[Fact]) -> MachineRow:
        file = self._spec.file
        jobs = {
            kind: Jobs(
                well=int(well),
                failed=int(failed),
                stopped=int(stopped),
                took_s=_second(took_s),
                planned_s=_planned(kind, file.simulation),
            )
            for kind, (well, failed, stopped, took_s) in self._jobs.items()
        }
        return MachineRow(
            name=self._spec.name,
            model=file.machine.model,
            station=self._spec.at,
            states=tuple(self._states),
            jobs=jobs,
            undone=_undone(self._spec.name, facts),
        )


class _Scanner:
    """One scanner's tries. Who shows the same thing again after it was not read tries again."""

    def __init__(self) -> None:
        self._first = self._read = self._again = 0
        self._last = ""

    def tried(self, what: str, is_read: bool) -> None:
        """Take one try."""
        if what == self._last:
            self._again += 1
        else:
            self._first += 1
            self._read += is_read
        self._last = what

    def row(self, name: str) -> ScannerRow:
        return ScannerRow(name=name, first=self._first, read=self._read, again=self._again)


def _planned(kind: str, times: object) -> float | None:
    keys = PLANNED.get(kind, (f"{kind}_s",))
    if not isinstance(times, dict) or any(key not in times for key in keys):
        return None
    return sum(float(times[key]) for key in keys)


def _undone(machine: str, facts: list[Fact]) -> int:
    """Count the seals that were put on a sealed carton or cut open again, and the jobs with labels that were whole and right no
    longer, or never, or that fell off the arm while it felt nothing of it."""
    sealed: set[str] = set()
    labelled: dict[tuple[str, int], float] = {}
    bad: set[float] = set()
    """When the labels of a job were stuck: two of one job, one on the other, are one bad job."""
    found = 0
    for fact in facts:
        data = fact.data
        match fact.name:
            case "sealed":
                found += data["by"] == machine and data["lpn"] in sealed
                sealed.add(data["lpn"]) if data["by"] == machine else None
            case "cut_open":
                found += data["lpn"] in sealed
                sealed.discard(data["lpn"])
            case "label_applied" if data["by"] == machine:
                labelled[data["lpn"], data["label"]] = fact.sim_s
                if not data["complete"] or data["label_lpn"] != data["lpn"]:
                    bad.add(fact.sim_s)
            case "label_lost" if data["by"] == machine:
                bad.add(fact.sim_s)
            case "label_removed":
                stuck_at = labelled.pop((data["lpn"], data["label"]), None)
                bad |= set() if stuck_at is None else {stuck_at}
    return found + len(bad)


def _second(value: float) -> float:
    return round(float(value), DIGITS)
