"""The note that `sim run --data` leaves beside the books, and the run that it describes, run again."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from controller.commands.sim.shift import Played, Shift
from controller.replay.opening import NOTE
from controller.site_file import load_site
from controller.starting import DATABASE
from simulation.virtual.faults import PlannedFault

FORMAT = 1


def write_note(folder: Path, shift: Shift, played: Played) -> None:
    """Write what is needed to run `shift` again: its site, its numbers, its faults, and what came of it."""
    items = shift.site.site.items
    note = {
        "format": FORMAT,
        "release": _release(),
        "python": platform.python_version(),
        "site_file": str(shift.path.resolve()),
        "site": shift.path.read_text("utf-8"),
        "items_file": items,
        "items": (shift.path.resolve().parent / items).read_text("utf-8") if items else "",
        "orders": shift.orders,
        "seed": shift.seed,
        "speed": shift.speed,
        "pixels": shift.one_in,
        "over": sorted(shift.over),
        "faults": [fault.as_dict() for fault in shift.faults],
        "journal_hash": played.journal,
        "journal_rows": played.rows,
        "truth_hash": played.truth,
    }
    (folder / NOTE).write_text(json.dumps(note, ensure_ascii=False, indent=1) + "\n", "utf-8")


def shift_in(note: Mapping[str, Any], folder: Path) -> Shift:
    """Give the shift of a note, with its books on the disk in `folder`, as this release runs it.

    The site file is used where it lies if it is unchanged: machine files may lie beside it. Else a copy in `folder` is.
    """
    path = Path(note["site_file"])
    if not path.is_file() or path.read_text("utf-8") != note["site"]:
        path = folder / path.name
        path.write_text(note["site"], "utf-8")
        if note["items_file"]:
            (folder / note["items_file"]).write_text(note["items"], "utf-8")
    shift = Shift(
        site=load_site(path),
        path=path,
        folder=folder,
        url=f"sqlite:///{folder / DATABASE}",
        orders=note["orders"],
        seed=note["seed"],
        speed=note["speed"],
        one_in=note["pixels"],
        over=frozenset(note["over"]),
    )
    return replace(shift, faults=tuple(PlannedFault.of(fault) for fault in note["faults"]))


def _release() -> str:
    try:
        return version("packline")
    except PackageNotFoundError:
        return "a checkout"
