"""`packline sim report`: one page on shifts that were recorded, or that are played for it; two scenarios side by side."""

from __future__ import annotations

import argparse
import json
import logging
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from controller.commands import numbers
from controller.commands.folders import make_folder
from controller.commands.sim.recorded import command_for, play_recorded
from controller.commands.sim.report_sides import Planned, Work, planned
from controller.commands.sim.scenario import shift_of
from controller.commands.sim.scratch import scratch_folder
from controller.commands.sim.stopping import in_order
from controller.sites import find_site
from packline.core.faults import Fault
from packline.core.files import FileFaults
from simulation.recording.files import is_recording
from simulation.recording.rows import Recording
from simulation.report.figures_said import said
from simulation.report.page import page
from simulation.report.sides import Side, side_of

FILE = Path("sites/demo.toml")
OUT = Path("report.html")
OF_PLAYED = ("orders", "seed", "replications")
"""Options that say how what is no recording is played."""


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
    sides = [side_of(side.name, _recordings(side, chosen.jobs)) for side in planned(files, chosen)]
    chosen.out.write_text(page(sides, _command(chosen)), "utf-8")
    is_well = all(side.is_well for side in sides)
    shifts = sum(len(side.recordings) for side in sides)
    out = sys.stderr if chosen.json else sys.stdout
    for what in _why(sides):
        print(what, file=out)
    print(
        f"{'all is well' if is_well else 'NOT well'} in {shifts} shift{'s' if shifts > 1 else ''}; the page is {chosen.out}",
        file=out,
    )
    if chosen.json:
        print(json.dumps({"ok": is_well, "page": str(chosen.out), **said(sides)}), flush=True)
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


def _why(sides: Sequence[Side]) -> Iterator[str]:
    """Say of each shift that was not well what was wrong first; the page has the rest."""
    for side in sides:
        for seed, (first, *more) in side.wrongs().items():
            yield f"{side.name}, seed {seed}: {first}{f', and {len(more)} more' if more else ''}"


def _recordings(side: Planned, jobs: int) -> list[Recording]:
    """Give recordings that are kept, and play what is none."""
    played = _played(side.works, jobs)
    return [next(played) if isinstance(shift, Work) else shift for shift in side.shifts]


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


def _command(chosen: argparse.Namespace) -> str:
    words = ["packline", "sim", "report", *map(str, chosen.files)]
    for file in chosen.against or ():
        words += ["--against", str(file)]
    for name in ("replications", "seed", "orders"):
        value = getattr(chosen, name)
        words += [f"--{name}", str(value)] if value not in (None, 1) or (name == "seed" and value is not None) else []
    return shlex.join([*words, "--out", str(chosen.out)])
