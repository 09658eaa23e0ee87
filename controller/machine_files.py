"""Finds the machine files that a site file names."""

from __future__ import annotations

from pathlib import Path

from controller.site import ScannerPart
from packline.core.faults import Fault
from packline.core.files import near
from plc.machine_file import MachineFile, load_machine, machines_folder, shipped_machine


def machine_file(name: str, folder: Path) -> MachineFile:
    """Load `plc/machines/<name>.toml`, or the file at a path relative to `folder`."""
    if name.endswith(".toml"):
        return load_machine(folder / name)
    return shipped_machine(name)


def misnamed(name: str, where: str) -> Fault | None:
    """Give what is wrong with the name of a machine file that stands at `where`: neither shipped nor a path of one's own."""
    shipped = {path.stem for path in machines_folder().glob("*.toml")}
    if name.endswith(".toml") or name in shipped:
        return None
    remedy = near(name, shipped) or "Name a file that ships, or the path of your own, which ends in .toml."
    return Fault(4201, where=where, seen=repr(name), expected=f"one of {', '.join(sorted(shipped))}", remedy=remedy)


def scanner_file(part: ScannerPart, folder: Path) -> MachineFile | None:
    """Load the machine file of a scanner that has one."""
    return machine_file(part.file, folder) if part.driver == "modbus" else None
