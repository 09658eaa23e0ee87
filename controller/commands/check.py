"""`packline check FILE`: everything that is wrong in a site file and the machine files it names, in a machine file, a scenario file or a model."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from controller.addresses import wrong_scheme
from controller.commands.sim.telling import twin_faults
from controller.integrator.machine_check import Noted, check_machine, error_faults
from controller.integrator.station_needs import need_faults
from controller.integrator.target import is_machine_file
from controller.item_file import item_bytes
from controller.machine_files import machine_file, scanner_file
from controller.site import Site
from controller.site_file import is_told, load_site, read_site
from controller.site_security import (
    Reached,
    allow_faults,
    certificate_advice,
    kept_faults,
    pki_folder,
    reach,
    transport_faults,
)
from controller.sites import find_site
from controller.starting import data_of
from packline.core.clock import WallClock
from packline.core.faults import Fault
from packline.core.files import FileFaults
from plc.lint import lint
from plc.security import Reach
from plc.tag_scanner import scanner_faults


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
    faults = find_faults(chosen.site)
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
    print(json.dumps(checked.as_dict(), ensure_ascii=False) if chosen.json else checked.text())
    return int(not checked.is_ok)


def find_faults(path: Path) -> list[Fault]:
    """Give every fault of the site file at `path`, and of its machine files."""
    try:
        path = find_site(path)
        site, faults = read_site(path)
    except FileFaults as found:
        return found.faults
    told = {fault.where for fault in faults}
    further = [*_item_faults(site, path), *_machine_faults(site, path, told)] if site else []
    return [*faults, *(fault for fault in further if not is_told(fault.where, told))]


def find_advice(path: Path) -> list[Fault]:
    """Give what is not wrong yet: certificates that run out, of a site file that is in order."""
    path = find_site(path)
    return certificate_advice(pki_folder(data_of(load_site(path), path)), WallClock().now())


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


def _item_faults(site: Site, path: Path) -> list[Fault]:
    try:
        item_bytes(site, path.resolve().parent, str(path))
    except Fault as fault:
        return [fault]
    return []


def _machine_faults(site: Site, path: Path, told: set[str]) -> list[Fault]:
    faults: list[Fault] = []
    for name, part in site.machines.items():
        try:
            file = machine_file(part.file, path.resolve().parent)
        except FileFaults as found:
            faults += found.faults
            continue
        faults += error_faults(file, part.file)
        faults += transport_faults(file, part.security, f"{path} [machines.{name}.security]")
        for station, place in site.stations.items():
            if place.machine == name:
                faults += need_faults(f"{path} [stations.{station}.machine]", place, name, file)
        faults += allow_faults(file, part.allow, f"{path} [machines.{name}.allow]")
        faults += _wrong_scheme(f"{path} [machines.{name}.address]", file.machine.protocol, part.address)
    faults += _scanner_faults(site, path)
    return [*faults, *kept_faults(_reaches(site, path, told), WallClock().now())]


def _reaches(site: Site, path: Path, told: set[str]) -> dict[str, Reach]:
    """Say how each device is reached that nothing wrong was said of: who misspelt a policy has no certificate to make yet."""
    devices: list[tuple[str, str, Reached]] = [("machines", name, part) for name, part in site.machines.items()]
    devices += [("scanners", name, part) for name, part in site.scanners.items()]
    return {
        name: reach(part, path.parent, data_of(site, path))
        for kind, name, part in devices
        if not is_told(f"{path} [{kind}.{name}]", told) and not is_told(f"{path} [{kind}.{name}.security]", told)
    }


def _scanner_faults(site: Site, path: Path) -> Iterator[Fault]:
    for part in site.scanners.values():
        try:
            file = scanner_file(part, path.resolve().parent)
        except FileFaults as found:
            yield from found.faults
        else:
            yield from scanner_faults(file) if file is not None else ()


def _wrong_scheme(where: str, protocol: str, address: str) -> list[Fault]:
    expected = wrong_scheme(protocol, address)
    return [Fault(4201, where=where, seen=address, expected=expected)] if expected else []
