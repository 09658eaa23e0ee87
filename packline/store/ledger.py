"""The effects ledger: the intent is committed before the first byte leaves; what is in doubt is asked after, not repeated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from packline.core.clock import Clock
from packline.core.effects import (
    OPEN_STATES,
    Device,
    Effect,
    EffectKind,
    EffectState,
    Evidence,
    OpenEffect,
    Outcome,
    Ticket,
)
from packline.core.faults import Fault
from packline.core.ids import Ids
from packline.core.wire_words import no_answer
from packline.store import effect_rows, serials
from packline.store.codec import plain
from packline.store.effect_rows import EffectRow
from packline.store.writer import Writer

MOST_ASK_S = 90.0
"""A job that runs longer is answered as SENT, so that its station can say so."""
MOST_QUESTIONS = 600
QUESTION_PAUSE_S = 0.1
"""A machine that still runs is asked again after this pause, at most MOST_QUESTIONS times; then its job is in doubt."""

_Key = tuple[str, EffectKind, int]


@dataclass(slots=True)
class _Turn:
    """Whose turn it is with one effect, and how many wait."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class StoredLedger:
    """Implements `packline.core.effects.Ledger`."""

    def __init__(self, writer: Writer, clock: Clock, ids: Ids) -> None:
        self._writer = writer
        self._clock = clock
        self._ids = ids
        self._turns: dict[_Key, _Turn] = {}

    async def perform(self, effect: Effect, device: Device) -> Outcome:
        """Do `effect` at most once (if its kind is once) and say what is known.

        Answers CONFIRMED, FAILED and VOIDED as they are; inquires after what is open; sends what is new, what is proved
        not executed, and what is in doubt but may be repeated. Raises what `prepare` raises, nothing of a lost link.
        """
        async with self._turn(effect):
            row = await self._writer.read(lambda connection: effect_rows.row_of(connection, *_key(effect)))
            is_taken = False
            if row is None or _may_go_again(row):
                row, is_taken = await self._send(await self._intend(effect, device, row), device)
            # A machine that has the job is asked to its end, also if a person said "not done" meanwhile: it may do it yet.
            if is_taken or row.state in OPEN_STATES:
                row = await self._inquire(row, device)
            return row.outcome

    async def ask(self, effect: Effect, device: Device) -> Outcome:
        """Ask after a row and write down the answer; sends nothing. Raises Fault 5101 for an effect never intended."""
        async with self._turn(effect):
            row = await self._writer.read(lambda connection: effect_rows.row_of(connection, *_key(effect)))
            if row is None:
                raise Fault(5101, where=effect.subject, seen=f"no {effect.kind.name} {effect.generation} to ask after")
            if row.state in OPEN_STATES:
                row = await self._inquire(row, device)
            return row.outcome

    async def settle(self, effect_id: str, evidence: Evidence) -> Outcome:
        """Write later evidence (camera, scan, a person) into a row; raises Fault 5101 for an impossible step."""
        at = self._clock.now()
        row = await self._writer.write(lambda connection: effect_rows.settle(connection, effect_id, evidence, at))
        return row.outcome

    async def find(self, kind: EffectKind, subject: str, generation: int) -> OpenEffect | None:
        """Give the row of one effect, in whatever state; None if it was never intended."""
        row = await self._writer.read(lambda connection: effect_rows.row_of(connection, subject, kind, generation))
        return None if row is None else _as_read_back(row)

    async def open_effects(self, station: str | None = None) -> list[OpenEffect]:
        """List what is not settled, oldest first."""
        rows = await self._writer.read(lambda connection: effect_rows.open_rows(connection, station))
        return [_as_read_back(row) for row in rows]

    async def _intend(self, effect: Effect, device: Device, before: EffectRow | None) -> EffectRow:
        job = await self._writer.write(lambda connection: serials.advance(connection, "job"))
        ticket = await device.prepare(effect, job)
        row = self._intent(effect, ticket, before)
        at = self._clock.now()
        return await self._writer.write(lambda connection: effect_rows.intend(connection, row, at))

    def _intent(self, effect: Effect, ticket: Ticket, before: EffectRow | None) -> EffectRow:
        evidence = Evidence(state=EffectState.INTENDED, source="intent")
        # The device gets its ticket as it will be read back, so that a crash shows it nothing new.
        ticket = replace(ticket, extra=plain(ticket.extra))
        if before is not None:
            return replace(
                before,
                effect=effect,
                state=EffectState.INTENDED,
                attempt=before.attempt + 1,
                ticket=ticket,
                evidence=evidence,
            )
        return EffectRow(
            effect_id=self._ids.ulid(int(self._clock.now().timestamp() * 1000)),
            effect=effect,
            state=EffectState.INTENDED,
            attempt=1,
            ticket=ticket,
            evidence=evidence,
        )

    async def _send(self, row: EffectRow, device: Device) -> tuple[EffectRow, bool]:
        """Hand the job over; gives the row, and whether the device took the job and has not ended it."""
        evidence = await _heard(device.send(row.effect, row.ticket))
        return await self._witness(row, evidence), evidence.state is EffectState.SENT

    async def _inquire(self, row: EffectRow, device: Device) -> EffectRow:
        began = self._clock.monotonic()
        for _ in range(MOST_QUESTIONS):
            evidence = await _heard(device.inquire(row.effect, row.ticket))
            if evidence.state is not EffectState.SENT:
                return await self._witness(row, evidence)
            if row.state is EffectState.INTENDED:
                row = await self._witness(row, evidence)
            if self._clock.monotonic() - began >= MOST_ASK_S:
                return row  # it still runs: the station holds, rings, and asks again
            await self._clock.sleep(QUESTION_PAUSE_S)
        data = {"questions": MOST_QUESTIONS}
        return await self._witness(row, Evidence(state=EffectState.UNKNOWN, source="ledger", data=data, fault=2005))

    async def _witness(self, row: EffectRow, evidence: Evidence) -> EffectRow:
        at = self._clock.now()
        return await self._writer.write(lambda connection: effect_rows.witness(connection, row, evidence, at))

    @asynccontextmanager
    async def _turn(self, effect: Effect) -> AsyncIterator[None]:
        key = _key(effect)
        turn = self._turns.setdefault(key, _Turn())
        turn.users += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.users -= 1
            if not turn.users:
                del self._turns[key]


def _key(effect: Effect) -> _Key:
    return effect.subject, effect.kind, effect.generation


def _as_read_back(row: EffectRow) -> OpenEffect:
    return OpenEffect(effect_id=row.effect_id, effect=row.effect, ticket=row.ticket, state=row.state)


def _may_go_again(row: EffectRow) -> bool:
    if row.state is EffectState.NOT_EXECUTED:
        return True
    return row.state is EffectState.UNKNOWN and not row.effect.kind.once


async def _heard(answer: Awaitable[Evidence]) -> Evidence:
    """Give what a device says; a device that fails to say leaves a doubt."""
    try:
        return await answer
    except Fault as fault:
        data = {"where": fault.where, "seen": fault.seen}
        return Evidence(state=EffectState.UNKNOWN, source="lost answer", data=data, fault=fault.code)
    except (OSError, TimeoutError) as error:
        data = {"seen": no_answer(error)}
        return Evidence(state=EffectState.UNKNOWN, source="lost answer", data=data, fault=2005)
