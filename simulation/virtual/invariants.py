"""What must be true of a shift, whatever went wrong in it; looked at in the plant and in the ears of its subscribers only.

`Watch` looks at every fact in the moment in which it happens; what only the end shows is asked for by `broken` and the rules after it.
The one look at the books is at the label that they have recorded for a parcel (`records`), as one of the three things that must be equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from packline.core.figures import NEVER_ON_THE_FLOOR
from simulation.people.receiver import Received
from simulation.plant.truth import Truth
from simulation.plant.world import World
from simulation.virtual.breakages import (
    CONSERVATION,
    FORGED_MESSAGE,
    LIVENESS,
    ORDER_OF_EVENTS,
    RECORD,
    REPEATED_EVENT,
    SHIP_EVENT,
    TERMINAL_STATE,
)
from simulation.virtual.watch import HANDED_OVER, Watch

ENDS = frozenset({"order.closed", "order.cancelled", "order.returned"})
NOTHING: Mapping[str, int] = MappingProxyType({})
MOST_NAMED = 3
NO_LABEL = ("", 0)
Recorded = Mapping[str, tuple[str, int]]
"""What the books say of a parcel's label, by plate: SSCC and print number."""


def broken(
    truth: Truth,
    world: World,
    events: Iterable[Received],
    watch: Watch,
    *,
    heard: Mapping[str, int] = NOTHING,
    forged: Sequence[str] = (),
) -> list[str]:
    """Say what is not true that must be; each begins with the name of what is broken, and a colon. `events` are looked through twice."""
    return [
        *watch.found,
        *counts(truth.summary()),
        *places(world),
        *ship_events(events, {lpn for lpn, parcel in truth.parcels.items() if parcel.left}),
        *ends(events),
        *order(heard),
        *signatures(forged),
    ]


def counts(summary: Mapping[str, int]) -> Iterator[str]:
    """Look at the figures of the truth that are 0 on a line that works."""
    for name in NEVER_ON_THE_FLOOR:
        if summary[name]:
            yield f"{name}: {summary[name]}"


def places(world: World) -> Iterator[str]:
    """In is out and scrap and work in progress: every carton and every piece is at exactly one place."""
    seen = Counter(carton.lpn for place in world.places.values() for carton in place.cartons)
    for lpn in world.cartons:
        if seen[lpn] != 1:
            yield f"{CONSERVATION}: {lpn} is at {seen[lpn]} places"
    boxed = Counter(piece.number for carton in world.cartons.values() for piece in carton.pieces)
    for number, times in boxed.items():
        if times > 1:
            yield f"{CONSERVATION}: piece {number} is in {times} cartons"


def ship_events(events: Iterable[Received], left: Collection[str]) -> Iterator[str]:
    """Each subscriber hears once that a parcel was handed over, and only of parcels that left."""
    shipped: dict[str, Counter[str]] = {}
    """By role: a long shift has very many plates, and few roles."""
    for event in events:
        if event.name == HANDED_OVER:
            shipped.setdefault(event.role, Counter())[str(event.data.get("lpn", ""))] += 1
    for role, times_of in shipped.items():
        for lpn, times in times_of.items():
            if times > 1:
                yield f"{SHIP_EVENT}: {role} heard {times} times that {lpn} was handed over"
            if lpn not in left:
                yield f"{SHIP_EVENT}: {role} heard that {lpn} was handed over, and it was not"


def ends(events: Iterable[Received]) -> Iterator[str]:
    """An order ends in one way."""
    told: dict[str, dict[str, str]] = {}
    others: dict[tuple[str, str], set[str]] = {}
    for event in events:
        if event.name in ENDS:
            first = told.setdefault(event.role, {}).setdefault(event.order, event.name)
            if first != event.name:
                others.setdefault((event.role, event.order), {first}).add(event.name)
    for (role, order), names in others.items():
        yield f"{TERMINAL_STATE}: {role} heard of {order}: {', '.join(sorted(names))}"


def order(heard: Mapping[str, int]) -> Iterator[str]:
    """Each subscriber hears the events of one order in the order in which they happened, and each under one id."""
    if times := heard.get("overtaken", 0):
        yield f"{ORDER_OF_EVENTS}: {times} came after a later one of the same order"
    if times := heard.get("renamed", 0):
        yield f"{REPEATED_EVENT}: {times} came again under another id"


def signatures(forged: Sequence[str]) -> Iterator[str]:
    """The house takes no message that its host did not sign."""
    for path in forged:
        yield f"{FORGED_MESSAGE}: {path} took one"


def records(glued: Mapping[str, tuple[str, int]], recorded: Recorded, overtaken: Collection[str] = ()) -> Iterator[str]:
    """The label with which a parcel left is the one that the books have recorded for it; that of an `overtaken` one may be void."""
    for lpn, label in glued.items():
        books = recorded.get(lpn)
        if books is None:
            yield f"{RECORD}: {lpn} left, and the books do not know it"
        elif books != label and not (lpn in overtaken and books == NO_LABEL):
            yield f"{RECORD}: {lpn} left with {label[0]} print {label[1]}, the books have {books[0]} print {books[1]}"


def liveness(waiting: Sequence[str], *, is_late: bool) -> Iterator[str]:
    """After the last fault every order ends or lies with a person, and every subscriber hears all, before the horizon."""
    if is_late:
        yield f"{LIVENESS}: {_not_over(waiting) if waiting else 'a subscriber was not told all'}"


def _not_over(waiting: Sequence[str]) -> str:
    more = f" and {len(waiting) - MOST_NAMED} more" if len(waiting) > MOST_NAMED else ""
    said = "1 order is not over" if len(waiting) == 1 else f"{len(waiting)} orders are not over"
    return f"{said}: {', '.join(waiting[:MOST_NAMED])}{more}"
