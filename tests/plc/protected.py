"""Machines behind protected connections, and who is reached by them: certificates, shields, and what may be wrong with them."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from packline.core.clock import LoopClock
from plc.brains import brain_for
from plc.handshake import frames
from plc.machine_file import MachineFile, shipped_machine
from plc.memory_link import MemoryMachine
from plc.security import Allow, LinkBarred, Reach, Unprotected
from plc.trust import TrustFolder
from simulation.mounts.shield import Shield
from tests.plc.craft import CLIENT, Made, key, made, secured, uses

ANY = "127.0.0.1:0"


def patient(file: MachineFile) -> MachineFile:
    """Give a machine that waits longer than any busy computer makes it."""
    return file.model_copy(update={"machine": file.machine.model_copy(update={"request_timeout_ms": 10_000})})


HASTY_ARM = shipped_machine("applicator")
"""For faults that are known only when the time of a request is over."""
ARM, PACKER = patient(HASTY_ARM), patient(shipped_machine("packer"))
DAY = timedelta(days=1)
PASSWORD = "correct horse battery staple"
OPEN = Reach(protection=Unprotected(why="a test on the loopback"))

DEFECTS = [
    pytest.param({}, {"trusted": False}, 1011, id="untrusted"),
    pytest.param({"begins": -9 * DAY, "ends": -DAY}, {}, 1012, id="expired"),
    pytest.param({"begins": DAY}, {}, 1012, id="not yet valid"),
    pytest.param({"hosts": ("10.9.9.9",)}, {}, 1013, id="another host"),
    pytest.param({}, {"server_name": "plc-7"}, 1013, id="not the host that is wanted"),
    pytest.param({"purposes": CLIENT}, {}, 1014, id="no server"),
    pytest.param({"usage": uses(digital_signature=False)}, {}, 1014, id="may not sign"),
    pytest.param({"secret": key(1024)}, {}, 1014, id="weak key"),
]


class Plant:
    """A machine behind its mount, as BlockDevice."""

    def __init__(self, file) -> None:
        self._file = file
        self.memory = MemoryMachine(brain=brain_for(file, random.Random(1)), clock=LoopClock())
        self.memory.boot()
        self.written: list[str] = []

    def read(self, block):
        self.memory.scan()
        return self.memory.brain.status_words() if block == frames.STATUS else (0,) * frames.BLOCK_WORDS[block]

    def write(self, block, words, offset=0):
        self.written.append(block)

    def tag_values(self):
        return {expected.tag: expected.equals for expected in self._file.expect.values()}

    def write_tag(self, name, value):
        self.written.append(name)


@cache
def controllers_certificate() -> Made:
    return made(name="controller", uri="urn:test:packline", secret=key(2048, 3))


def shield_of(folder: Path, server: Made, client: Made | None, policy: str, **more) -> Shield:
    clients = folder / "clients"
    clients.mkdir(parents=True, exist_ok=True)
    if client is not None:
        TrustFolder(folder).trust(client.certificate).rename(clients / "controller.pem")
    return Shield(policy=policy, own=server.kept(folder), clients=clients, **more)


def reach_to(
    pki: Path, server: Made, policy: str, *, trusted: bool = True, allow: Allow | None = None, **more
) -> Reach:
    if trusted:
        TrustFolder(pki).trust(server.certificate)
    return Reach(protection=secured(pki, policy, **more), allow=allow or Allow())


async def barred(link) -> LinkBarred:
    """Give the fault by which a link refuses to be used."""
    try:
        await link.connect()
        await link.read(frames.STATUS)
    except LinkBarred as fault:
        return fault
    finally:
        await link.close()
    raise AssertionError("the link was taken")
