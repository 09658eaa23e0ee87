"""Faults of a shift as data: which, where, when, for how long; drawn from a seed, and read from a list again."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

from simulation.faults.catalogue import COMMITS, CONTROLLER, DATABASE, UNSEEN, Ends, Seam, ends_of, seams_of

MOST_FAULTS = 10
ENABLED = 0.4
"""How likely a kind of fault is at all in one shift: a shift with everything hides what only some of it shows."""
LASTS_S = (0.3, 1.0, 3.0, 6.0)
WEIGHTS: Mapping[str, int] = {Seam.CONTROLLER: 4, Seam.MACHINE: 2, Seam.LABEL: 2, Seam.WIRE: 2}
"""How much more often than at the others something goes wrong at these seams: there a controller is tried the hardest."""
STRIKES_WITHIN_S = 20.0
"""What strikes by number waits so long for something to strike."""
FIRST_S = 2.0
PER_ORDER_S, LEAST_SPAN_S = 4.0, 12.0
COMMITS_PER_ORDER = 140
"""About so many commits of the controller belong to one order, measured with one order, 2026-11."""
AT_A_FACT = 0.6
"""How many of the faults wait for something to happen in the plant instead of for a time: what matters is soon over."""
ADDED = frozenset({"put_elsewhere"})
"""Kinds that came later than the seeds that are written down: drawn from a stream of their own, so that those stay as they are."""
ADDED_SHARE = 0.05
"""How likely each of them is in one shift: about as often as any other fault of the floor."""
LATER: Mapping[str, float] = {
    "brown_out": 0.2,
    "unsaid": 0.1,
    "cancelled": 0.05,
    "rejects": 0.05,
    "readdressed": 0.2,
    "unreachable": 0.1,
    "outdated": 0.2,
}
"""Kinds that came later still, each from a stream of its own, and how likely one is in a shift: more likely where many devices
have it, or where it strikes only what is soon over.
"""
MOVES = "half_done"
"""What has this fault has motions."""
MOTION = "motion"
"""A motion of a machine begins: the fault's own, or any where its device is none."""
FACTS: Mapping[str, int] = {
    "piece_taken": 1,
    "carton_taken": 1,
    "boxed": 1,
    "moved": 10,
    "sealed": 1,
    "label_printed": 1,
    "label_applied": 1,
    "left_door": 1,
    MOTION: 11,
}
"""Facts of the plant that come in every shift, and about how often for each order; measured with one order, 2026-11."""
OWN_MOTIONS = 4
"""A machine of the line moves at most about so often for one order."""
ALL_FACTS = (
    *FACTS,
    "cut_open",
    "label_discarded",
    "label_lost",
    "label_removed",
    "piece_put_back",
    "returned_to_shelf",
    "taken_out",
)
"""All that a fault can wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """What a fault waits for: a fact of the plant seen the `nth` time, or the number of a commit of the controller."""

    fact: str = ""
    nth: int = 1
    commit: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {"commit": self.commit} if self.commit else {"fact": self.fact, "nth": self.nth}

    def text(self) -> str:
        """Say it in few words."""
        return f"commit {self.commit}" if self.commit else f"{self.fact} {self.nth}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFault:
    """One fault: at `at_s` of the loop's time, or `when` something has happened.

    It strikes at most `times` times, and is mended after `for_s`; one that is never mended may hold its station for ever.
    """

    device: str
    fault: str
    at_s: float = 0.0
    when: When | None = None
    for_s: float | None = None
    times: int | None = None

    @property
    def is_kill(self) -> bool:
        """Tell whether it kills the controller."""
        return self.device == CONTROLLER and self.fault.startswith("kill")

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values, without what is not said."""
        every = {name: getattr(self, name) for name in (field.name for field in fields(self))}
        said = {name: value for name, value in every.items() if value is not None}
        if self.when is not None:
            said["when"] = self.when.as_dict()
            said.pop("at_s")
        return said

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        """Read what `as_dict` gave; raises TypeError for other words."""
        when = raw.get("when")
        given = {name: value for name, value in raw.items() if value is not None}
        return cls(**{**given, "when": When(**when) if isinstance(when, Mapping) else when})

    def text(self) -> str:
        """Say it in one line."""
        begins = f"at {self.when.text()}" if self.when is not None else f"{self.at_s:.2f} s"
        times = f" x{self.times}" if self.times is not None else ""
        lasts = f" for {self.for_s:g} s" if self.for_s is not None else ""
        return f"{begins} {self.device} {self.fault}{times}{lasts}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What is drawn from: ids of kinds and seams (none: all), less those in `without`.

    Each kind is in a shift with probability `enabled`. Without rates there are 0 to `most_faults` faults, all numbers alike; with
    `per_order` or `per_hour` (of the line's time) their number is a Poisson one, and `most_faults` at most.
    """

    kinds: tuple[str, ...] = ()
    seams: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    enabled: float = ENABLED
    most_faults: int = MOST_FAULTS
    per_order: float | None = None
    per_hour: float | None = None

    def has(self, device: str, fault: str) -> bool:
        """Tell whether a device's fault may be drawn; ids of kinds, devices and seams may be named."""
        is_named = self.names(device, fault)
        if fault in UNSEEN and not is_named:
            return False
        is_wanted = is_named or not (self.kinds or self.seams)
        return (is_wanted or bool(seams_of(device, fault) & set(self.seams))) and not _ids(device, fault) & set(
            self.without
        )

    def names(self, device: str, fault: str) -> bool:
        """Tell whether `kinds` names a device's fault."""
        return bool(_ids(device, fault) & set(self.kinds))

    def number(self, rng: random.Random, orders: int, span_s: float) -> int:
        """Draw how many faults a shift has."""
        if self.per_order is None and self.per_hour is None:
            return rng.randrange(self.most_faults + 1)
        expected = (self.per_order or 0.0) * orders + (self.per_hour or 0.0) * span_s / 3600
        drawn, left = 0, expected - rng.expovariate(1.0)
        while left > 0 and drawn < self.most_faults:
            drawn, left = drawn + 1, left - rng.expovariate(1.0)
        return drawn


def swarm(
    seed: int, known: Mapping[str, Sequence[str]], orders: int, campaign: Campaign = Campaign()
) -> tuple[PlannedFault, ...]:
    """Draw a shift's faults: some kinds are enabled, a few of these happen, at random moments."""
    rng = random.Random(f"{seed}/swarm")
    kinds = [(device, fault) for device in sorted(known) for fault in sorted(known[device])]
    late = ADDED | LATER.keys()
    added = [kind for kind in kinds if kind[1] in late and campaign.has(*kind) and not campaign.names(*kind)]
    enabled = [kind for kind in kinds if campaign.has(*kind) and kind not in added and rng.random() < campaign.enabled]
    number = campaign.number(rng, orders, LEAST_SPAN_S + PER_ORDER_S * orders)
    seams, movers = _by_seam(enabled), {device for device in known if MOVES in known[device]}
    drawn = [_drawn(rng, *_chosen(rng, seams), orders, movers) for _ in range(number if enabled else 0)]
    more = [*_added(seed, added, orders, movers), *_later(seed, added, orders, movers)]
    drawn += more[: max(0, campaign.most_faults - len(drawn))]
    return tuple(sorted(drawn, key=lambda fault: (fault.at_s, fault.device, fault.fault)))


def _added(seed: int, kinds: Sequence[tuple[str, str]], orders: int, movers: Collection[str]) -> Iterator[PlannedFault]:
    own = random.Random(f"{seed}/swarm/added")
    for kind in (kind for kind in kinds if kind[1] in ADDED):
        if own.random() < ADDED_SHARE:
            yield _drawn(own, *kind, orders, movers)


def _later(seed: int, kinds: Sequence[tuple[str, str]], orders: int, movers: Collection[str]) -> Iterator[PlannedFault]:
    for fault, share in LATER.items():
        own = random.Random(f"{seed}/swarm/{fault}")
        devices = [device for device, kind in kinds if kind == fault]
        if devices and own.random() < share:
            yield _drawn(own, own.choice(devices), fault, orders, movers)


def _ids(device: str, fault: str) -> set[str]:
    return {device, fault, f"{device} {fault}"}


Seams = Mapping[str, Mapping[str, Sequence[str]]]
"""Devices by kind of fault, by seam."""


def _by_seam(pairs: Sequence[tuple[str, str]]) -> Seams:
    seams: dict[str, dict[str, list[str]]] = {}
    for device, fault in pairs:
        seams.setdefault(min(seams_of(device, fault), default=""), {}).setdefault(fault, []).append(device)
    return seams


def _chosen(rng: random.Random, seams: Seams) -> tuple[str, str]:
    """Draw seam by weight, kind and device, in this order: a line has many wires, and what only they show would hide the rest."""
    names = sorted(seams)
    (seam,) = rng.choices(names, [WEIGHTS.get(name, 1) for name in names])
    kinds = seams[seam]
    fault = rng.choice(sorted(kinds))
    return rng.choice(kinds[fault]), fault


def _drawn(rng: random.Random, device: str, fault: str, orders: int, movers: Collection[str]) -> PlannedFault:
    at_s = round(rng.uniform(FIRST_S, LEAST_SPAN_S + PER_ORDER_S * orders), 2)
    when = _moment(rng, device, fault, orders, OWN_MOTIONS if device in movers else FACTS[MOTION])
    begins: dict[str, Any] = {"when": when} if when is not None else {"at_s": at_s}
    ends = ends_of(device, fault)
    if ends is Ends.AT_ONCE:
        return PlannedFault(device=device, fault=fault, **begins)
    if ends is Ends.STRIKES:
        # what a strike leaves behind (an error at the panel, a jam) is cleared when it is mended
        return PlannedFault(device=device, fault=fault, **begins, times=rng.choice((1, 1, 2)), for_s=STRIKES_WITHIN_S)
    return PlannedFault(device=device, fault=fault, **begins, for_s=rng.choice(LASTS_S))


def _moment(rng: random.Random, device: str, fault: str, orders: int, motions: int) -> When | None:
    """Draw what it waits for, each moment of a shift alike; None for a time. `motions` are those that it can wait for in one order."""
    if fault in COMMITS or (device == DATABASE and rng.random() < AT_A_FACT):
        return When(commit=rng.randrange(1, COMMITS_PER_ORDER * orders))
    if rng.random() < AT_A_FACT:
        (fact,) = rng.choices(list(FACTS), list(FACTS.values()))
        times = motions if fact == MOTION else FACTS[fact]
        return When(fact=fact, nth=rng.randrange(1, times * orders + 1))
    return None
