"""Keeps failing shifts of a campaign: scenario files that can be played from where they lie, each with its timeline beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from controller.commands.folders import make_folder
from controller.commands.sim.scenario import as_toml, site_path
from controller.commands.sim.scenario_file import Scenario
from controller.commands.sim.shift.parts import Played
from controller.sites import shipped
from packline.core.faults import Fault
from simulation.virtual.faults import PlannedFault

MOST_LETTERS = 160
TIMELINE = ".timeline.txt"
HEAD = """\
line s: seconds of the line, as at_s and for_s have them; plant s: simulated seconds of the plant, {speed:g} times as many.
What is planned is told in the first, what is broken in the second.
"""


class Keeper:
    """Writes into `folder`, or nowhere without one."""

    def __init__(self, folder: Path | None) -> None:
        """Make the folder before anything is played; raises Fault 4201 for a file, and where nothing can be written."""
        self.folder = folder
        if folder is None:
            return
        if folder.exists() and not folder.is_dir():
            remedy = "Name a folder; it is made if it is not there."
            raise Fault(4201, where=f"--out {folder}", seen="a file", expected="a folder", remedy=remedy)
        make_folder(folder)

    def keep(
        self, scenario: Scenario, beside: Path, faults: tuple[PlannedFault, ...], broken: tuple[str, ...], told: str
    ) -> Path | None:
        """Write a scenario that was read from `beside`, and its timeline, over what was kept of this seed before."""
        if self.folder is None:
            return None
        path = self.path_of(scenario.shift.seed)
        path.write_text(as_toml(_from(scenario, beside, self.folder), faults, broken), "utf-8")
        path.with_suffix(TIMELINE).write_text(told, "utf-8")
        return path

    def path_of(self, seed: int) -> Path:
        """Give where the scenario of a seed is kept."""
        return (self.folder or Path()) / f"seed-{seed}.toml"


def _from(scenario: Scenario, beside: Path, folder: Path) -> Scenario:
    """Give a scenario with the way to its site from `folder`; the name of a site that ships is enough anywhere."""
    site = site_path(scenario.shift.site, beside)
    ships = shipped(Path(scenario.shift.site))
    if ships is not None and ships.resolve() == site.resolve():
        return scenario
    way = Path(os.path.relpath(site.resolve(), folder.resolve())).as_posix()
    return scenario.model_copy(update={"shift": scenario.shift.model_copy(update={"site": way})})


def timeline(played: Played, faults: tuple[PlannedFault, ...], speed: float) -> str:
    """Give what happened in the plant, line by line, and what was planned to go wrong; `speed`: the plant's seconds in one of the line."""
    lines = [*HEAD.format(speed=speed).splitlines(), ""]
    lines += [*(f"fault    {fault.text()}" for fault in faults), *(f"broken   {what}" for what in played.broken), ""]
    return "\n".join([*lines, *_rows(played, speed)]) + "\n"


def _rows(played: Played, speed: float) -> Iterator[str]:
    yield f"{'line s':>10}  {'plant s':>10}  fact"
    for fact in played.facts:
        yield f"{fact.sim_s / speed:10.3f}  {fact.sim_s:10.3f}  {fact.name:18} {_details(fact.data)}".rstrip()


def _details(data: Mapping[str, Any]) -> str:
    return "  ".join(f"{name} {value}" for name, value in data.items())[:MOST_LETTERS]
