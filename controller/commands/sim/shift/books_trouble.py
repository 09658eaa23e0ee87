"""Troubles with the books that were planned for a shift, told from errors that were not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from packline.core.faults import Fault
from simulation.faults.catalogue import DATABASE
from simulation.virtual.faults import PlannedFault

NO_DATABASE = 5002


def demand_trouble(error: BaseException, faults: Sequence[PlannedFault]) -> None:
    """Raise what is not the trouble with the books that was planned."""
    is_planned = any(fault.device == DATABASE for fault in faults)
    if not (is_planned and isinstance(error, Fault) and error.code == NO_DATABASE):
        raise error


def causes(error: BaseException) -> Iterator[BaseException]:
    """Give what a group of errors holds; an error that is none holds itself."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from causes(one)
    else:
        yield error
