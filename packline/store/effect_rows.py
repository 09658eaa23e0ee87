"""Rows of effects: the ticket, the state and the latest evidence; every step stays in the history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from packline.core.effects import (
    APPLY,
    EFFECT_TABLE,
    KINDS,
    OPEN_STATES,
    PRINT,
    Effect,
    EffectKind,
    EffectState,
    Evidence,
    Outcome,
    Ticket,
)
from packline.core.faults import Fault
from packline.store.codec import plain
from packline.store.journal import Entry, append
from packline.store.prepared import Change, one_of, question
from packline.store.schema import effect, effect_history, parcel, unit

_BY_KEY = question(
    select(effect).where(
        effect.c.subject == bindparam("subject"),
        effect.c.kind == bindparam("kind"),
        effect.c.generation == bindparam("generation"),
    )
)
_BY_ID = question(select(effect).where(effect.c.effect_id == bindparam("of")))
_STANDS = question(select(effect.c.state, effect.c.attempt).where(effect.c.effect_id == bindparam("of")))
_IN_DOUBT = (
    select(effect).where(one_of(effect.c.state, sorted(OPEN_STATES))).order_by(effect.c.created_at, effect.c.effect_id)
)
_OPEN = question(_IN_DOUBT)
_OPEN_AT = question(_IN_DOUBT.where(effect.c.station == bindparam("station")))
_CHANGE = Change(update(effect).where(effect.c.effect_id == bindparam("of")))
_ADD = Change(insert(effect))
_REMEMBER = Change(insert(effect_history))
_ORDER_OF_PARCEL = question(select(parcel.c.order_id).where(parcel.c.lpn == bindparam("of")))
_ORDER_OF_UNIT = question(select(unit.c.order_id).where(unit.c.unit_id == bindparam("of")))

_ENTRIES: Mapping[EffectState, str] = {
    EffectState.INTENDED: "EffectIntended",
    EffectState.CONFIRMED: "EffectConfirmed",
    EffectState.FAILED: "EffectFailed",
    EffectState.NOT_EXECUTED: "EffectNotExecuted",
    EffectState.UNKNOWN: "EffectUnknown",
    EffectState.VOIDED: "EffectVoided",
}
"""What the journal says of a step; that a job was accepted (SENT) is in the history alone."""

VOIDED_LABEL = "voided label"
_OVER = frozenset({EffectState.NOT_EXECUTED, EffectState.VOIDED})
_NO_PROOF = frozenset({EffectState.SENT, EffectState.UNKNOWN})
_MOOT: Mapping[EffectState, frozenset[EffectState]] = {
    EffectState.CONFIRMED: _NO_PROOF,
    EffectState.NOT_EXECUTED: _NO_PROOF | {EffectState.FAILED},
}
"""What an asked device says too late: the effect was settled while it was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRow:
    """An effect as the ledger has it; `attempt` counts tickets from 1."""

    effect_id: str
    effect: Effect
    state: EffectState
    attempt: int
    ticket: Ticket
    evidence: Evidence

    @property
    def outcome(self) -> Outcome:
        """Give what a station is told."""
        return Outcome(effect_id=self.effect_id, state=self.state, evidence=self.evidence)


def row_of(connection: Connection, subject: str, kind: EffectKind, generation: int) -> EffectRow | None:
    """Give the row of (subject, kind, generation)."""
    found = _BY_KEY.first(connection, subject=subject, kind=kind.name, generation=generation)
    return None if found is None else _row(found)


def row_by_id(connection: Connection, effect_id: str) -> EffectRow | None:
    """Give a row by its id."""
    found = _BY_ID.first(connection, of=effect_id)
    return None if found is None else _row(found)


def open_rows(connection: Connection, station: str | None) -> list[EffectRow]:
    """Give what is not settled, oldest first."""
    found = _OPEN.all(connection) if station is None else _OPEN_AT.all(connection, station=station)
    return [_row(row) for row in found]


def intend(connection: Connection, row: EffectRow, at: datetime) -> EffectRow:
    """Write the intent of an attempt: a new row, or a new ticket in the row of an effect that was not executed."""
    changing = {**_ticket_columns(row.ticket), **_evidence_columns(row.state, row.evidence, at)}
    changing |= {"attempt": row.attempt, "parameters": row.effect.parameters, "station": row.effect.station}
    if row.attempt > 1:
        _CHANGE.run(connection, {"of": row.effect_id, **changing})
    else:
        _ADD.run(connection, {**_key_columns(row), **changing, "created_at": at})
    _remember(connection, row, row.evidence, at)
    return row


def witness(connection: Connection, row: EffectRow, evidence: Evidence, at: datetime) -> EffectRow:
    """Write evidence into a row by EFFECT_TABLE; what only repeats the state is kept, too. Raises Fault 5101.

    Proof may come from elsewhere (a camera further on, a person) while a machine is still asked: that it does not know proves nothing.
    That it did this very job is a proof, whatever a person said meanwhile.
    """
    now = _STANDS.first(connection, of=row.effect_id)
    if now is None or now.attempt != row.attempt:
        raise Fault(5101, where=f"effect {row.effect_id}", seen="evidence for an attempt that is over")
    if evidence.state in _MOOT.get(now.state, ()):
        return row_by_id(connection, row.effect_id) or row
    state = now.state
    if not _says_nothing_new(state, evidence.state):
        state = _step(row.effect, state, evidence.state)
    changing = _evidence_columns(state, evidence, at)
    if evidence.remember:
        row = replace(row, ticket=replace(row.ticket, extra={**row.ticket.extra, **plain(evidence.remember)}))
        changing["extra"] = row.ticket.extra
    _CHANGE.run(connection, {"of": row.effect_id, **changing})
    # An attempt has one ticket and one effect: the row has those that are given, and only what is known of it has changed.
    after = replace(row, state=state, evidence=evidence)
    _remember(connection, after, evidence, at, told=state is not now.state)
    return after


def settle(connection: Connection, effect_id: str, evidence: Evidence, at: datetime) -> EffectRow:
    """Write later evidence into a row; raises Fault 5101 for a step that the table does not know."""
    row = row_by_id(connection, effect_id)
    if row is None:
        raise Fault(5101, where=f"effect {effect_id}", seen="evidence for an effect that the ledger does not have")
    _step(row.effect, row.state, evidence.state)
    return witness(connection, row, evidence, at)


def void_label(connection: Connection, lpn: str, generation: int, at: datetime, *, by: str) -> None:
    """Void print and application of one label, whatever is known of them: from now on they prove nothing."""
    for kind in (PRINT, APPLY):
        row = row_of(connection, lpn, kind, generation)
        if row is None or row.state in _OVER:
            continue
        for state in (EffectState.UNKNOWN, EffectState.VOIDED):
            if state in EFFECT_TABLE[row.state]:  # what runs is in doubt first
                row = witness(connection, row, Evidence(state=state, source=VOIDED_LABEL, data={"by": by}), at)


def _says_nothing_new(state: EffectState, said: EffectState) -> bool:
    # A machine that still runs a job whose answer was lost says SENT; the doubt stays until it is done.
    return said is state or (state is EffectState.UNKNOWN and said is EffectState.SENT)


def _step(of: Effect, state: EffectState, to: EffectState) -> EffectState:
    if to not in EFFECT_TABLE[state]:
        raise Fault(5101, where=f"effect {of.kind.name} of {of.subject}", seen=f"{to} in state {state}")
    return to


def _remember(connection: Connection, row: EffectRow, evidence: Evidence, at: datetime, *, told: bool = True) -> None:
    line = {
        "effect_id": row.effect_id,
        "attempt": row.attempt,
        "at": at,
        "state": row.state,
        "ticket": row.ticket,
        "evidence": _said(evidence),
    }
    _REMEMBER.run(connection, line)
    if told and row.state in _ENTRIES:
        append(connection, _entry(connection, row, evidence, at))


def _entry(connection: Connection, row: EffectRow, evidence: Evidence, at: datetime) -> Entry:
    data = {
        "effect_id": row.effect_id,
        "kind": row.effect.kind.name,
        "generation": row.effect.generation,
        "attempt": row.attempt,
        "machine": row.ticket.machine,
        "job": row.ticket.job,
        "source": evidence.source,
        "fault": evidence.fault,
    }
    subject = row.effect.subject
    owner = _ORDER_OF_PARCEL.first(connection, of=subject) or _ORDER_OF_UNIT.first(connection, of=subject)
    return Entry(
        at=at,
        kind=_ENTRIES[row.state],
        subject=subject,
        order_id=owner.order_id if owner else "",
        station=row.effect.station,
        data=data,
    )


def _key_columns(row: EffectRow) -> dict[str, Any]:
    wanted = row.effect
    return {
        "effect_id": row.effect_id,
        "subject": wanted.subject,
        "kind": wanted.kind.name,
        "generation": wanted.generation,
    }


def _ticket_columns(ticket: Ticket) -> dict[str, Any]:
    return {name: getattr(ticket, name) for name in ("machine", "epoch", "sequence", "boot", "job", "extra")}


def _evidence_columns(state: EffectState, evidence: Evidence, at: datetime) -> dict[str, Any]:
    return {"state": state, "evidence": _said(evidence), "changed_at": at}


def _said(evidence: Evidence) -> dict[str, Any]:
    return {name: getattr(evidence, name) for name in ("state", "source", "data", "fault")}


def _row(found: Any) -> EffectRow:
    wanted = Effect(
        kind=KINDS[found.kind],
        subject=found.subject,
        generation=found.generation,
        station=found.station,
        parameters=found.parameters,
    )
    ticket = Ticket(
        machine=found.machine,
        epoch=found.epoch,
        sequence=found.sequence,
        boot=found.boot,
        job=found.job,
        extra=found.extra,
    )
    evidence = Evidence(**{**found.evidence, "state": EffectState(found.evidence["state"])})
    return EffectRow(
        effect_id=found.effect_id,
        effect=wanted,
        state=found.state,
        attempt=found.attempt,
        ticket=ticket,
        evidence=evidence,
    )
