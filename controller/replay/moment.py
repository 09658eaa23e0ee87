"""What a rule is shown of one moment of a recorded journal: the row, and the world as it was when something was decided."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from controller.site import Site, places_of
from packline.core.effects import EffectState
from packline.orders.model import Event, Parcel
from packline.orders.policy import POLICY, Rule
from packline.store.recorded import Recorded
from packline.store.world import Affair, World
from stations.kit import Kit, Rules

DECIDE_S = 30.0
"""A step that takes a machine's answer or a database's may be decided so long before it is written down: what held then counts."""
MOST_KEPT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a row has, and what this release would have written."""

    rule: str
    seen: str
    expected: str


Judge = Callable[["Moment"], Iterator[Finding]]
"""Looks at one row before it is applied; yields what this release would have done otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The rules that a run is held against. Without a site, what depends on its numbers and its stations is not compared."""

    site: Site | None = None
    policy: Mapping[int, Rule] = field(default_factory=lambda: POLICY)

    def kit(self) -> Kit | None:
        """Give what tells a parcel's next station, as the stations ask it."""
        if self.site is None:
            return None
        nothing: Any = None
        places = places_of(self.site)
        return Kit(books=nothing, ledger=nothing, clock=nothing, offload=nothing, rules=Rules(), places=places)


@dataclass(slots=True, kw_only=True)
class Doing:
    """An effect as far as the journal tells of it."""

    kind: str
    subject: str
    generation: int
    state: EffectState
    attempt: int
    source: str = ""


@dataclass(slots=True, kw_only=True)
class Past:
    """What was before, as far as later rows depend on it."""

    effects: dict[str, Doing] = field(default_factory=dict)
    by_key: dict[tuple[str, str, int], str] = field(default_factory=dict)
    pictures: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """The newest pictures: id -> subject, kind, note."""
    proofs: dict[str, str] = field(default_factory=dict)
    exceptions: dict[str, int] = field(default_factory=dict)
    """Open ones: id -> code."""
    numbers: dict[str, int] = field(default_factory=dict)
    """The last serial of each name."""
    jobs: bytearray = field(default_factory=bytearray)
    in_work: set[str] = field(default_factory=set)
    loads: deque[tuple[datetime, int]] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    """How many orders used the floor, lately."""
    affairs: dict[str, deque[tuple[datetime, Affair]]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Moment:
    """One row, before it is applied."""

    row: Mapping[str, Any]
    event: Event
    at: datetime
    world: World
    past: Past
    terms: Terms
    kit: Kit | None
    recorded: Recorded

    @property
    def data(self) -> Mapping[str, Any]:
        """Give the row's data as they were written."""
        return dict(self.row["data"])

    @property
    def order_id(self) -> str:
        """Give the order that the row is about."""
        return str(self.row["order_id"]) or self.event.subject

    def affairs(self, order_id: str = "") -> Iterator[Affair]:
        """Give the order as it is now, then as it was at earlier moments at which this row may have been decided."""
        wanted = order_id or self.order_id
        now = self.world.affair(wanted)
        if now is not None:
            yield now
        for at, affair in reversed(self.past.affairs.get(wanted, ())):
            if (self.at - at).total_seconds() > DECIDE_S:
                return
            yield affair

    def parcels(self) -> Iterator[tuple[Affair, Parcel]]:
        """Give the parcel that the row is about, likewise, with its order."""
        for affair in self.affairs():
            for parcel in affair.parcels:
                if parcel.lpn == self.event.subject:
                    yield affair, parcel

    def effect(self, kind: str, generation: int) -> Doing | None:
        """Give an effect on the row's subject."""
        found = self.past.by_key.get((self.event.subject, kind, generation))
        return None if found is None else self.past.effects[found]
