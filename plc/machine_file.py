"""A machine is one file: reads `plc/machines/*.toml` and says everything that is wrong in one."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Self

from pydantic import model_validator

from packline.core.files import Survey, Wrong, load_toml, read_toml, survey
from plc.machine_checks import contradictions
from plc.machine_parts import MachineTables


class MachineFile(MachineTables):
    """One machine, whole."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if mistakes := list(contradictions(self)):
            raise Wrong(*mistakes)
        return self


def load_machine(path: Path) -> MachineFile:
    """Read a machine file; raises FileFaults that name every mistake."""
    return load_toml(path, MachineFile)


def survey_machine(path: Path) -> Survey[MachineFile]:
    """Give every mistake of a machine file, and the machine as far as it is right; raises FileFaults for what is no TOML."""
    return survey(read_toml(path), MachineFile, str(path))


def machines_folder() -> Path:
    """Give the folder of the machine files that ship with the package."""
    return Path(str(resources.files("plc"))) / "machines"


def shipped_machine(name: str) -> MachineFile:
    """Read the shipped file `name` ("turntable"), once as long as it is the same; raises FileFaults if there is none."""
    path = machines_folder() / f"{name}.toml"
    stamp = path.stat() if path.is_file() else None
    return _shipped(path, stamp.st_mtime_ns, stamp.st_size) if stamp else load_machine(path)


@lru_cache
def _shipped(path: Path, _changed_ns: int, _size: int) -> MachineFile:
    return load_machine(path)
