"""The ways of the cartons through the plant, from its truth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from simulation.plant.things import GONE, HANDS
from simulation.plant.truth import Fact
from simulation.recording.journal import Books
from simulation.recording.rows import ParcelRow

MARKS = {
    "boxed": "item in",
    "sealed": "sealed",
    "cut_open": "cut open",
    "taken_out": "item out",
    "label_applied": "label on",
    "label_removed": "label off",
    "left_door": "left",
    "returned_to_shelf": "back to shelf",
}
"""Facts that are marked on a carton's way."""
OVER = {"left_door": "left", "returned_to_shelf": "returned"}


def parcel_rows(facts: Iterable[Fact], books: Books) -> tuple[ParcelRow, ...]:
    """Give a row for each carton, in the order in which they were taken."""
    ways: dict[str, dict[str, Any]] = {}
    for fact in facts:
        lpn = str(fact.data.get("lpn", ""))
        at_s = round(fact.sim_s, 2)
        if fact.name == "carton_taken":
            ways[lpn] = {"lpn": lpn, "begun_s": at_s, "visits": [(at_s, HANDS)], "marks": []}
        elif lpn not in ways:
            continue
        elif fact.name == "moved":
            if fact.data["to"] != GONE:
                ways[lpn]["visits"].append((at_s, fact.data["to"]))
        elif fact.name in MARKS:
            ways[lpn]["marks"].append((at_s, MARKS[fact.name]))
            if fact.name in OVER:
                ways[lpn] |= {"ended_s": at_s, "ended": OVER[fact.name]}
    for lpn, way in ways.items():
        way["order"] = books.order_of.get(lpn, "")
        way["labels"], way["is_verified"] = books.labels[lpn], lpn in books.verified
    return tuple(ParcelRow(**way) for way in ways.values())
