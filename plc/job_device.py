"""Turns effects into jobs of the handshake and judges them: the machine's side of the effects ledger. Stores nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from packline.core.effects import Effect, EffectState, Evidence, Ticket
from plc.handshake.controller_rules import ControllerBrain
from plc.handshake.frames import Command, Refusal, Result, Status, identity
from plc.handshake.verdicts import Intent, Verdict, judge, look
from plc.machine_file import MachineFile
from plc.machine_jobs import Job, job_for
from plc.machine_view import MachineView

ACCEPT_S = 3.0
TAKEN = "was_taken"
"""In the ticket of a job that the machine was seen to have accepted."""
MOST_TAKEN = 64
OWN_S = 5.0
WITNESS = "machine memory"

_REFUSAL_FAULTS = {
    Refusal.NOT_OWNER: 1101,
    Refusal.BAD_STATE: 2001,
    Refusal.INTERLOCK: 2007,
}


class Driven(Protocol):
    """The machine as far as jobs and commands need it."""

    @property
    def name(self) -> str: ...

    @property
    def file(self) -> MachineFile: ...

    @property
    def brain(self) -> ControllerBrain: ...

    def view(self) -> MachineView: ...

    def poke(self) -> None:
        """Let the link's task write what is due now."""
        ...

    async def until(self, predicate: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `predicate` holds, looking at every status; False when the time is out."""
        ...


class JobDevice:
    """effects.Device over one machine; `judging` is the rule by which a fenced ticket is judged."""

    def __init__(self, machine: Driven, judging: Callable[[Status, Intent], Verdict] = judge) -> None:
        self._machine, self._judge = machine, judging
        self._brain = machine.brain
        self._sending = asyncio.Lock()
        self._unsent: set[tuple[int, int]] = set()
        self._newest_sent = (0, 0)
        self._taken: deque[int] = deque(maxlen=MOST_TAKEN)

    async def prepare(self, effect: Effect, job: int) -> Ticket:
        """Choose epoch and sequence; raises Fault when the machine cannot take a job now, or the parameters are wrong."""
        self._words(effect)
        if self._brain.is_owner and self._brain.must_fence_for_seq:
            await self._fence()
        fault = self._machine.view().reason()
        if fault:
            raise fault
        epoch, seq = self._brain.epoch, self._brain.next_seq()
        self._unsent = {(e, s) for e, s in self._unsent if e == epoch} | {(epoch, seq)}
        seen = {"ack": self._brain.status.ack} if self._brain.status else {}
        return Ticket(machine=self._machine.name, epoch=epoch, sequence=seq, boot=self._brain.boot, job=job, extra=seen)

    async def send(self, effect: Effect, ticket: Ticket) -> Evidence:
        """Write the job's block until the machine takes it; SENT, a final word, or UNKNOWN after 3 s of silence."""
        intent, number = self._intent(ticket), (ticket.epoch, ticket.sequence)
        async with self._sending:
            if not self._is_present(ticket) or number < self._newest_sent:
                return await self._too_late(effect, ticket)
            self._newest_sent = number
            self._unsent.discard(number)
            self._brain.submit(self._command(effect, ticket))
            self._machine.poke()
            try:
                await self._machine.until(lambda: self._is_answered(ticket, intent), ACCEPT_S)
            finally:
                self._brain.withdraw()
        if not self._is_present(ticket) or self._looked(intent) is Verdict.REFUSED:
            return await self.inquire(effect, ticket)
        return self._evidence(effect, self._looked(intent), None)

    async def inquire(self, effect: Effect, ticket: Ticket) -> Evidence:
        """Judge a ticket of this or an earlier run by the machine's memory, waiting for its end up to the job's time-out.

        A job that is not there is given up only after a new fence. SENT means it still runs after all that time.
        """
        intent = self._intent(ticket)
        refusal = self._refusal(intent)
        verdict = await self._verdict(ticket, intent)
        if verdict is Verdict.RUNNING:
            await self._machine.until(lambda: self._has_moved_on(intent), self._job(effect).timeout_s)
            verdict = await self._verdict(ticket, intent)
        return self._evidence(effect, verdict, refusal)

    async def _too_late(self, effect: Effect, ticket: Ticket) -> Evidence:
        """Judge a ticket whose epoch is over or that a later one overtook: if it never left, that is known for sure."""
        number = (ticket.epoch, ticket.sequence)
        if number in self._unsent:
            self._unsent.discard(number)
            return Evidence(state=EffectState.NOT_EXECUTED, source="never sent")
        return await self.inquire(effect, ticket)

    # -- judging -------------------------------------------------------------------------------------------------------

    async def _verdict(self, ticket: Ticket, intent: Intent) -> Verdict | None:
        """Give what is known, fencing if it takes that; None while the machine cannot be asked."""
        if not await self._own():
            return None
        if self._is_present(ticket):
            seen = self._looked(intent)
            if seen not in (Verdict.PENDING, Verdict.REFUSED):
                return seen
            if not await self._fence():
                return None
        status = self._brain.status
        return self._judge(status, self._intent(ticket)) if status else None

    async def _own(self) -> bool:
        return await self._machine.until(self._is_sure, OWN_S)

    async def _fence(self) -> bool:
        self._brain.want_fence()
        self._machine.poke()
        return await self._own()

    def _is_sure(self) -> bool:
        view = self._machine.view()
        return view.is_good and view.owned

    def _is_present(self, ticket: Ticket) -> bool:
        return self._brain.is_owner and ticket.epoch == self._brain.epoch

    def _looked(self, intent: Intent) -> Verdict:
        seen = look(self._brain.status, intent) if self._brain.status else Verdict.PENDING
        if seen in (Verdict.RUNNING, Verdict.ENDED) and intent.id not in self._taken:
            self._taken.append(intent.id)
        return seen

    def _intent(self, ticket: Ticket) -> Intent:
        number = identity(ticket.epoch, ticket.sequence)
        return Intent(
            id=number,
            job=ticket.job,
            boot=ticket.boot,
            ack=int(ticket.extra.get("ack", 0)),
            was_taken=bool(ticket.extra.get(TAKEN)) or number in self._taken,
            is_forgotten=self._brain.has_forgotten(ticket.epoch),
        )

    def _is_answered(self, ticket: Ticket, intent: Intent) -> bool:
        """Tell whether to stop writing; BUSY is worth waiting for, because the block is taken once the other job ends."""
        if not self._is_present(ticket):
            return True
        seen = self._looked(intent)
        return seen is not Verdict.PENDING and self._refusal(intent) is not Refusal.BUSY

    def _has_moved_on(self, intent: Intent) -> bool:
        return not self._brain.is_owner or self._looked(intent) is not Verdict.RUNNING

    def _refusal(self, intent: Intent) -> Refusal | None:
        status = self._brain.status
        if status is None or status.rej != intent.id or status.ack == intent.id or not status.rej_code:
            return None
        return Refusal(status.rej_code) if status.rej_code in Refusal.__members__.values() else Refusal.BAD_PARAMETER

    # -- wording -------------------------------------------------------------------------------------------------------

    def _evidence(self, effect: Effect, verdict: Verdict | None, refusal: Refusal | None) -> Evidence:
        if verdict is Verdict.ENDED and self._brain.status:
            return self._ended(effect, self._brain.status)
        if verdict is Verdict.RUNNING:
            fault = self._first_fault(None)
            return Evidence(
                state=EffectState.SENT, source=WITNESS, data=self._reported(), fault=fault, remember={TAKEN: True}
            )
        if verdict is Verdict.NOT_EXECUTED:
            fault = _REFUSAL_FAULTS.get(refusal, 2003) if refusal else None
            data = {"refusal": refusal.name.lower()} if refusal else {}
            return Evidence(state=EffectState.NOT_EXECUTED, source=WITNESS, data=data, fault=fault)
        if verdict is Verdict.UNKNOWN:
            return Evidence(state=EffectState.UNKNOWN, source=WITNESS, fault=2005)
        return Evidence(state=EffectState.UNKNOWN, source="no answer", fault=self._first_fault(2005))

    def _ended(self, effect: Effect, status: Status) -> Evidence:
        data: dict[str, Any] = dict(self._job(effect).read_results(status.data))
        if status.result == Result.OK:
            return Evidence(state=EffectState.CONFIRMED, source=WITNESS, data=data)
        data |= {"error": status.error}
        if status.result == Result.FAILED:
            fault = self._machine.file.faults.errors.get(str(status.error), 2006)
            return Evidence(state=EffectState.FAILED, source=WITNESS, data=data, fault=fault)
        # aborted or interrupted in mid-motion: none, a part or all of it happened
        fault = 2004 if status.result == Result.INTERRUPTED else 2005
        return Evidence(state=EffectState.UNKNOWN, source=WITNESS, data=data, fault=fault)

    def _reported(self) -> dict[str, Any]:
        """Name the machine and its own fault numbers, while it reports any."""
        numbers = self._machine.view().own_faults
        return {"machine": self._machine.name, "own_faults": list(numbers)} if numbers else {}

    def _first_fault(self, otherwise: int | None) -> int | None:
        faults = self._machine.view().faults
        return faults[0] if faults else otherwise

    def _command(self, effect: Effect, ticket: Ticket) -> Command:
        return Command(
            epoch=ticket.epoch,
            seq=ticket.sequence,
            code=self._job(effect).code,
            params=self._words(effect),
            job=ticket.job,
        )

    def _words(self, effect: Effect) -> tuple[int, ...]:
        where = f"{self._machine.name} {effect.kind.name}"
        return self._job(effect).words(effect.parameters, where)

    def _job(self, effect: Effect) -> Job:
        return job_for(effect.kind.name, self._machine.file.commands, self._machine.name)
