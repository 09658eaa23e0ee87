"""Finds site files: in the folder given, or among those that ship with the package; moves their ports."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path

from packline.core.faults import Fault
from packline.core.files import FileFaults, near

_PORTS = re.compile(r"(127\.0\.0\.1:|localhost:|\bport = |video_port = )(\d{2,5})")
LIKENESS = 0.75
"""Of names of files, which are alike in their last five letters anyway."""
MOST_NAMES = 8
"""Files that a message names."""
MOST_OFFSETS = 40
OFFSET_STEP = 137


def find_site(path: Path) -> Path:
    """Give `path`, or what ships under that name: `sites/demo.toml`, or the machine file `checkweigher`, from any folder."""
    if path.exists():
        return path
    if found := shipped(path):
        return found
    machine = _machines() / f"{path.stem}.toml"
    if path.parent == Path() and machine.exists():
        return machine
    expected = f"a file that is there, or the name of one that ships ({', '.join(_meant(path))})"
    raise FileFaults(
        [Fault(4201, where=str(path.absolute()), seen="no such file", expected=expected, remedy=_hint(path))]
    )


def _hint(path: Path) -> str:
    """Say which file may have been meant, and what lies where it was looked for."""
    folder = path.absolute().parent
    if not folder.is_dir():
        return f"There is no folder {folder}: check the path, and from which folder you type."
    beside = _names([folder])
    meant = near(path.name, {*beside, *_names(_shipped()), *_meant(path)}, likeness=LIKENESS)
    lie = f"In {folder} lie {_first(beside)}." if beside else f"In {folder} lies no TOML file."
    return f"{meant} {lie}".strip()


def _meant(path: Path) -> list[str]:
    """Give what ships and may be meant: machines go by a bare name, all else by the name of its file."""
    machines = [Path(name).stem for name in _names([_machines()])]
    return _names(_shipped()) if path.suffix else machines


def _machines() -> Path:
    return Path(str(resources.files("plc"))) / "machines"


def _names(folders: Iterable[Path]) -> list[str]:
    return sorted({file.name for folder in folders for file in folder.glob("*.toml")})


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def shipped(path: Path) -> Path | None:
    """Give what ships under the name of `path`; None where nothing does."""
    return next((folder / path.name for folder in _shipped() if (folder / path.name).exists()), None)


def _shipped() -> list[Path]:
    package = Path(str(resources.files("controller")))
    return [package / "sites", package.parent / "sites"]


def is_installed(path: Path) -> bool:
    """Tell whether `path` is a site file inside the installed package, where nothing else may be written."""
    return path.resolve().parent == _shipped()[0].resolve()


def ports_in(text: str) -> list[int]:
    """Give every port that a site file names on this computer."""
    return sorted({int(found[2]) for found in _PORTS.finditer(text)})


def moved(text: str, offset: int) -> str:
    """Give the site file with every local port moved by `offset`."""
    return _PORTS.sub(lambda found: f"{found[1]}{int(found[2]) + offset}", text)


def free_offset(text: str, first: int = 0) -> int:
    """Give the first offset at which all the file's ports are free; raises Fault 4201 when none is found."""
    for n in range(MOST_OFFSETS):
        offset = first + n * OFFSET_STEP
        if all(is_free(port + offset) for port in ports_in(text)):
            return offset
    raise Fault(4201, where="ports", seen="every tried set of ports is in use", expected="free ports on 127.0.0.1")


def is_free(port: int) -> bool:
    """Tell whether `port` can be listened on at 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
