"""`packline doctor`: what this installation has, what it lacks, and what to type."""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from controller.site_file import load_site
from controller.site_security import certificate_advice, pki_folder
from controller.sites import find_site, is_free, ports_in
from controller.starting import data_of
from packline.core.clock import WallClock
from packline.core.files import FileFaults
from packline.store import sqlite_report
from scanning.decode import pyzbar_available

LIBRARIES = (
    "pymodbus",
    "asyncua",
    "python-escpos",
    "pyzbar",
    "zxing-cpp",
    "opencv-python-headless",
    "simpy",
    "sqlalchemy",
    "alembic",
    "flask",
    "gunicorn",
    "apscheduler",
    "httpx",
    "pydantic",
)
ROOMS = ("packline", "plc", "stations", "labeling", "scanning", "simulation", "web", "controller")
OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPackage:
    """A package of the operating system, by Debian's name; `lacks` says what does without it."""

    name: str
    lacks: str
    is_there: Callable[[], bool]


def _program(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


def _header(name: str) -> Callable[[], bool]:
    return lambda: (Path("/usr/include") / name).exists()


FONTS = Path("/usr/share/fonts")
SYSTEM_PACKAGES = (
    SystemPackage(name="libzbar0", lacks="zxing-cpp reads codes alone", is_there=pyzbar_available),
    SystemPackage(name="chromium", lacks="the browser tests cannot run", is_there=_program("chromium")),
    SystemPackage(
        name="fonts-noto-cjk",
        lacks="Chinese is not drawn in the browser tests",
        is_there=lambda: any(FONTS.rglob("NotoSansCJK*")),
    ),
    SystemPackage(name="mbpoll", lacks="no foreign Modbus client tries our machines", is_there=_program("mbpoll")),
    SystemPackage(name="gcc", lacks="no client in C tries our machines", is_there=_program("gcc")),
    SystemPackage(name="libc6-dev", lacks="no client in C tries our machines", is_there=_header("stdio.h")),
    SystemPackage(
        name="libmodbus-dev", lacks="no libmodbus client tries our machines", is_there=_header("modbus/modbus.h")
    ),
)
"""What the tests want of the system; `make test` installs what is missing. The line itself runs without."""


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument("site", nargs="?", type=Path, default=Path("sites/demo.toml"), help="whose ports to try")
    options.add_argument(
        "--packages", action="store_true", help="only the names of the system packages that the tests want"
    )
    options.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(chosen: argparse.Namespace) -> int:
    """Print the report; 1 if something that the line needs is missing."""
    if chosen.packages:
        print(*(package.name for package in SYSTEM_PACKAGES))
        return 0
    report = examine(chosen.site)
    if chosen.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        _print(report)
    return int(bool(report["wrong"]))


def examine(site: Path) -> dict[str, Any]:
    """Give versions, the database library, optional system packages, busy ports, and what is wrong or advisable."""
    sqlite = sqlite_report()
    report: dict[str, Any] = {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in LIBRARIES},
        "sqlite": sqlite,
        "site": _site_faults(find_site(site)),
        "certificates": _certificates(find_site(site)),
        "system": {package.name: package.is_there() for package in SYSTEM_PACKAGES},
        "busy_ports": [port for port in ports_in(find_site(site).read_text("utf-8")) if not is_free(port)],
    }
    report["wrong"] = _wrong(report)
    report["advice"] = _advice(report)
    return report


def _wrong(report: dict[str, Any]) -> list[str]:
    wrong = [f"{name} is not installed: run make setup" for name, v in report["packages"].items() if v is None]
    if sys.version_info < OLDEST_PYTHON:
        wrong.append(f"Python {report['python']}: 3.11 or newer is needed")
    wrong += report["site"]
    homes = {str(Path(str(importlib.import_module(room).__file__)).parent.parent) for room in ROOMS}
    if len(homes) > 1:
        wrong.append(f"another package took the name of a room of ours: {', '.join(sorted(homes))}")
    return wrong


def _advice(report: dict[str, Any]) -> list[str]:
    advice = [report["sqlite"]["advice"]] if report["sqlite"]["advice"] else []
    missing = [package for package in SYSTEM_PACKAGES if not report["system"][package.name]]
    advice += [f"{package.lacks}: apt-get install {package.name}" for package in missing]
    advice += report["certificates"]
    if report["busy_ports"]:
        ports = ", ".join(map(str, report["busy_ports"]))
        advice.append(f"ports in use: {ports} (packline demo moves to free ones by itself)")
    return advice


def _site_faults(site: Path) -> list[str]:
    """Give a line for each mistake of the site file."""
    try:
        load_site(site)
    except FileFaults as faults:
        return [fault.text() for fault in faults.faults]
    return []


def _certificates(site: Path) -> list[str]:
    """Give a line for each certificate of the site that runs out soon, or has."""
    try:
        pki = pki_folder(data_of(load_site(site), site))
    except FileFaults:
        return []  # that is told beside what else is wrong
    return [fault.text() for fault in certificate_advice(pki, WallClock().now())]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _print(report: dict[str, Any]) -> None:
    print(f"Python    {report['python']}")
    for name, found in report["packages"].items():
        print(f"{name:24}{found or 'missing'}")
    sqlite = report["sqlite"]
    print(
        f"SQLite    {sqlite['version']} by {sqlite['library']}, journal {sqlite['journal_mode']}, {sqlite['synchronous']}"
    )
    for line in report["wrong"]:
        print(f"WRONG     {line}")
    for line in report["advice"]:
        print(f"advice    {line}")
    if not report["wrong"]:
        print("in order")
