"""`packline sim report`: one page on shifts that were recorded, or that are played for it; two scenarios side by side."""

from __future__ import annotations

import argparse
import json
import logging
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from controller.commands import numbers
from controller.commands.folders import make_folder
from controller.commands.sim.recorded import command_for, play_recorded
from controller.commands.sim.scenario import load_scenario, shift_of
from controller.commands.sim.scenario_file import Scenario, ShiftPart
from controller.commands.sim.scratch import scratch_folder
from controller.commands.sim.stopping import in_order
from controller.commands.sim.telling import demand_shift, is_scenario
from controller.sites import find_site
from packline.core.faults import Fault
from packline.core.files import FileFaults
from simulation.recording.files import is_recording, read
from simulation.recording.rows import Recording
from simulation.report.figures_said import said
from simulation.report.page import page
from simulation.report.sides import Side, side_of

FILE = Path("sites/demo.toml")
OUT = Path("report.html")
OF_PLAYED = ("orders", "seed", "replications")
"""Options that say how what is no recording is played."""
REMEDY = (
    "Give recordings of one scenario, each with a seed of its own, and what it is to be compared with as --against."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One shift that is to be played."""

    path: Path
    scenario: Scenario


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument(
        "files",
        type=Path,
        nargs="*",
        metavar="FILE",
        help=f"recordings (.jsonl, .jsonl.gz) of one scenario, or a scenario or site file, which is played (default: {FILE})",
    )
    options.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        action="append",
        help="what to compare with: a recording or scenario; may be repeated",
    )
    options.add_argument(
        "--replications",
        type=numbers.rounds,
        metavar="N",
        help="play each scenario with N seeds (default 1)",
    )
    options.add_argument("--seed", type=numbers.seed, help="the first of the seeds (default: the file's)")
    options.add_argument(
        "--orders", type=numbers.orders, help="orders of each shift that is played (default: the file's)"
    )
    options.add_argument("--jobs", type=numbers.jobs, metavar="J", default=1, help="processes at once (default 1)")
    options.add_argument("--out", type=Path, metavar="PAGE", default=OUT, help=f"the page (default: {OUT})")
    options.add_argument("--json", action="store_true", help="last line of standard output: the figures as JSON")


def run(chosen: argparse.Namespace) -> int:
    """Write the page; 0 when every shift on it was well, 1 when one was not."""
    logging.disable(logging.CRITICAL)  # what goes wrong in a shift is on the page
    _demand_page(chosen.out, [*chosen.files, *(chosen.against or ())])
    files = [chosen.files or [FILE], *([chosen.against] if chosen.against else [])]
    _demand_played([name for names in files for name in names], chosen)
    seed = chosen.seed
    kept = {name: read(name) for names in files for name in names if is_recording(name)}  # before anything is played
    sides = []
    for names in files:
        recordings = _recordings(names, kept, chosen, seed)
        # common random numbers: what is played against it has the seeds of the first side
        seed = recordings[0].head.seed if seed is None else seed
        sides.append((names, recordings))
    named = [
        _side(names, recordings, [other for other, _ in sides if other is not names]) for names, recordings in sides
    ]
    chosen.out.write_text(page(named, _command(chosen)), "utf-8")
    is_well = all(side.is_well for side in named)
    shifts = sum(len(side.recordings) for side in named)
    print(
        f"{'all is well' if is_well else 'NOT well'} in {shifts} shift{'s' if shifts > 1 else ''}; the page is {chosen.out}",
        file=sys.stderr if chosen.json else sys.stdout,
    )
    if chosen.json:
        print(json.dumps({"ok": is_well, "page": str(chosen.out), **said(named)}), flush=True)
    return 0 if is_well else 1


def _demand_page(path: Path, files: Sequence[Path]) -> None:
    """Raise Fault 4201 for a page that cannot be written, or would take the place of what it tells of, before anything is played."""
    where, remedy = f"--out {path}", "Name a file such as report.html."
    if path.is_dir():
        raise Fault(4201, where=where, seen="a folder", expected="a file", remedy=remedy)
    if any(path.resolve() == file.resolve() for file in files):
        raise Fault(4201, where=where, seen="one of the files to report on", expected="another file", remedy=remedy)
    make_folder(path.parent)


def _demand_played(names: Sequence[Path], chosen: argparse.Namespace) -> None:
    """Raise FileFaults for each word that says how to play where nothing is played, Fault 4201 for a file that is not there."""
    for name in names:
        if not is_recording(name):
            find_site(name)
    typed = [name for name in OF_PLAYED if getattr(chosen, name) is not None]
    if typed and all(map(is_recording, names)):
        remedy = "Leave it out, or name a scenario or site file."
        raise FileFaults(
            [
                Fault(
                    4201, where=f"--{name}", seen="recordings only", expected="only for what is played", remedy=remedy
                )
                for name in typed
            ]
        )


def _recordings(
    names: Sequence[Path], kept: Mapping[Path, Recording], chosen: argparse.Namespace, seed: int | None
) -> list[Recording]:
    """Give recordings that are kept, and play what is none."""
    found = []
    for name in names:
        if name in kept:
            found.append(kept[name])
        else:
            found += list(_played(_works(name, chosen, seed), chosen.jobs))
    return found


def _works(name: Path, chosen: argparse.Namespace, seed: int | None) -> list[Work]:
    path = find_site(name)
    demand_shift(path)
    scenario = load_scenario(path) if is_scenario(path) else Scenario(shift=ShiftPart(site=str(path.resolve())))
    typed = {"orders": chosen.orders, "seed": seed}
    part = scenario.shift.model_copy(update={key: value for key, value in typed.items() if value is not None})
    return [
        Work(
            path=path,
            scenario=scenario.model_copy(update={"shift": part.model_copy(update={"seed": part.seed + n})}),
        )
        for n in range(chosen.replications or 1)
    ]


def _played(works: Sequence[Work], jobs: int) -> Iterator[Recording]:
    for n, recording in enumerate(_all(works, jobs), 1):
        print(f"{n} of {len(works)}: seed {recording.head.seed} is played", file=sys.stderr, flush=True)
        yield recording


def _all(works: Sequence[Work], jobs: int) -> Iterator[Recording]:
    if min(jobs, len(works)) <= 1:
        yield from map(play_one, works)
        return
    yield from in_order(play_one, works, min(jobs, len(works)))


def play_one(work: Work) -> Recording:
    """Play one shift in a folder of its own."""
    logging.disable(logging.CRITICAL)
    with scratch_folder("report") as folder:
        shift = shift_of(work.scenario, work.path, folder)
        return play_recorded(shift, work.scenario, command=command_for(work.path, shift))[1]


def _side(names: Sequence[Path], recordings: Sequence[Recording], others: Sequence[Sequence[Path]]) -> Side:
    """Put the shifts of one side together; raises Fault 4201 for shifts that do not belong together."""
    scenarios = {recording.head.scenario for recording in recordings}
    seeds = [recording.head.seed for recording in recordings]
    where = " ".join(map(str, names))
    if len(scenarios) > 1:
        raise Fault(4201, where=where, seen=f"{len(scenarios)} scenarios", expected="recordings of one", remedy=REMEDY)
    if len(set(seeds)) < len(seeds):
        twice = next(seed for seed in seeds if seeds.count(seed) > 1)
        raise Fault(4201, where=where, seen=f"seed {twice} twice", expected="each seed once", remedy=REMEDY)
    is_taken = any(_name(other) == _name(names) for other in others)
    return side_of(str(names[0]) if is_taken else _name(names), recordings)


def _name(names: Sequence[Path]) -> str:
    return names[0].name.removesuffix(".gz").removesuffix(".jsonl").removesuffix(".toml")


def _command(chosen: argparse.Namespace) -> str:
    words = ["packline", "sim", "report", *map(str, chosen.files)]
    for file in chosen.against or ():
        words += ["--against", str(file)]
    for name in ("replications", "seed", "orders"):
        value = getattr(chosen, name)
        words += [f"--{name}", str(value)] if value not in (None, 1) or (name == "seed" and value is not None) else []
    return shlex.join([*words, "--out", str(chosen.out)])
