"""Turns effects into writes of a plain machine's tags, and judges them by its evidence tags only. Stores nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from packline.core.clock import Clock
from packline.core.effects import Effect, EffectState, Evidence, Ticket
from packline.core.faults import Fault
from plc.links import LinkTrouble, Value
from plc.machine_file import MachineFile
from plc.machine_jobs import PlainJob, PlainWrite, Proof, job_for
from plc.machine_view import MachineView
from plc.tags.codec import modulus
from plc.tags.values import TagValue

FRESH_S = 5.0
RESET_S = 3.0
PAUSE_S = 0.02
"""Between two looks at evidence, so that a bad value keeps nobody busy."""
WITNESS = "machine's tags"


class Tagged(Protocol):
    """The plain machine as far as jobs need it."""

    @property
    def name(self) -> str: ...

    @property
    def file(self) -> MachineFile: ...

    def view(self) -> MachineView: ...

    def value(self, tag: str) -> TagValue: ...

    async def write(self, tag: str, value: Value, *, lease_s: float | None = None) -> None: ...

    async def fresh(self, tags: Iterable[str], timeout_s: float) -> bool:
        """Wait for values that were taken after this call; False if one did not come."""
        ...

    async def until(self, predicate: Callable[[], bool], timeout_s: float) -> bool: ...


class PlainDevice:
    """effects.Device over plain tags: a job is written once and never again; what became of it is read from its evidence.

    A lost answer, a restart of the controller and a time-out leave it UNKNOWN unless the evidence shows its end. Nothing is
    written for a job of an earlier run.
    """

    def __init__(self, machine: Tagged, clock: Clock) -> None:
        self._machine, self._clock = machine, clock
        self._turn = asyncio.Lock()
        self._unsent: set[int] = set()
        self._sent: dict[int, float] = {}

    async def prepare(self, effect: Effect, job: int) -> Ticket:
        """See that the machine is free and note what its evidence shows before; raises Fault when it cannot take a job now."""
        part = self._job(effect)
        part.values(effect.parameters, self._where(effect))
        self._demand_good()
        async with self._turn:
            await self._demand_fresh(part)
            if self._shown(part, {}):
                await self._clear(effect, part)
        before = {tag: self._machine.value(tag).value for tag in part.evidence()}
        self._unsent = {job}
        self._sent = {}
        return Ticket(machine=self._machine.name, boot=self._machine.view().boot, job=job, extra={"before": before})

    async def send(self, effect: Effect, ticket: Ticket) -> Evidence:
        """Write the job's tags once; SENT if every answer came, UNKNOWN if one did not."""
        async with self._turn:
            if ticket.job not in self._unsent:
                return await self.inquire(effect, ticket)
            self._unsent.discard(ticket.job)
            view = self._machine.view()
            if not view.is_good or view.boot != ticket.boot:
                return Evidence(state=EffectState.NOT_EXECUTED, source="never sent", fault=1002)
            part = self._job(effect)
            values = part.values(effect.parameters, self._where(effect))
            try:
                for write in part.write:
                    await self._write(write, values, part.timeout_s)
            except (LinkTrouble, Fault) as trouble:
                data = {"seen": str(trouble)}
                return Evidence(state=EffectState.UNKNOWN, source="no answer", data=data, fault=trouble.code)
            self._sent[ticket.job] = self._clock.monotonic()
        return Evidence(state=EffectState.SENT, source="written")

    async def inquire(self, effect: Effect, ticket: Ticket) -> Evidence:
        """Wait for the evidence, up to the job's time-out since it was written, else since now; reads only.

        The reset is written if this run wrote the job and every answer came.
        """
        if ticket.job in self._unsent:
            return Evidence(state=EffectState.NOT_EXECUTED, source="never sent")
        part = self._job(effect)
        ends_at = self._sent.get(ticket.job, self._clock.monotonic()) + part.timeout_s
        evidence = await self._look(part, ticket)
        while evidence is None and (left := ends_at - self._clock.monotonic()) > 0:
            await self._machine.until(lambda: self._is_over(part, ticket), left)
            await self._clock.sleep(PAUSE_S)
            evidence = await self._look(part, ticket)
        if evidence is None:
            return Evidence(state=EffectState.UNKNOWN, source=WITNESS, fault=2005)
        if evidence.state is not EffectState.UNKNOWN and self._sent.pop(ticket.job, None) is not None:
            await self._reset(part)
        return evidence

    # -- evidence ------------------------------------------------------------------------------------------------------

    async def _look(self, part: PlainJob, ticket: Ticket) -> Evidence | None:
        """Judge by values taken after this call; None while they show no end."""
        if not await self._machine.fresh(self._telling(part), FRESH_S):
            faults = self._machine.view().faults
            return Evidence(state=EffectState.UNKNOWN, source="no answer", fault=faults[0] if faults else 1002)
        shown = self._shown(part, ticket.extra.get("before") or {})
        data = {tag: self._machine.value(tag).value for tag in part.evidence()}
        boot = self._machine.view().boot
        if ticket.boot != boot:
            # a machine that started again has lost its counters and levels: they prove nothing of before
            return Evidence(state=EffectState.UNKNOWN, source=WITNESS, data=data, fault=2004 if boot else 1009)
        if shown == {"done"}:
            return await self._done(part, ticket, data)
        if shown == {"failed"}:
            return Evidence(state=EffectState.FAILED, source=WITNESS, data=data, fault=2006)
        if shown:
            return Evidence(state=EffectState.UNKNOWN, source=WITNESS, data=data, fault=2005)
        return None

    def _telling(self, part: PlainJob) -> tuple[str, ...]:
        """Name the tags of a job's evidence, and the number of starts: a machine that has just started again proves nothing by them."""
        starts = self._machine.file.capability.get("boot")
        return (*part.evidence(), starts) if starts else part.evidence()

    async def _done(self, part: PlainJob, ticket: Ticket, data: Mapping[str, Any]) -> Evidence:
        """Confirm, with the results if they were read while the proof stood; one that is not good now is None."""
        results: dict[str, Any] = {}
        if part.results:
            is_fresh = await self._again(part.results.values())
            seen = {name: self._machine.value(tag) for name, tag in part.results.items()}
            is_fresh = is_fresh and await self._again(part.evidence())
            still = is_fresh and self._shown(part, ticket.extra.get("before") or {}) == {"done"}
            results = {name: value.value if still and value.is_good else None for name, value in seen.items()}
        return Evidence(state=EffectState.CONFIRMED, source=WITNESS, data={**data, **results})

    async def _again(self, tags: Iterable[str]) -> bool:
        """Wait for values that are newer than all that was read before."""
        await self._clock.sleep(PAUSE_S)
        return await self._machine.fresh(tags, FRESH_S)

    def _is_over(self, part: PlainJob, ticket: Ticket) -> bool:
        is_lost = any(not self._machine.value(tag).is_good for tag in part.evidence())
        return is_lost or bool(self._shown(part, ticket.extra.get("before") or {}))

    def _shown(self, part: PlainJob, before: Mapping[str, Any]) -> set[str]:
        """Name the ends that the evidence shows now; a level counts only if `before` did not show it already."""
        return {
            name
            for name, proof in (("done", part.done), ("failed", part.failed))
            if proof is not None and self._holds(proof, before.get(proof.tag))
        }

    def _holds(self, proof: Proof, before: Value | None) -> bool:
        seen = self._machine.value(proof.tag)
        if not seen.is_good or seen.value is None:
            return False
        return proof.holds(seen.value, before, modulus(self._machine.file.tags[proof.tag]))

    # -- writing -------------------------------------------------------------------------------------------------------

    async def _clear(self, effect: Effect, part: PlainJob) -> None:
        """Take an end back that is still shown: the reset of an earlier job was lost, or never written."""
        await self._reset(part)
        await self._machine.until(lambda: not self._shown(part, {}), RESET_S)
        if self._shown(part, {}):
            raise Fault(2003, where=self._where(effect), seen="the end of an earlier job", expected="an idle machine")

    async def _reset(self, part: PlainJob) -> None:
        """Write the reset; one that is lost is owed to the next job."""
        try:
            for write in part.reset:
                await self._write(write, {}, part.timeout_s)
        except (LinkTrouble, Fault):
            return

    async def _write(self, write: PlainWrite, values: Mapping[str, Value], lease_s: float) -> None:
        value = values[write.source] if write.source is not None else write.value
        assert value is not None  # noqa: S101 - the file says either
        is_held = self._machine.file.tags[write.tag].safe is not None
        await self._machine.write(write.tag, value, lease_s=lease_s if is_held else None)

    # -- what must hold ------------------------------------------------------------------------------------------------

    def _demand_good(self) -> None:
        fault = self._machine.view().reason()
        if fault:
            raise fault

    async def _demand_fresh(self, part: PlainJob) -> None:
        tags = part.evidence()
        if not await self._machine.fresh(tags, FRESH_S) or not all(self._machine.value(tag).is_good for tag in tags):
            raise Fault(1009, where=self._machine.name, seen=", ".join(tags), expected="good values")

    def _where(self, effect: Effect) -> str:
        return f"{self._machine.name} {effect.kind.name}"

    def _job(self, effect: Effect) -> PlainJob:
        return job_for(effect.kind.name, self._machine.file.plain_jobs, self._machine.name)
