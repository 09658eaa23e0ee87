"""Has a machine do one job, with nothing around it: no orders, no books. What proves the end is told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any

from controller.integrator.target import Target
from packline.core.clock import Clock
from packline.core.effects import KINDS, Effect, Evidence
from packline.core.faults import Fault
from packline.core.files import near
from plc.drivers.opening import open_link
from plc.kinds import LiveMachine, make_machine

ONLY_JOB = 1
BY_PARAM = "Type --param NAME=NUMBER once for each parameter that the job takes, and no other."
ANSWER_S = 5.0
REQUESTS = 3
"""A machine that is connected and says nothing is given up after ANSWER_S seconds, or the time of so many of its requests."""


class MemoryEpochs:
    """Epochs of a run that keeps no books: the machine's own is the greater one, so a try still fences."""

    def __init__(self) -> None:
        self._epochs: dict[str, int] = {}

    async def epoch(self, machine: str) -> int:
        """Give the greatest epoch of this run."""
        return self._epochs.get(machine, 0)

    async def raise_epoch(self, machine: str, epoch: int) -> None:
        """Keep it for this run."""
        self._epochs[machine] = max(epoch, self._epochs.get(machine, 0))


async def try_job(
    target: Target, kind: str, params: Mapping[str, Any], clock: Clock, tell: Callable[[str], None]
) -> Evidence:
    """Connect, lead the machine to where it takes jobs, do one, and give the evidence; raises Fault and LinkTrouble.

    A connection that does not come is not tried again: whoever typed it is waiting.
    """
    effect = _effect(target, kind, params)
    link = open_link(target.file, target.address, target.reach)
    rng = random.Random()  # noqa: S311 - jitter and an owner's number, no secret
    machine = make_machine(
        name=target.name,
        file=target.file,
        link=link,
        epochs=MemoryEpochs(),
        owner_id=rng.randrange(1, 1 << 32),
        clock=clock,
        rng=rng,
    )
    tell(f"connecting to {target.address}")
    try:
        await link.connect()
    finally:
        await link.close()  # the machine's own task connects afresh
    life = asyncio.create_task(machine.run())
    try:
        await hear(machine)
        await machine.make_ready()
        tell("the machine takes jobs; sending the job")
        device = machine.device()
        ticket = await device.prepare(effect, ONLY_JOB)
        sent = await device.send(effect, ticket)
        tell(f"sent: {sent.state}; waiting for its end")
        return await device.inquire(effect, ticket)
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)


async def hear(machine: LiveMachine) -> None:
    """Wait for a picture of the machine that is good; raises the fault of its link when there is none, or it is not the right one."""
    most_s = max(ANSWER_S, REQUESTS * machine.file.machine.request_timeout_ms / 1000)
    await machine.until(lambda: machine.view().is_good or machine.view().refusal is not None, most_s)
    view = machine.view()
    if not view.is_good and (fault := view.reason()):
        raise fault


def demand_job(target: Target, kind: str, params: Mapping[str, Any]) -> None:
    """Raise Fault 4201 for a job that the machine does not have, or parameters that it does not take; touches nothing."""
    where = f"{target.name} {kind}"
    _effect(target, kind, params)
    try:
        if target.file.is_plain:
            target.file.plain_jobs[kind].values(params, where)
        else:
            target.file.commands[kind].words(params, where)
    except Fault as fault:
        raise Fault(4201, where=fault.where, seen=fault.seen, expected=fault.expected, remedy=BY_PARAM) from fault


def _effect(target: Target, kind: str, params: Mapping[str, Any]) -> Effect:
    if kind not in target.file.jobs:
        jobs = sorted(target.file.jobs)
        expected = f"one of its jobs: {', '.join(jobs) or 'it has none'}"
        raise Fault(
            4201, where=target.name, seen=kind, expected=expected, remedy=near(kind, jobs) or "Type one of these jobs."
        )
    return Effect(kind=KINDS[kind], subject="try", generation=0, station="try", parameters=dict(params))
