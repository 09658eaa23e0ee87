"""The note that `sim run --data` leaves beside the books, and the run that it describes, run again."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from controller.commands.sim.scenario import as_toml, load_scenario, shift_of
from controller.commands.sim.scenario_file import Scenario
from controller.commands.sim.shift.parts import Played, Shift
from controller.replay.opening import NOTE
from controller.starting import DATABASE

FORMAT = 1
SITE = "the site of this note"
"""Stands in the kept scenario where its site file stands, until it is known where that lies."""


def write_note(folder: Path, scenario: Scenario, shift: Shift, played: Played) -> None:
    """Write what is needed to run `shift` of `scenario` again: site, items and scenario as texts, and what came of it."""
    items = shift.site.site.items
    as_typed = {"orders": shift.orders, "seed": shift.seed, "speed": shift.speed, "pixels": shift.one_in}
    whole = scenario.model_copy(update={"shift": scenario.shift.model_copy(update={**as_typed, "site": SITE})})
    note = {
        "format": FORMAT,
        "release": release(),
        "python": platform.python_version(),
        "site_file": str(shift.path.resolve()),
        "site": shift.path.read_text("utf-8"),
        "items_file": items,
        "items": (shift.path.resolve().parent / items).read_text("utf-8") if items else "",
        "scenario": as_toml(whole, shift.faults),
        "over": sorted(shift.over),
        "seed": shift.seed,
        "orders": shift.orders,
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
    file = folder / "scenario.toml"
    file.write_text(note["scenario"].replace(f'site = "{SITE}"', f"site = {json.dumps(str(path))}"), "utf-8")
    shift = shift_of(load_scenario(file), file, folder)
    return replace(shift, url=f"sqlite:///{folder / DATABASE}", over=frozenset(note["over"]))


def release() -> str:
    """Give the number of the release that is installed; a checkout that is not installed has none."""
    try:
        return version("packline")
    except PackageNotFoundError:
        return "a checkout"
