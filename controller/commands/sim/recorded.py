"""Plays a shift and keeps a recording of it: the plant is listened to, and the journal read when all is over."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from controller.commands.sim.judging import is_good, misses_of
from controller.commands.sim.scenario_file import Scenario
from controller.commands.sim.shift.parts import EPOCH, Played, Shift, Tell
from controller.commands.sim.shift.playing import play_or_fall
from controller.item_file import item_bytes
from controller.machine_files import machine_file, scanner_file
from controller.site import Site
from packline.store import Store
from packline.store.journal import Entry
from simulation.recording.journal import KINDS, Books, books_of
from simulation.recording.recorder import Recorder
from simulation.recording.rows import Head, Noted, Recording
from simulation.recording.ways import parcel_rows
from simulation.virtual.plant import VirtualPlant


class ShiftRecorder:
    """Implements Listener."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self.books = Books()
        self.speed = 1.0

    def begin(self, plant: VirtualPlant) -> None:
        """Listen to the plant."""
        self.speed = plant.motion.speed
        self.recorder.attach(plant)

    def struck(self, device: str, fault: str) -> None:
        """Note what no switch of the plant makes."""
        self.recorder.struck(device, fault)

    def end(self, store: Store) -> None:
        """Read the journal."""
        self.books = store.journal_now(KINDS, lambda rows: books_of(self._noted(rows)))

    def _noted(self, rows: Iterator[Entry]) -> Iterator[Noted]:
        for row in rows:
            at_s = max(0.0, (row.at - EPOCH).total_seconds() * self.speed)
            yield Noted(
                at_s=at_s, kind=row.kind, subject=row.subject, order=row.order_id, station=row.station, data=row.data
            )


def play_recorded(
    shift: Shift, scenario: Scenario, tell: Tell = lambda _: None, command: str = ""
) -> tuple[Played, Recording]:
    """Play the shift of a scenario, and give what was recorded of it beside what came of it; `command` is what makes it again."""
    ears = ShiftRecorder()
    played = play_or_fall(shift, tell, ears)
    facts = list(played.facts)
    misses = misses_of(played, shift, scenario) if played.figures else []
    head = Head(
        site=shift.site.site.name,
        scenario=hash_of(_as_typed(scenario, shift), shift.site, shift.path),
        seed=shift.seed,
        orders=shift.orders,
        speed=ears.speed,
        command=command or command_for(shift.path, shift),
        ended_s=round(played.virtual_s * ears.speed, 2),
        is_well=is_good(played, shift, scenario, misses),
        broken=(*played.broken, *(miss.text() for miss in misses)),
        journal=played.journal,
        truth=played.truth,
        deaths=played.deaths,
        facts={name: value for name, value in played.figures.items() if isinstance(value, int | float)},
    )
    recording = Recording(
        head=head,
        machines=ears.recorder.machines(facts),
        parcels=parcel_rows(facts, ears.books),
        orders=ears.books.order_rows(),
        exceptions=ears.books.exception_rows(),
        faults=ears.recorder.faults(),
        scanners=ears.recorder.scanners(),
    )
    return played, recording


def _as_typed(scenario: Scenario, shift: Shift) -> Scenario:
    """Give the scenario with the orders and the speed that were played, from the file or typed."""
    part = scenario.shift.model_copy(update={"orders": shift.orders, "speed": shift.speed})
    return scenario.model_copy(update={"shift": part})


def hash_of(scenario: Scenario, site: Site, path: Path) -> str:
    """Hash all that is played but for the seed: also what stands in the files that the site file at `path` names."""
    said = scenario.model_dump(mode="json", exclude={"campaign", "expect", "broken"})
    said["shift"] = {key: value for key, value in said["shift"].items() if key not in ("seed", "site")}
    said["site"] = site.model_dump(mode="json", exclude_defaults=True)
    said["files"] = _files_of(site, path.resolve().parent)
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _files_of(site: Site, folder: Path) -> dict[str, Any]:
    """Give what the machine files and the item file say: with another time for a seal it is another line."""
    files = {name: machine_file(part.file, folder) for name, part in site.machines.items()}
    files |= {name: file for name, part in site.scanners.items() if (file := scanner_file(part, folder)) is not None}
    items = hashlib.sha256(item_bytes(site, folder)).hexdigest()
    return {"items": items, **{name: file.model_dump(mode="json") for name, file in sorted(files.items())}}


def command_for(file: Path, shift: Shift) -> str:
    """Give the command that plays a shift again, from the file that it was played from."""
    words = ["packline", "sim", "run", str(file), "--orders", str(shift.orders), "--seed", str(shift.seed)]
    words += ["--speed", f"{shift.speed:g}"] if shift.speed is not None else []
    words += ["--pixels", str(shift.one_in)]
    return shlex.join([*words, *(word for name in sorted(shift.over) for word in ("--over", name))])
