"""`packline check FILE`: everything that is wrong in a site file and the machine files it names, in a machine file, a scenario file or a model."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from controller.commands.sim.telling import behaviour_faults, twin_faults
from controller.integrator.machine_check import Noted, check_machine
from controller.integrator.target import is_machine_file
from controller.machine_files import machine_file
from controller.site import Site
from controller.site_file import load_site, read_site
from controller.site_security import certificate_advice, pki_folder
from controller.sites import find_site
from controller.starting import data_of
from controller.whole_site import find_faults
from packline.core.clock import WallClock
from packline.core.faults import Fault
from packline.core.files import FileFaults
from plc.lint import lint


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument(
        "site", type=Path, metavar="file", help="site file, machine file, scenario file, or model file"
    )
    options.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(chosen: argparse.Namespace) -> int:
    """Print what is wrong; 1 if anything is."""
    try:
        path = find_site(chosen.site)
        if is_machine_file(path):
            return _run_machine(path, chosen)
        if (of_twin := twin_faults(path)) is not None:
            return _said(of_twin, chosen)
    except FileFaults as untold:  # no file, no TOML, or nothing in it says what it is
        return _said(untold.faults, chosen)
    faults = [*find_faults(chosen.site), *find_twins_faults(chosen.site)]
    advice = [] if faults else find_advice(chosen.site)
    noted = find_notes(chosen.site)
    if chosen.json:
        found = {"faults": [f.as_dict() for f in faults], "advice": [f.as_dict() for f in advice]}
        machines = {name: note.as_dict() for name, note in noted.items()}
        print(json.dumps({"ok": not faults, **found, "machines": machines}, ensure_ascii=False))
    else:
        said = [f.text() for f in [*faults, *advice]] or [f"{chosen.site}: in order"]
        print("\n".join([*said, *(note.text(name) for name, note in noted.items())]))
    return int(bool(faults))


def _said(faults: list[Fault], chosen: argparse.Namespace) -> int:
    if chosen.json:
        print(json.dumps({"ok": not faults, "faults": [fault.as_dict() for fault in faults]}, ensure_ascii=False))
    else:
        print("\n".join([fault.text() for fault in faults] or [f"{chosen.site}: in order"]))
    return int(bool(faults))


def _run_machine(path: Path, chosen: argparse.Namespace) -> int:
    checked = check_machine(path)
    if checked.file is not None:
        said = behaviour_faults(checked.file.simulation, str(path))
        checked = replace(checked, faults=(*checked.faults, *said))
    print(json.dumps(checked.as_dict(), ensure_ascii=False) if chosen.json else checked.text())
    return int(not checked.is_ok)


def find_advice(path: Path) -> list[Fault]:
    """Give what is not wrong yet: certificates that run out, of a site file that is in order."""
    path = find_site(path)
    return certificate_advice(pki_folder(data_of(load_site(path), path)), WallClock().now())


def find_twins_faults(path: Path) -> list[Fault]:
    """Give what keeps a twin of the site from starting; nothing of files that cannot be read."""
    try:
        path = find_site(path)
        site, _ = read_site(path)
    except FileFaults:
        return []
    found: list[Fault] = []
    for file in dict.fromkeys(part.file for part in site.machines.values()) if site else ():
        with suppress(FileFaults):  # said as faults
            found += behaviour_faults(machine_file(file, path.resolve().parent).simulation, file)
    return found


def find_notes(path: Path) -> dict[str, Noted]:
    """Give what is allowed but hardly meant in the machine files of a site, by device; nothing of files that cannot be read."""
    try:
        path = find_site(path)
        site, _ = read_site(path)
    except FileFaults:
        return {}
    return {name: note for name, note in _notes(site, path.parent) if note.findings} if site else {}


def _notes(site: Site, folder: Path) -> Iterator[tuple[str, Noted]]:
    names = {name: part.file for name, part in site.machines.items()}
    names |= {name: part.file for name, part in site.scanners.items() if part.driver == "modbus"}
    for name, file in names.items():
        with suppress(FileFaults):  # said as faults
            shown = str(folder / file) if file.endswith(".toml") else file
            yield name, Noted(file=shown, findings=lint(machine_file(file, folder)).findings)
