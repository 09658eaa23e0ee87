"""Finds every mistake of a whole site: in its file, in the machine files and the item file that it names, and between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from controller.addresses import wrong_scheme
from controller.integrator.machine_check import error_faults
from controller.integrator.station_needs import need_faults
from controller.item_file import item_bytes
from controller.machine_files import machine_file, misnamed, scanner_file
from controller.site import Site
from controller.site_file import is_told, read_site
from controller.site_security import Reached, allow_faults, kept_faults, reach, transport_faults
from controller.sites import find_site
from controller.starting import data_of
from packline.core.clock import WallClock
from packline.core.faults import Fault
from packline.core.files import FileFaults
from plc.security import Reach
from plc.tag_scanner import scanner_faults

OF_FILES = 4000
"""Faults from here on keep the whole line from starting; those below bar one device, and the others work."""


def demand_whole(path: Path) -> None:
    """Raise FileFaults for what would end the controller of this site at every start, or hold a station at every step."""
    if faults := [fault for fault in find_faults(path) if fault.code >= OF_FILES]:
        raise FileFaults(faults)


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


def _item_faults(site: Site, path: Path) -> list[Fault]:
    try:
        item_bytes(site, path.resolve().parent, str(path))
    except Fault as fault:
        return [fault]
    return []


def _machine_faults(site: Site, path: Path, told: set[str]) -> list[Fault]:
    faults: list[Fault] = []
    for name, part in site.machines.items():
        if wrong := misnamed(part.file, f"{path} [machines.{name}.file]"):
            faults.append(wrong)
            continue
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
    for name, part in site.scanners.items():
        if part.driver == "modbus" and (wrong := misnamed(part.file, f"{path} [scanners.{name}.file]")):
            yield wrong
            continue
        try:
            file = scanner_file(part, path.resolve().parent)
        except FileFaults as found:
            yield from found.faults
        else:
            yield from scanner_faults(file) if file is not None else ()


def _wrong_scheme(where: str, protocol: str, address: str) -> list[Fault]:
    expected = wrong_scheme(protocol, address)
    return [Fault(4201, where=where, seen=address, expected=expected)] if expected else []
