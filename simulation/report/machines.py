"""Figures of one machine: its shares of time, its jobs, its effectiveness by ISO 22400-2."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulation.recording.rows import STATES, Jobs, MachineRow
from simulation.statistics.bottleneck import Period
from simulation.statistics.oee import Oee, Production, oee

WAITS = frozenset({"starved", "blocked"})
Span = tuple[float, float, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFigures:
    """One machine. `shares` of the whole time sum to one; `spans` are begin, end, state; `active` neither starved nor blocked."""

    name: str
    model: str
    station: str
    shares: Mapping[str, float]
    spans: Sequence[Span]
    active: Sequence[Period]
    done: Production
    oee: Oee
    failed: int
    """Jobs that failed or were stopped."""
    undone: int
    """Jobs that ended well and whose work had to be undone or was wrong."""
    is_planned: bool
    """Whether its file says how long each of its jobs takes; where it does not, their own mean stands for that."""


def machine_figures(row: MachineRow, end_s: float) -> MachineFigures:
    """Give the figures of a machine over the time from 0 to `end_s`."""
    spans = _spans(row, end_s)
    spent = dict.fromkeys(STATES, 0.0)
    for begin, end, state in spans:
        spent[state] += end - begin
    total = math.fsum(spent.values())
    done = _production(row, spent["busy"], end_s)
    return MachineFigures(
        name=row.name,
        model=row.model,
        station=row.station,
        shares={state: seconds / total if total else math.nan for state, seconds in spent.items()},
        spans=spans,
        active=_active(spans),
        done=done,
        oee=oee(done),
        failed=sum(jobs.failed + jobs.stopped for jobs in row.jobs.values()),
        undone=row.undone,
        is_planned=all(jobs.planned_s is not None for jobs in row.jobs.values()),
    )


def _spans(row: MachineRow, end_s: float) -> list[Span]:
    ends = [begin for begin, _ in row.states[1:]] + [end_s]
    return [(begin, end, state) for (begin, state), end in zip(row.states, ends, strict=True) if end > begin]


def _active(spans: Sequence[Span]) -> list[Period]:
    found: list[Period] = []
    for begin, end, state in spans:
        if state in WAITS:
            continue
        if found and found[-1][1] == begin:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def _production(row: MachineRow, busy_s: float, end_s: float) -> Production:
    """Count the jobs that were finished as made, and as good those of them that were not undone.

    A job that was broken off made nothing: its time is time at work, and lowers the effectiveness (ISO 22400-2, PQ x PRI).
    """
    made = sum(jobs.well for jobs in row.jobs.values())
    good = max(0, made - row.undone)
    planned_s = sum(_each_s(jobs) * jobs.well for jobs in row.jobs.values())
    return Production(
        planned_busy_s=end_s,
        production_s=min(busy_s, end_s),
        run_time_s=planned_s / made if made else math.nan,
        made=made,
        good=min(good, made),
    )


def _each_s(jobs: Jobs) -> float:
    if jobs.planned_s is not None:
        return jobs.planned_s
    return jobs.took_s / jobs.well if jobs.well else 0.0
