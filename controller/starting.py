"""What every process of `packline up` does first: the site file, the data folder, logging, the secret."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import secrets
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from controller.site import Site
from controller.site_file import load_site
from controller.sites import is_installed
from controller.supervisor import STOP_S, die_with_supervisor
from packline.core.faults import Fault

DATABASE = "packline.db"
LEVELS = ("INFO", "DEBUG", "WARNING", "ERROR")
"""What PACKLINE_LOG may be; the first is meant where it is left out."""
SECRET_BYTES = 32
PATIENCE_S = STOP_S + 2.0
"""The controller of an `up` that was killed takes so long to end at most; its successor must not be given up before."""
LOOK_S = 0.1
_NOISY = {"httpx": "WARNING", "httpcore": "WARNING", "apscheduler": "WARNING", "alembic": "WARNING"}
_NOISIER = {"asyncua": "CRITICAL", "pymodbus": "CRITICAL"}
"""Libraries that log each failed try; the machine's own log has the first failure and the recovery."""


def data_of(site: Site, path: Path) -> Path:
    """Give the absolute data folder of the site file at `path`.

    PACKLINE_DATA comes first. A relative `data` lies beside the site file, so that every command finds the same books
    from any folder. The site file inside an installed package is nobody's: its books lie under the user's own state.
    """
    if chosen := os.environ.get("PACKLINE_DATA"):
        return Path(chosen).resolve()
    declared = Path(site.site.data)
    if is_installed(path) and not declared.is_absolute():
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        return Path(state).resolve() / "packline" / site.site.name
    return (path.resolve().parent / declared).resolve()


def database_url(data: Path) -> str:
    """Give the database of a data folder, or the one that the environment names."""
    return os.environ.get("PACKLINE_DATABASE") or f"sqlite:///{data / DATABASE}"


def books_file(data: Path) -> Path | None:
    """Give the absolute file of the books; None where the environment names a database server."""
    scheme, _, path = database_url(data).partition(":///")
    return Path(path).resolve() if scheme == "sqlite" else None


def secret_of(data: Path) -> bytes:
    """Give the site's signing secret, made on first use and readable by its owner only."""
    data.mkdir(parents=True, exist_ok=True)
    path = data / "secret.key"
    with contextlib.suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
    return path.read_bytes()


def demand_log_level() -> None:
    """Raise Fault 4201 for a PACKLINE_LOG that no process of the line would take."""
    if (level := os.environ.get("PACKLINE_LOG", LEVELS[0])) not in LEVELS:
        remedy = "Mend this variable of the environment, or leave it out."
        raise Fault(4201, where="PACKLINE_LOG", seen=level, expected=f"one of {', '.join(LEVELS)}", remedy=remedy)


def prepare() -> None:
    """Set up logging to standard error and the watch on the supervisor."""
    level = os.environ.get("PACKLINE_LOG", LEVELS[0])
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for name, least in {**_NOISY, **_NOISIER}.items():
        logging.getLogger(name).setLevel(least)
    die_with_supervisor()


def site_and_data(path: Path) -> tuple[Site, Path]:
    """Read the site file and make its data folder."""
    site = load_site(path)
    data = data_of(site, path)
    data.mkdir(parents=True, exist_ok=True)
    return site, data


def ending_signals() -> list[signal.Signals]:
    """Give the signals that end a line cleanly; a terminal that closes is one, unless whoever started us said otherwise (nohup)."""
    is_to_outlive = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [signal.SIGTERM, signal.SIGINT, *([] if is_to_outlive else [signal.SIGHUP])]


@contextlib.contextmanager
def only_one(data: Path, what: str = "controller", *, patience_s: float = 0.0) -> Iterator[None]:
    """Hold a lock of the data folder; who comes second on the same books waits `patience_s`, says so and ends."""
    looks_left = round(patience_s / LOOK_S)
    with (data / f"{what}.lock").open("w") as lock:
        while not _is_locked_by_us(lock):
            if not looks_left:
                raise SystemExit(f"another {what} works in {data}; stop it first")
            threading.Event().wait(LOOK_S)
            looks_left -= 1
        yield


def _is_locked_by_us(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
