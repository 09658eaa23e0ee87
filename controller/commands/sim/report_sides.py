"""What a report is of: recordings that were kept and shifts that are to be played, looked at before any is played."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from controller.commands.sim.recorded import hash_of
from controller.commands.sim.scenario import demand_orders, known_of, load_scenario, site_path
from controller.commands.sim.scenario_file import Scenario, ShiftPart
from controller.commands.sim.telling import demand_shift, is_scenario
from controller.site_file import load_site
from controller.sites import find_site
from packline.core.faults import Fault
from simulation.recording.files import is_recording, read
from simulation.recording.rows import Recording

REMEDY = (
    "Give recordings of one scenario, each with a seed of its own, and what it is to be compared with as --against."
)
TURNS = ("first", "second")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One shift that is to be played, and the hash of all that is played but for the seed."""

    path: Path
    scenario: Scenario
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One side of a report, of which some shifts may still have to be played."""

    name: str
    shifts: Sequence[Recording | Work]

    @property
    def works(self) -> list[Work]:
        """List what is to be played."""
        return [shift for shift in self.shifts if isinstance(shift, Work)]


def planned(sides: Sequence[Sequence[Path]], chosen: argparse.Namespace) -> list[Planned]:
    """Say what each side is of; raises Fault 4201 for shifts that do not belong together, FileFaults for files that are wrong."""
    kept = {path: read(path) for paths in sides for path in paths if is_recording(path)}
    found, seed = [], chosen.seed
    for name, paths in zip(_names(sides), sides, strict=True):
        shifts = [shift for path in paths for shift in _shifts(path, kept, chosen, seed)]
        _demand_together(paths, shifts)
        # common random numbers: what is played against it has the seeds of the first side
        seed = _seed(shifts[0]) if seed is None else seed
        found.append(Planned(name=name, shifts=shifts))
    return found


def _shifts(
    path: Path, kept: Mapping[Path, Recording], chosen: argparse.Namespace, seed: int | None
) -> Sequence[Recording | Work]:
    return [kept[path]] if path in kept else _works(path, chosen, seed)


def _works(name: Path, chosen: argparse.Namespace, seed: int | None) -> list[Work]:
    path = find_site(name)
    demand_shift(path)
    scenario = load_scenario(path) if is_scenario(path) else Scenario(shift=ShiftPart(site=str(path.resolve())))
    demand_orders(scenario, path, chosen.orders)
    own = site_path(scenario.shift.site, path)
    site = load_site(own)
    known_of(site, own)  # says what has no plant before anything is played
    typed = {"orders": chosen.orders, "seed": seed}
    part = scenario.shift.model_copy(update={key: value for key, value in typed.items() if value is not None})
    scenario = scenario.model_copy(update={"shift": part})
    return [
        Work(path=path, scenario=_with_seed(scenario, part.seed + n), hash=hash_of(scenario, site, own))
        for n in range(chosen.replications or 1)
    ]


def _with_seed(scenario: Scenario, seed: int) -> Scenario:
    return scenario.model_copy(update={"shift": scenario.shift.model_copy(update={"seed": seed})})


def _demand_together(paths: Sequence[Path], shifts: Sequence[Recording | Work]) -> None:
    scenarios = {shift.hash if isinstance(shift, Work) else shift.head.scenario for shift in shifts}
    seeds = list(map(_seed, shifts))
    where = " ".join(map(str, paths))
    if len(scenarios) > 1:
        raise Fault(4201, where=where, seen=f"{len(scenarios)} scenarios", expected="recordings of one", remedy=REMEDY)
    if len(set(seeds)) < len(seeds):
        twice = next(seed for seed in seeds if seeds.count(seed) > 1)
        raise Fault(4201, where=where, seen=f"seed {twice} twice", expected="each seed once", remedy=REMEDY)


def _seed(shift: Recording | Work) -> int:
    return shift.scenario.shift.seed if isinstance(shift, Work) else shift.head.seed


def _names(sides: Sequence[Sequence[Path]]) -> list[str]:
    """Give each side a name of its own: that of its first file, else with its folder, else with its turn."""
    for named in (list(map(_name, sides)), [str(paths[0]) for paths in sides]):
        if len(set(named)) == len(named):
            return named
    return [f"{_name(paths)} ({turn})" for paths, turn in zip(sides, TURNS, strict=True)]


def _name(paths: Sequence[Path]) -> str:
    return paths[0].name.removesuffix(".gz").removesuffix(".jsonl").removesuffix(".toml")
