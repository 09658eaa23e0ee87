"""`packline sim run`: a shift of a line in virtual time, from a site file or a scenario file; a model, if the file has one."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from controller.commands import numbers
from controller.commands.demo import Progress
from controller.commands.folders import make_folder
from controller.commands.sim import INTERRUPTED
from controller.commands.sim.expecting import Miss
from controller.commands.sim.judging import is_good, misses_of, passed_over, still_stands, summary
from controller.commands.sim.note import write_note
from controller.commands.sim.recorded import command_for, play_recorded
from controller.commands.sim.scenario import demand_orders, load_scenario, shift_of
from controller.commands.sim.scenario_file import Scenario, ShiftPart
from controller.commands.sim.shift.parts import Played, Shift, Tell
from controller.commands.sim.shift.playing import play_or_fall
from controller.commands.sim.telling import is_model, is_scenario
from controller.replay.opening import NOTE
from controller.sites import find_site
from controller.starting import DATABASE
from packline.core.clock import WallClock
from packline.core.faults import Fault
from packline.core.files import FileFaults
from simulation.recording.files import is_recording, write
from simulation.virtual.breakages import LIVENESS

FILE = Path("sites/demo.toml")
OF_SHIFT = ("orders", "speed", "pixels", "over", "computing", "data", "record")
"""Options that a model does not know."""


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument(
        "file",
        type=Path,
        nargs="?",
        default=FILE,
        help=f"site file with a [twin], scenario file, or model file (default: {FILE})",
    )
    options.add_argument(
        "--orders", type=numbers.orders, help="how many orders are posted (default: the file's, or 24)"
    )
    options.add_argument(
        "--seed", type=numbers.seed, help="the same seed gives the same journal (default: the file's, or 1)"
    )
    options.add_argument(
        "--speed", type=numbers.speed, help="motion this many times faster than life (default: the site's)"
    )
    options.add_argument(
        "--pixels",
        type=numbers.pixels,
        metavar="N",
        help="draw and decode labels and pictures of every N-th parcel; 1: all, 0: none (default: the file's, or 500)",
    )
    options.add_argument(
        "--over",
        action="append",
        choices=("modbus", "opcua"),
        default=[],
        help="reach the machines of this protocol over real sockets of the loopback; may be repeated",
    )
    options.add_argument(
        "--computing",
        type=numbers.speed,
        metavar="F",
        help="drawing and reading pictures takes F times as long, of the line's time, as on this computer (default: no time; "
        "with F such a run does not repeat itself)",
    )
    options.add_argument("--data", type=Path, help="keep the books in this folder (default: in memory)")
    options.add_argument(
        "--record", type=Path, metavar="FILE", help="keep a recording for `packline sim report`: .jsonl, or .jsonl.gz"
    )
    options.add_argument("--json", action="store_true", help="last line of standard output: the figures as JSON")


def run(chosen: argparse.Namespace) -> int:
    """Run the shift; 0 only if all is well by the plant's truth and the receiver."""
    logging.basicConfig(level=os.environ.get("PACKLINE_LOG", "ERROR"), stream=sys.stderr)
    path = find_site(chosen.file)
    if is_model(path):
        return _run_model(path, chosen)
    _demand_recording(chosen.record)
    out = sys.stderr if chosen.json else sys.stdout
    wall, progress = WallClock(), Progress(out)
    began = wall.monotonic()
    with tempfile.TemporaryDirectory(prefix="packline-sim-") as folder:
        shift, scenario = _shift(chosen, path, Path(folder))
        last: dict[str, Any] = {}

        def tell(now: dict[str, Any]) -> None:
            last.update(now)
            progress.show(now, wall.monotonic() - began)

        try:
            played = _played(chosen, shift, scenario, tell)
        except KeyboardInterrupt:
            progress.end()
            return _interrupted(last, shift, chosen, wall.monotonic() - began)
    progress.end()
    if chosen.data and played.figures and not shift.computing:  # what depends on the computer cannot be played again
        write_note(chosen.data, scenario, shift, played)
    misses = misses_of(played, shift, scenario) if played.figures else []
    is_well = is_good(played, shift, scenario, misses)
    said = {"ok": is_well, **summary(played, shift.seed, wall.monotonic() - began)}
    _tell(played, shift, misses, said, out)
    if chosen.json:
        print(json.dumps({**said, "missed": [miss.as_dict() for miss in misses]}), flush=True)
    return 0 if is_well else 1


def _tell(played: Played, shift: Shift, misses: Sequence[Miss], said: Mapping[str, Any], out: TextIO) -> None:
    for what in (*played.broken, *(miss.text() for miss in misses)):
        print(what, file=out)
    if played.not_struck:
        print(passed_over(played.not_struck, len(shift.faults)), file=sys.stderr)
    is_late = any(what.startswith(f"{LIVENESS}:") for what in played.broken)
    if is_late and (standing := still_stands(shift.faults, played.not_struck)):
        print(standing, file=out)
    if not played.figures:
        print(f"NOT well: the shift fell over (seed {shift.seed})", file=out)
        return
    print(
        f"{'all is well' if said['ok'] else 'NOT well'}: {numbers.counted(said['parcels_shipped'], 'parcel')} of "
        f"{numbers.counted(shift.orders, 'order')} left the door in {said['virtual_seconds']:.0f} s of the line, {said['wall_seconds']:.1f} s of this computer; "
        f"journal {played.journal[:12]}",
        file=out,
    )


def _interrupted(last: Mapping[str, Any], shift: Shift, chosen: argparse.Namespace, seconds: float) -> int:
    """Say how far it came. What is broken at once would have ended it; what only the end can tell is not known."""
    over, left = last.get("orders_over", 0), last.get("left_door", 0)
    print(
        f"interrupted: {over} of {shift.orders} orders were over, {left} parcels had left the door and nothing was seen to be "
        f"broken, after {seconds:.1f} s of this computer (seed {shift.seed})",
        file=sys.stderr,
        flush=True,
    )
    if chosen.data:
        print(
            f"the books are in {chosen.data}, without a note of how the run began: replay compares them row by row",
            file=sys.stderr,
        )
    if chosen.record:
        print(f"{chosen.record} was not written: a recording is of a whole shift", file=sys.stderr)
    if chosen.json:
        said = {"ok": False, "interrupted": True, "seed": shift.seed, **last, "wall_seconds": round(seconds, 2)}
        print(json.dumps(said), flush=True)
    return INTERRUPTED


def _run_model(path: Path, chosen: argparse.Namespace) -> int:
    """Run what has no shift; raises FileFaults for each word that only a shift knows."""
    # a shift has no need of the building blocks, which are many
    from controller.commands.sim.model import run_file

    typed = [name for name in OF_SHIFT if getattr(chosen, name) not in (None, [])]
    if typed:
        remedy = "Leave it out: what the model does is said in its file."
        raise FileFaults(
            [
                Fault(4201, where=f"--{name}", seen=f"{path} with a [model]", expected="only for shifts", remedy=remedy)
                for name in typed
            ]
        )
    return run_file(path, seed=chosen.seed, as_json=chosen.json)


def _demand_recording(path: Path | None) -> None:
    """Raise Fault 4201 for a name that `sim report` would not take for a recording, or that cannot be written."""
    if path is None:
        return
    where, remedy = f"--record {path}", "Name a file such as shift.jsonl or shift.jsonl.gz."
    if path.is_dir():
        raise Fault(4201, where=where, seen="a folder", expected="a file", remedy=remedy)
    if not is_recording(path):
        raise Fault(
            4201, where=where, seen=path.name, expected="a name that ends in .jsonl or .jsonl.gz", remedy=remedy
        )
    make_folder(path.parent)


def _played(chosen: argparse.Namespace, shift: Shift, scenario: Scenario, tell: Tell) -> Played:
    if chosen.record is None:
        return play_or_fall(replace(shift, keeps_facts=False), tell)
    played, recording = play_recorded(shift, scenario, tell, command_for(chosen.file, shift))
    write(recording, chosen.record)
    return played


def _shift(chosen: argparse.Namespace, path: Path, folder: Path) -> tuple[Shift, Scenario]:
    """Put together what the file says and what was typed."""
    scenario = load_scenario(path) if is_scenario(path) else Scenario(shift=ShiftPart(site=str(path.resolve())))
    demand_orders(scenario, path, chosen.orders)
    typed = {"orders": chosen.orders, "seed": chosen.seed, "speed": chosen.speed, "pixels": chosen.pixels}
    shift = scenario.shift.model_copy(update={name: value for name, value in typed.items() if value is not None})
    if chosen.data:
        folder = _empty(chosen.data)
    made = shift_of(scenario.model_copy(update={"shift": shift}), path, folder)
    made = replace(made, over=frozenset(chosen.over), computing=chosen.computing or 0.0)
    return (replace(made, url=f"sqlite:///{folder / DATABASE}") if chosen.data else made), scenario


def _empty(data: Path) -> Path:
    """Make a folder for books; raises Fault 4201 where there are some: a shift that goes on in them is no shift of its own."""
    if (data / DATABASE).exists() or (data / NOTE).exists():
        remedy = "Name an empty folder."
        raise Fault(4201, where=str(data), seen="the books of another run", expected="a folder without books", remedy=remedy)  # fmt: skip
    folder = data.resolve()
    make_folder(folder)
    return folder
