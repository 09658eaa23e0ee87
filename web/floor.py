"""Lays the stations out as a picture of the line and says which of them need somebody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from web.troubles import Standing, beside, culprits, severity, state_of

# where a kind stands in the picture: (stage from the left, whether below the main row, how many stages wide)
PLACE: Mapping[str, tuple[int, bool, int]] = {
    "turntable": (1, False, 1),
    "pack": (2, False, 1),
    "print_apply": (3, False, 1),
    "hold": (4, False, 1),
    "courier_gate": (5, False, 1),
    "bench": (2, True, 2),
    "clarification": (4, True, 2),
}
MOST_ROWS = 8
WORKS = frozenset(PLACE) - {"clarification"}
"""Kinds that parcels pass on their way; clarification stands beside the line."""

WAITING = frozenset({"idle", "wait_carton", "place_parcel"})
"""Instructions that ask for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One station in the picture. `severity` is "" when all is well; column, row and width count from 1.

    `state` is the word to show. `trouble` is what keeps a device from working, where the station names no fault of its own;
    `culprits` are the devices that its own fault is about.
    `is_fed`: an arrow comes in from the left; `is_elbow`: it turns in from the row above, because nothing stands at its
    left; `joins`: its way out joins the main row behind it.
    """

    station: Mapping[str, Any]
    says: Mapping[str, Any]
    severity: str
    state: str
    trouble: Standing | None
    culprits: Sequence[Standing]
    column: int
    row: int
    width: int
    is_below: bool = False
    is_fed: bool = False
    is_elbow: bool = False
    joins: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The whole picture: tiles in reading order, how many stages, how many devices and those that do not answer."""

    tiles: tuple[Tile, ...]
    stages: int
    devices: int
    silent: tuple[Mapping[str, Any], ...]


def draw(snapshot: Mapping[str, Any]) -> Floor:
    """Lay out every station of `snapshot`."""
    stations: Sequence[Mapping[str, Any]] = snapshot.get("stations", ())
    devices = [device for place in (*stations, snapshot) for device in place.get("devices", ())]
    tiles = tuple(sorted(_tiles(stations), key=lambda tile: (tile.row, tile.column)))
    return Floor(
        tiles=tiles,
        stages=max((tile.column + tile.width - 1 for tile in tiles), default=1),
        devices=len(devices),
        silent=tuple(device for device in devices if device.get("quality") != "good"),
    )


def first_thing(station: Mapping[str, Any]) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]:
    """Give what to say first and the tasks after it, each once: a place that only waits has its first task as the next."""
    following, tasks = station.get("next") or {"key": "idle"}, list(station.get("tasks", ()))
    said = tasks[0] if tasks and following.get("key") in WAITING else following
    return said, [task for task in tasks if task != said and not _has_come(task, station)]


def _has_come(task: Mapping[str, Any], station: Mapping[str, Any]) -> bool:
    """Tell whether a task only announces the parcel that lies there already."""
    lpn = (task.get("params") or {}).get("lpn")
    return task.get("key") == "coming" and lpn is not None and lpn == station.get("parcel")


def _tiles(stations: Sequence[Mapping[str, Any]]) -> Iterator[Tile]:
    """Stack stations of the same stage; those below the main row start under its last one."""
    stages = sorted(
        {PLACE.get(s["kind"], (5, True, 1))[0] for s in stations if not PLACE.get(s["kind"], (5, True, 1))[1]}
    )
    column_of = {stage: number + 1 for number, stage in enumerate(stages)}
    filled: dict[int, int] = {}
    for is_below in (False, True):
        floor = max(filled.values(), default=0)
        for station in stations:
            stage, below, width = PLACE.get(station["kind"], (5, True, 1))
            if below is not is_below:
                continue
            column = column_of.get(stage, min(stage, len(stages) or 1))
            width = max(1, min(width, (len(stages) or 1) - column + 1))
            used = max((filled.get(c, 0) for c in range(column, column + width)), default=0)
            row = max(used, floor if below else 0) + 1
            filled.update(dict.fromkeys(range(column, column + width), row))
            works = station["kind"] in WORKS
            yield Tile(
                station=station,
                says=first_thing(station)[0],
                severity=severity(station),
                state=state_of(station),
                culprits=culprits(station),
                trouble=next(iter(beside(station)), None) if not station.get("fault") else None,
                column=column,
                row=min(row, MOST_ROWS),
                width=width,
                is_below=below,
                is_fed=works and column > 1,
                is_elbow=works and below and column > 1,
                joins=works and below and column + width <= len(stages),
            )
