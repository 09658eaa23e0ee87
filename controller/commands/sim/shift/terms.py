"""Holds what left a shift against what its host and its buyers said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import inf

from controller.commands.sim.shift.parts import EPOCH
from simulation.faults.calendar import JUMPS
from simulation.faults.catalogue import DATABASE
from simulation.people.stage import Stage
from simulation.virtual.faults import PlannedFault
from simulation.virtual.invariants import Recorded, records
from simulation.virtual.terms import gone, misaddressed, overtaken, unapproved, unpaid, unwanted
from simulation.virtual.watch import Watch

BUYER = "buyer"
MOST_COMPARED = 100_000
"""Parcels whose labels are compared with the books at the end."""
MOST_READ = 5_000
"""Parcels whose addresses are compared with those of their orders, each of which is drawn anew for that."""


def against_terms(
    faults: Sequence[PlannedFault], stage: Stage, watch: Watch, labels: Callable[[], Recorded], *, speed: float
) -> Iterator[str]:
    """Say what left and should not have, or not so; `labels` gives what the books have recorded.

    What cannot be written is not heeded, and by a calendar that jumps nobody's time is up when it should be.
    """
    host, buyers = stage.marketplace, stage.buyers
    has_disk = all(fault.device != DATABASE for fault in faults)
    left_at = {lpn: sim_s / speed for lpn, sim_s in watch.left_s.items()}
    left = gone(stage.receiver.each, left_at)
    yield from unwanted(left, left_at, buyers.rejected, host.called_off_at if has_disk else {})
    yield from unpaid(left, left_at, host.sold_at)
    if not any(fault.fault in JUMPS for fault in faults):
        heard = gone(
            stage.receiver.each, left_at, BUYER
        )  # in order: whoever heard that it left, heard before that he was asked
        yield from unapproved(heard, left_at, buyers.asked, host.unseen, EPOCH)
    if len(left) <= MOST_READ:
        moved = {order: move if has_disk else replace(move, taken_s=inf) for order, move in host.moved.items()}
        yield from misaddressed(left, left_at, watch.sent_to, host.address_of, moved)
    if len(left) <= MOST_COMPARED:
        yield from records(watch.glued, labels(), overtaken(left, left_at, host.moved))
