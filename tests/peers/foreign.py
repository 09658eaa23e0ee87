"""Foreign programs as peers: built or found, started, asked by lines of JSON, and ended with the test."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.peers import npm

HERE = Path(__file__).parent
BOUND_S = 30.0


class Refused(Exception):
    """The peer reports an error; says it in its own words."""


def built(folder: Path) -> Path:
    """Compile the libmodbus peer; raises CalledProcessError or OSError where that cannot be done."""
    program = folder / "modbus_peer"
    words = ["gcc", "-O2", "-I/usr/include/modbus", "-o", str(program), str(HERE / "modbus_peer.c"), "-lmodbus"]
    subprocess.run(words, check=True, capture_output=True, text=True)
    return program


def built_or_skipped(folder: Path) -> Path:
    """Compile the libmodbus peer, or skip the test that asks for it and say what to install."""
    try:
        return built(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"libmodbus is absent: install Debian's packages gcc, libc6-dev and libmodbus-dev ({error})")


async def ask(*words: str | Path) -> str:
    """Run a program to its end and give what it printed."""
    process = await asyncio.create_subprocess_exec(
        *map(str, words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
    )
    async with asyncio.timeout(BOUND_S):
        told, _ = await process.communicate()
    return told.decode()


class Peer:
    """A running program that answers each line of JSON by one."""

    def __init__(self, process: asyncio.subprocess.Process, first: dict[str, Any]) -> None:
        self._process, self.first = process, first

    async def ask(self, **order: Any) -> dict[str, Any]:
        """Ask one thing; raises Refused."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return await hear(self._process)


async def hear(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """Give the next line; raises Refused if it tells an error."""
    assert process.stdout
    async with asyncio.timeout(BOUND_S):
        line = await process.stdout.readline()
    assert line, "the peer has ended"
    told: dict[str, Any] = json.loads(line)
    if "error" in told:
        raise Refused(told["error"])
    return told


@asynccontextmanager
async def peer(*words: str | Path, packages: Path | None = None) -> AsyncIterator[Peer]:
    """Run a program that says one line when it is ready; with `packages`, a script for Node.js that finds them there."""
    command: Sequence[str | Path] = words if packages is None else (npm.node(), HERE / words[0], *words[1:])
    env = None if packages is None else {**os.environ, "NODE_PATH": str(packages / "node_modules")}
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env
    )
    try:
        yield Peer(process, await hear(process))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
