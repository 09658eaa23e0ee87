"""Says which device a command means: one of a site, or a machine file and the address of a machine."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from controller.addresses import demand_address, wrong_scheme
from controller.machine_files import machine_file, scanner_file
from controller.site_file import load_site
from controller.site_security import reach
from controller.sites import find_site
from controller.starting import data_of
from packline.core.faults import Fault
from packline.core.files import near, read_toml
from plc.machine_file import MachineFile, load_machine
from plc.security import Allow, Reach, Unprotected


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One machine: what its file says, where it is, and how it is reached."""

    name: str
    file: MachineFile
    address: str
    reach: Reach

    def looked_at(self) -> Target:
        """Give the same with every write barred: who only looks cannot move anything."""
        allow = self.reach.allow.model_copy(update={"read_only": True})
        barred = Reach(protection=self.reach.protection, allow=allow)
        return Target(name=self.name, file=self.file, address=self.address, reach=barred)


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare how a device is named."""
    options.add_argument("file", type=Path, help="site file, or machine file")
    options.add_argument(
        "device", help="name of a machine of the site; with a machine file: host:port or opc.tcp://host:port"
    )
    options.add_argument(
        "--unprotected",
        metavar="WHY",
        help="machine file: why this connection needs no protection (not on this computer)",
    )


def is_machine_file(path: Path) -> bool:
    """Tell whether a file describes a machine; raises FileFaults for what is no TOML."""
    return "machine" in read_toml(path)


def find_target(chosen: argparse.Namespace) -> Target:
    """Give the device that is meant; raises Fault and FileFaults."""
    path = find_site(chosen.file)
    if is_machine_file(path):
        said = Unprotected(why=chosen.unprotected) if chosen.unprotected else None
        file = load_machine(path)
        _demand_reachable(file, demand_address(chosen.device, "the machine's address"))
        return Target(name=file.model, file=file, address=chosen.device, reach=Reach(protection=said, allow=Allow()))
    demand_unsaid(chosen.unprotected)
    return _of_site(path, chosen.device)


def demand_unsaid(unprotected: str | None) -> None:
    """Raise Fault 4301 for words about the protection of a device whose site file has its own: nobody would read them."""
    if unprotected:
        remedy = "Leave it out, or mend `security` of the device in the site file."
        expected = "nothing: a site file says how its devices are reached"
        raise Fault(4301, where="--unprotected", seen=unprotected, expected=expected, remedy=remedy)


def _demand_reachable(file: MachineFile, address: str) -> None:
    if expected := wrong_scheme(file.machine.protocol, address):
        remedy = f"The machine file says protocol = {file.machine.protocol!r}: mend the one that is wrong."
        raise Fault(4201, where="the machine's address", seen=address, expected=expected, remedy=remedy)


def _of_site(path: Path, name: str) -> Target:
    site, folder = load_site(path), path.resolve().parent
    if name in site.machines:
        machine = site.machines[name]
        file, part = machine_file(machine.file, folder), reach(machine, folder, data_of(site, path))
        return Target(name=name, file=file, address=machine.address, reach=part)
    scanner = site.scanners.get(name)
    read = scanner_file(scanner, folder) if scanner else None
    if scanner is not None and read is not None:
        return Target(name=name, file=read, address=scanner.address, reach=reach(scanner, folder, data_of(site, path)))
    known = {*site.machines, *(n for n, part in site.scanners.items() if part.driver == "modbus")}
    expected = f"one of {', '.join(sorted(known)) or 'none declared'}"
    remedy = near(name, known) or "Type the name of a machine of this site, or of a scanner that is read over Modbus."
    raise Fault(4201, where=f"{path} [machines]", seen=name or "no name", expected=expected, remedy=remedy)
