"""Finds the machine files that a site file names."""

from __future__ import annotations

from pathlib import Path

from controller.site import ScannerPart
from plc.machine_file import MachineFile, load_machine, shipped_machine


def machine_file(name: str, folder: Path) -> MachineFile:
    """Load `plc/machines/<name>.toml`, or the file at a path relative to `folder`."""
    if name.endswith(".toml"):
        return load_machine(folder / name)
    return shipped_machine(name)


def scanner_file(part: ScannerPart, folder: Path) -> MachineFile | None:
    """Load the machine file of a scanner that has one."""
    return machine_file(part.file, folder) if part.driver == "modbus" else None
