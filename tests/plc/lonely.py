"""A controller alone with its books and one machine: a process that the tests kill."""

from __future__ import annotations

import asyncio
import json
import os
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

from packline.core.clock import LoopClock
from packline.core.effects import APPLY, SEAL, Effect, EffectKind, EffectState, Evidence, Ticket
from packline.core.faults import Fault
from plc.drivers.opening import open_link
from plc.job_device import JobDevice
from plc.machine import Machine
from tests.plc.plants import described, hurried, wish

WORK: dict[str, tuple[EffectKind, dict[str, Any]]] = {
    "applicator": (APPLY, {}),
    "packer": (SEAL, {"length_mm": 300, "width_mm": 200, "height_mm": 100}),
}
OPEN = (EffectState.SENT, EffectState.UNKNOWN)
LOOKS = 6


class Journal:
    """Books as lines in a file: what is written is there after any kill."""

    def __init__(self, path: Path) -> None:
        self.lines: list[dict[str, Any]] = []
        if path.exists():
            self.lines = [json.loads(line) for line in path.read_text().splitlines()]
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, **line: Any) -> None:
        self.lines.append(line)
        os.write(self._file, json.dumps(line).encode() + b"\n")

    async def epoch(self, machine: str) -> int:
        return max((line["epoch"] for line in self.lines if "epoch" in line), default=0)

    async def raise_epoch(self, machine: str, epoch: int) -> None:
        self.write(epoch=epoch)

    def tickets(self) -> dict[int, Ticket]:
        """Give every job that was meant."""
        return {line["meant"]["job"]: Ticket(**line["meant"]) for line in self.lines if "meant" in line}

    def verdicts(self) -> dict[int, EffectState]:
        """Give the last word on each job."""
        return {line["job"]: EffectState(line["state"]) for line in self.lines if "state" in line}

    def undecided(self) -> list[Ticket]:
        """Give the jobs without a last word: meant, and no more was written."""
        decided = self.verdicts()
        return [ticket for job, ticket in self.tickets().items() if job not in decided]


def live(name: str, address: str, path: Path, jobs: int, owner_id: int) -> None:
    """Reconcile what an earlier life left, then do new jobs until `jobs` were meant in all."""
    asyncio.run(act(name, address, Journal(path), jobs, owner_id))


async def act(name: str, address: str, journal: Journal, jobs: int, owner_id: int) -> None:
    """Be the controller `owner_id` of machine `name` ("applicator over lean") until `jobs` were meant and settled."""
    file = hurried(described(name))
    kind, parameters = WORK[file.machine.model]
    effect = wish(kind, **parameters)
    machine = Machine(
        name="m1",
        file=file,
        link=open_link(file, address),
        epochs=journal,
        owner_id=owner_id,
        clock=LoopClock(),
        rng=random.Random(owner_id),
    )
    task = asyncio.ensure_future(machine.run())
    device = machine.device()
    for ticket in journal.undecided():
        await settle(device, journal, effect, ticket, None)
    while len(journal.tickets()) < jobs:
        try:
            await machine.make_ready()
            ticket = await device.prepare(effect, job=len(journal.tickets()) + 1)
        except Fault:
            continue  # make_ready has waited for the machine as long as it does
        journal.write(meant=asdict(ticket))
        await settle(device, journal, effect, ticket, await device.send(effect, ticket))
    task.cancel()
    await asyncio.wait({task})


async def settle(device: JobDevice, journal: Journal, effect: Effect, ticket: Ticket, sent: Evidence | None) -> None:
    """Ask until there is a word; UNKNOWN stands if it is still so after some looks."""
    evidence = sent
    for _ in range(LOOKS):
        if evidence is not None and evidence.state not in OPEN:
            break
        evidence = await device.inquire(effect, ticket)
    assert evidence is not None
    journal.write(job=ticket.job, state=evidence.state)
