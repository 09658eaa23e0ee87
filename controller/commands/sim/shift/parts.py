"""What a shift is, what comes of it, and who hears it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from controller.site import Site
from packline.store import Store
from simulation.people.demand import DemandSpec
from simulation.plant.truth import Fact
from simulation.virtual.faults import PlannedFault
from simulation.virtual.plant import VirtualPlant

EPOCH = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
"""The calendar at which every shift begins: a Monday, four in the afternoon at the demo hall."""
HORIZON_S, PER_ORDER_S = 1500.0, 60.0
"""The loop's seconds after which a shift that does not end is given up: this, and so many for each order.

A parcel that nobody sees is asked for after 900 s (`missing_s` of the site's policy); it must still have the time to end.
"""
IN_MEMORY = "sqlite://"

Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """What is played. `folder` holds what the line writes; `url` its books; `one_in` the share of parcels with real pixels."""

    site: Site
    path: Path
    folder: Path
    url: str = IN_MEMORY
    orders: int = 24
    seed: int = 1
    speed: float | None = None
    one_in: int = 500
    faults: tuple[PlannedFault, ...] = ()
    """What goes wrong. A controller that dies needs books in a file."""
    demand: DemandSpec = DemandSpec()
    horizon_s: float | None = None
    """The loop's seconds after which it is given up; None: by its orders."""
    computing: float = 0.0
    """How many times as long drawing and reading pictures takes, of the line's time, as on this computer; 0: no time at all."""
    over: frozenset[str] = frozenset()
    """Protocols ("modbus", "opcua") whose machines are reached over real sockets of the loopback, in virtual time all the same."""

    keeps_facts: bool = True
    """Give all facts with what came of it; a shift of very many orders has no need of them, and no room."""
    elide: bool = True
    """Spare the polls that cannot see a change; the result is the same."""


@dataclass(slots=True, kw_only=True)
class Played:
    """What came of it: the figures of the plant's truth, and hashes of the truth and of the journal without its pictures' bytes.

    `chain` is the hash that the journal itself ends in, pictures and all.
    """

    figures: dict[str, Any] = field(default_factory=dict)
    journal: str = ""
    chain: str = ""
    rows: int = 0
    truth: str = ""
    virtual_s: float = 0.0
    broken: tuple[str, ...] = ()
    """What was not true that must be: see `simulation.virtual.invariants`."""
    deaths: int = 0
    commits: int = 0
    struck: int = 0
    """Faults that happened before the shift was over; one that lies in wait has when it struck."""
    facts: tuple[Fact, ...] = ()
    """All that physically happened; none where they were not kept."""
    kinds: Mapping[str, int] = field(default_factory=dict)
    """How often each kind of fault of each device happened."""
    not_struck: tuple[PlannedFault, ...] = ()
    """Faults whose moment did not come before the shift was over, or that found nothing to strike."""


class Listener(Protocol):
    """Hears a shift from outside, and changes nothing in it."""

    def begin(self, plant: VirtualPlant) -> None:
        """Meet the plant before it is switched on."""

    def struck(self, device: str, fault: str) -> None:
        """Hear of what no switch of the plant makes: the death of a controller, a commit that fails."""

    def end(self, store: Store) -> None:
        """Read the books when all is over, before they are closed."""


def horizon_s(shift: Shift) -> float:
    """Give the loop's time by which a shift must have ended."""
    if shift.horizon_s is not None:
        return shift.horizon_s
    return HORIZON_S + shift.orders * PER_ORDER_S
