"""Judges by a printer's own counters what became of a label; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from packline.core.effects import EffectState, Evidence, Ticket

INTERRUPTED = "was_interrupted"
"""In the ticket of a job that the printer stopped with."""
UNCOUNTED = "was_not_counted"
"""In the ticket of a job that was perhaps sent and that no counter knows of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Cuts and, where the printer counts them, movements of the head; both outlive its power, as they were when the printer last wrote them down."""

    cuts: int
    rows: int | None


def process_number(ticket: Ticket) -> int:
    """Give the number by which the printer was to report this job."""
    return int(ticket.extra["process_id"])


def was_interrupted(ticket: Ticket) -> bool:
    """Tell whether the printer ever stopped for paper, cover or an error with this job inside."""
    return bool(ticket.extra.get(INTERRUPTED))


def may_lie_about(ticket: Ticket) -> bool:
    """Tell whether a label with this job's number may lie somewhere, though the counters say that none was printed.

    Counters are kept in a memory that is written now and then: they may fall back when the printer loses its power.
    """
    return bool(ticket.extra.get(UNCOUNTED))


def judge(counts: Counts, ticket: Ticket) -> Evidence:
    """Compare the counters with those before the job; anything but none or exactly one label stays open.

    The head's counter is only asked whether it moved: makes differ in what they count of a row. A cut without any row printed
    is a person at the feed button and proves nothing.
    """
    cuts = counts.cuts - int(ticket.extra["counter_before"])
    rows_before = ticket.extra.get("rows_before")
    has_moved = counts.rows is not None and rows_before is not None and counts.rows != int(rows_before)
    is_bare_cut = cuts == 1 and counts.rows is not None and rows_before is not None and not has_moved
    told = None if is_bare_cut else _BY_COUNTERS.get((cuts, has_moved if cuts == 0 else was_interrupted(ticket)))
    state, fault = told or (EffectState.UNKNOWN, 2005)
    data = {"cuts": cuts, "has_head_moved": has_moved, INTERRUPTED: was_interrupted(ticket)}
    remember = {UNCOUNTED: True} if state is EffectState.NOT_EXECUTED else {}
    return Evidence(state=state, source="label counter", data=data, fault=fault, remember=remember)


_BY_COUNTERS: Mapping[tuple[int, bool], tuple[EffectState, int | None]] = MappingProxyType(
    {
        (0, False): (EffectState.NOT_EXECUTED, None),
        (0, True): (EffectState.FAILED, 2105),
        (1, False): (EffectState.CONFIRMED, None),
        (1, True): (EffectState.FAILED, 2105),
    }
)
"""By cuts since the job and: without a cut, whether the head moved; with one, whether the printer stopped in between."""
