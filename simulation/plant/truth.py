"""The record of what physically happened, append-only; the controller never sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from packline.core.clock import Clock

MOST_FACTS = 1_000_000
"""A long crash campaign makes some hundred thousand; beyond this the twin stops rather than forget what it has to keep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that happened: number from 1, name, simulated seconds, wall time, details."""

    n: int
    name: str
    sim_s: float
    at: datetime
    data: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Give it JSON-ready."""
        return {"n": self.n, "name": self.name, "sim_s": round(self.sim_s, 3), "at": self.at.isoformat(), **self.data}


class OnCarton(NamedTuple):
    """A label on a carton, as far as it is remembered."""

    sscc: str
    print_number: int
    complete: bool


@dataclass(slots=True, kw_only=True)
class ParcelTruth:
    """What is true of one carton. `labels_on` are the labels on it now, `most_labels` the most there ever were at a time."""

    lpn: str
    pieces: list[str] = field(default_factory=list)
    sealed: int = 0
    applied: list[OnCarton] = field(default_factory=list)
    labels_on: list[OnCarton] = field(default_factory=list)
    most_labels: int = 0
    wrong_labels: int = 0
    left: bool = False
    returned: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Give it JSON-ready."""
        return {
            "lpn": self.lpn,
            "pieces": self.pieces,
            "sealed": self.sealed,
            "applied": [label._asdict() for label in self.applied],
            "labels_on": [label._asdict() for label in self.labels_on],
            "most_labels": self.most_labels,
            "wrong_labels": self.wrong_labels,
            "left": self.left,
            "returned": self.returned,
        }


class Truth:
    """Takes facts and counts what the tests look for.

    A *double* label is one put on a carton that already carries one; a *wrong* label is one that names another carton. A
    label taken off first and replaced is neither. A copy that a faulty printer made of itself is neither, and no second
    print: what must not happen is that it leaves the door, on its own carton or on another. `shared_codes` counts cartons whose SSCC is on another carton too.

    Where nobody reads `facts`, `keeps_facts` can be taken back before the first: a long shift makes some 35 of them an order.
    """

    def __init__(self, clock: Clock, sim_now: Callable[[], float]) -> None:
        self._clock = clock
        self._sim_now = sim_now
        self.keeps_facts = True
        self.facts: list[Fact] = []
        self._noted = self._incomplete = 0
        self.listeners: list[Callable[[Fact], None]] = []
        """Hear of every fact when it is noted."""
        self.parcels: dict[str, ParcelTruth] = {}
        self._counts: Counter[str] = Counter()
        self._prints: Counter[tuple[str, int]] = Counter()
        self._keepers: dict[str, Callable[[dict[str, Any]], None]] = {
            "carton_taken": self._taken,
            "boxed": self._boxed,
            "sealed": self._sealed,
            "cut_open": self._cut_open,
            "taken_out": self._taken_out,
            "label_printed": self._printed,
            "label_applied": self._applied,
            "label_removed": self._removed,
            "left_door": self._left,
            "returned_to_shelf": self._returned,
        }

    def note(self, name: str, **data: Any) -> Fact:
        """Write one fact; `name` may be any word; those in `_keepers` are also counted by parcel."""
        if len(self.facts) >= MOST_FACTS:
            raise RuntimeError("the twin's truth is full")
        self._noted += 1
        fact = Fact(n=self._noted, name=name, sim_s=self._sim_now(), at=self._clock.now(), data=data)
        if self.keeps_facts:
            self.facts.append(fact)
        self._counts[name] += 1
        if name in self._keepers:
            self._keepers[name](data)
        for tell in self.listeners:
            tell(fact)
        return fact

    def after(self, n: int, most: int = 5000) -> list[Fact]:
        """Give at most `most` facts with a number greater than `n`."""
        start = max(n, 0)
        return self.facts[start : start + most]

    def count(self, name: str) -> int:
        """Count the facts called `name`."""
        return self._counts[name]

    def parcel(self, lpn: str) -> ParcelTruth:
        """Give what is true of carton `lpn`."""
        return self.parcels.setdefault(lpn, ParcelTruth(lpn=lpn))

    def summary(self) -> dict[str, int]:
        """Count what matters; every figure is physical."""
        gone = [p for p in self.parcels.values() if p.left]
        return {
            "facts": self._noted,
            "pieces_taken": self._counts["piece_taken"],
            "cartons": self._counts["carton_taken"],
            "cartons_sealed": self._counts["sealed"],
            "parcels_shipped": len(gone),
            "parcels_returned": sum(p.returned for p in self.parcels.values()),
            "pieces_shipped": sum(len(p.pieces) for p in gone),
            "labels_printed": self._counts["label_printed"],
            "labels_incomplete": self._incomplete,
            "labels_applied": self._counts["label_applied"],
            "labels_removed": self._counts["label_removed"],
            "labels_discarded": self._counts["label_discarded"],
            "labels_lost": self._counts["label_lost"],
            "double_labels": sum(max(p.most_labels - 1, 0) for p in self.parcels.values()),
            "wrong_labels": sum(p.wrong_labels for p in self.parcels.values()),
            "shared_codes": self._shared_codes(),
            "double_prints": sum(n - 1 for n in self._prints.values()),
            "double_seals": sum(max(p.sealed - 1, 0) for p in self.parcels.values()),
            "shipped_unlabelled": sum(not p.labels_on for p in gone),
            "shipped_unsealed": sum(not p.sealed for p in gone),
            "shipped_empty": sum(not p.pieces for p in gone),
        }

    def _shared_codes(self) -> int:
        """Count how many cartons too many carry one and the same SSCC (now, or when they left)."""
        first: dict[str, str] = {}
        others: set[tuple[str, str]] = set()
        for parcel in self.parcels.values():
            for label in parcel.labels_on:
                if label.sscc and first.setdefault(label.sscc, parcel.lpn) != parcel.lpn:
                    others.add((label.sscc, parcel.lpn))
        return len(others)

    # -- what each fact changes ----------------------------------------------------------------------------------------

    def _taken(self, data: dict[str, Any]) -> None:
        self.parcel(data["lpn"])

    def _boxed(self, data: dict[str, Any]) -> None:
        self.parcel(data["lpn"]).pieces.append(data["sku"])

    def _sealed(self, data: dict[str, Any]) -> None:
        self.parcel(data["lpn"]).sealed += 1

    def _cut_open(self, data: dict[str, Any]) -> None:
        self.parcel(data["lpn"]).sealed = 0

    def _taken_out(self, data: dict[str, Any]) -> None:
        self.parcel(data["lpn"]).pieces.remove(data["sku"])

    def _printed(self, data: dict[str, Any]) -> None:
        self._incomplete += not data["complete"]
        if data["complete"] and data["sscc"] and "copy" not in data:
            self._prints[data["sscc"], data["print_number"]] += 1

    def _applied(self, data: dict[str, Any]) -> None:
        parcel = self.parcel(data["lpn"])
        label = OnCarton(data["sscc"], data["print_number"], data["complete"])
        parcel.applied.append(label)
        parcel.labels_on.append(label)
        if "copy" in data:
            return
        parcel.most_labels = max(parcel.most_labels, len(parcel.labels_on))
        parcel.wrong_labels += bool(data["label_lpn"]) and data["label_lpn"] != data["lpn"]

    def _removed(self, data: dict[str, Any]) -> None:
        on = self.parcel(data["lpn"]).labels_on
        key = (data["sscc"], data["print_number"])
        newest = max((i for i, x in enumerate(on) if (x.sscc, x.print_number) == key), default=None)
        if newest is not None:
            del on[newest]

    def _left(self, data: dict[str, Any]) -> None:
        parcel = self.parcel(data["lpn"])
        parcel.left = True
        # nothing is put on it or into it any more: lists have the size that they have, and one is enough for labels
        alike = parcel.labels_on == parcel.applied
        parcel.pieces, parcel.applied = [*parcel.pieces], [*parcel.applied]
        if alike:
            parcel.labels_on = parcel.applied

    def _returned(self, data: dict[str, Any]) -> None:
        parcel = self.parcel(data["lpn"])
        parcel.returned, parcel.pieces = True, []


def as_json(facts: Iterable[Fact]) -> list[dict[str, Any]]:
    """Give facts JSON-ready."""
    return [fact.as_dict() for fact in facts]
