"""Holds what left a shift against what its host and its buyers said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

from controller.commands.sim.shift.parts import EPOCH
from simulation.faults.calendar import JUMPS
from simulation.faults.catalogue import DATABASE
from simulation.people.stage import Stage
from simulation.virtual.content import address_word
from simulation.virtual.faults import PlannedFault
from simulation.virtual.terms import gone, misaddressed, unapproved, unpaid, unwanted
from simulation.virtual.watch import Watch

MOST_READ = 5_000
"""Parcels whose addresses are compared with those of their orders, each of which is drawn anew for that."""


def against_terms(faults: Sequence[PlannedFault], stage: Stage, watch: Watch, *, speed: float) -> Iterator[str]:
    """Say what left and should not have, or not so.

    What cannot be written is not heeded, and by a calendar that jumps nobody's time is up when it should be.
    """
    host, buyers = stage.marketplace, stage.buyers
    has_disk = all(fault.device != DATABASE for fault in faults)
    left_at = {lpn: sim_s / speed for lpn, sim_s in watch.left_s.items()}
    left = gone(stage.receiver.each, left_at)
    yield from unwanted(left, left_at, buyers.rejected, host.called_off_at if has_disk else {})
    yield from unpaid(left, left_at, host.sold_at)
    if not any(fault.fault in JUMPS for fault in faults):
        yield from unapproved(left, left_at, buyers.asked, host.unseen, EPOCH)
    if len(left) <= MOST_READ:
        moved = {order: (address_word(to), at_s if has_disk else inf) for order, (to, at_s) in host.moved_at.items()}
        yield from misaddressed(left, left_at, watch.sent_to, lambda order: address_word(host.address_of(order)), moved)
