"""What must be true of a shift, whatever went wrong in it; looked at in the plant and in the ears of its subscribers only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from packline.core.figures import NEVER_ON_THE_FLOOR
from simulation.people.receiver import Received
from simulation.plant.truth import Fact, ParcelTruth, Truth
from simulation.plant.world import World

ENDS = frozenset({"order.closed", "order.cancelled", "order.returned"})
SLACK_S = 0.5
"""Of simulated time: what a machine had begun to finish in the very moment of an emergency stop."""


def broken(
    truth: Truth, world: World, events: Sequence[Received], stops: Sequence[tuple[str, float, float]] = ()
) -> list[str]:
    """Say what is not true that must be; `stops` are machines with the simulated seconds between stop and reset."""
    return [
        *_counts(truth),
        *_labels(truth.parcels),
        *_places(world),
        *_events(events, truth.parcels),
        *_moved_in_a_stop(truth.facts, stops),
    ]


def _counts(truth: Truth) -> Iterator[str]:
    summary = truth.summary()
    for name in NEVER_ON_THE_FLOOR:
        if summary[name]:
            yield f"{name}: {summary[name]}"


def _labels(parcels: Mapping[str, ParcelTruth]) -> Iterator[str]:
    for lpn, parcel in parcels.items():
        if parcel.left and len(parcel.labels_on) != 1:
            yield f"label: {lpn} left with {len(parcel.labels_on)} labels"


def _places(world: World) -> Iterator[str]:
    """In is out and scrap and work in progress: every carton and every piece is at exactly one place."""
    seen = Counter(carton.lpn for place in world.places.values() for carton in place.cartons)
    for lpn in world.cartons:
        if seen[lpn] != 1:
            yield f"conservation: {lpn} is at {seen[lpn]} places"
    boxed = Counter(piece.number for carton in world.cartons.values() for piece in carton.pieces)
    for number, times in boxed.items():
        if times > 1:
            yield f"conservation: piece {number} is in {times} cartons"


def _events(events: Sequence[Received], parcels: Mapping[str, ParcelTruth]) -> Iterator[str]:
    shipped = Counter((e.role, str(e.data.get("lpn", ""))) for e in events if e.name == "parcel.handed_over")
    for (role, lpn), times in shipped.items():
        if times > 1:
            yield f"ship event: {role} heard {times} times that {lpn} was handed over"
        if lpn not in parcels or not parcels[lpn].left:
            yield f"ship event: {role} heard that {lpn} was handed over, and it was not"
    ends: dict[tuple[str, str], set[str]] = {}
    for event in events:
        if event.name in ENDS:
            ends.setdefault((event.role, event.order), set()).add(event.name)
    for (role, order), names in ends.items():
        if len(names) > 1:
            yield f"terminal state: {role} heard of {order}: {', '.join(sorted(names))}"


def _moved_in_a_stop(facts: Sequence[Fact], stops: Sequence[tuple[str, float, float]]) -> Iterator[str]:
    for machine, begun, ended in stops:
        for fact in facts:
            if begun + SLACK_S < fact.sim_s < ended and fact.data.get("by") == machine:
                yield f"emergency stop: {machine} went on, {fact.name} at {fact.sim_s:.2f} s"
