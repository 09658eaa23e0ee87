"""Puts what the line tells onto its plan: parcels on belts and at stations, states of machines, what waits for people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packline.core.faults import URGENCY, Severity, severity_of
from web.floor import first_thing
from web.ground import Ground, Place, Point
from web.troubles import Standing, beside, culprits, quality_of, severity, standing, state_of, stopped

LANES = {"lane-hold": "hold", "lane-gate": "courier_gate", "lane-clarify": "clarification"}
"""The kind of station that a lane ends at."""
SHOWN_DIGITS = 3
QUIET_KINDS = frozenset({"scanner", "camera"})
"""Devices that the plan shows only when something is wrong with them: they have no state of their own."""

NAMED_KINDS = QUIET_KINDS | {"printer"}
SHAPES: Mapping[str, str] = {
    "Execute": "run", "Idle": "rest", "Complete": "rest", "ready": "rest", "Held": "pause", "Suspended": "pause",
    "Stopped": "stop", "Aborted": "abort", "not_ready": "abort", "offline": "away",
}  # fmt: skip
BETWEEN = "turn"
"""The shape of a state that passes by itself (Starting, Clearing, Holding ...)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One device: its PackML state as a shape and a word. `state` is a key of `family` in the catalogue of words."""

    name: str
    kind: str
    shape: str
    family: str
    state: str
    severity: str

    @property
    def is_machine(self) -> bool:
        """Tell whether it is what the station is known by, so that its state alone says enough."""
        return self.kind not in NAMED_KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One parcel at `at`. `coming`: it is on its way there; `out`: where it leaves the hall, if it does so from here."""

    lpn: str
    at: Point
    station: str
    coming: bool
    state: str
    held: bool
    severity: str
    out: Point | None

    @property
    def digits(self) -> str:
        """Give what is written on the box."""
        return self.lpn[-SHOWN_DIGITS:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One item that lies bare at a station, in no carton yet; `door`: where such things come into the hall."""

    unit: str
    order: str
    at: Point
    station: str
    door: Point | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One station with what is to be said of it. `hidden` parcels found no room in the drawing, at `hidden_at`."""

    place: Place
    station: Mapping[str, Any]
    says: Mapping[str, Any]
    severity: str
    state: str
    fault: Mapping[str, Any] | None
    about: Sequence[Standing]
    marks: tuple[Mark, ...]
    here: int
    coming: int
    cases: int
    case_severity: str
    hidden: int
    hidden_at: Point | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A plan with everything on it. `astray` are parcels that are at no station; `stopped` the stations of an open safety circuit."""

    ground: Ground
    spots: tuple[Spot, ...]
    boxes: tuple[Box, ...]
    pieces: tuple[Piece, ...]
    astray: tuple[Mapping[str, Any], ...]
    stopped: tuple[str, ...]


def scene(snapshot: Mapping[str, Any], ground: Ground) -> Scene:
    """Put `snapshot` onto `ground`, which was laid for its stations."""
    stations = snapshot.get("stations", ())
    floor = snapshot.get("floor") or {}
    here, coming, astray = _sorted_out(floor.get("parcels", ()), stations)
    cases = list(floor.get("cases", ()))
    doors = {door.station: door.at for door in ground.doors if door.way == "out"}
    spots, boxes = [], []
    for station in stations:
        name = station["name"]
        queue = [*((parcel, False) for parcel in here[name]), *((parcel, True) for parcel in coming[name])]
        place = ground.places[name]
        room = len(place.slots) if len(queue) <= len(place.slots) else len(place.slots) - 1
        for (parcel, is_coming), at in zip(queue[:room], place.slots, strict=False):
            boxes.append(_box(parcel, at, name, is_coming, cases, doors.get(name)))
        of_it = [case for case in cases if case.get("station") == name]
        spots.append(_spot(station, place, len(here[name]), len(coming[name]), of_it, max(0, len(queue) - room)))
    return Scene(
        ground=ground,
        spots=tuple(spots),
        boxes=tuple(sorted(boxes, key=lambda box: box.lpn)),
        pieces=tuple(_pieces(stations, ground, {box.at for box in boxes})),
        astray=tuple(astray),
        stopped=stopped(stations),
    )


def _pieces(stations: Sequence[Mapping[str, Any]], ground: Ground, taken: set[Point]) -> Iterator[Piece]:
    """Give the items on tables, each where things come in; none where no room is left to draw it."""
    doors = {door.station: door.at for door in ground.doors if door.way == "in"}
    for station in stations:
        name, at = station["name"], ground.places[station["name"]].slots[-1]
        if station.get("unit") and at not in taken:
            unit, order = str(station["unit"]), str(station.get("order", ""))
            yield Piece(unit=unit, order=order, at=at, station=name, door=doors.get(name))


def _sorted_out(
    parcels: Iterable[Mapping[str, Any]], stations: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, list[Any]], dict[str, list[Any]], list[Any]]:
    """Give who is at each station, who is on the way to it, the first to come first, and who is at none."""
    here: dict[str, list[Any]] = defaultdict(list)
    coming: dict[str, list[Any]] = defaultdict(list)
    astray: list[Any] = []
    by_kind: dict[str, str] = {}
    for station in stations:
        by_kind.setdefault(station["kind"], station["name"])
    known = {station["name"] for station in stations}
    for parcel in reversed(list(parcels)):
        name, is_coming = _where(str(parcel.get("place", "")), by_kind)
        if name not in known:
            astray.append(parcel)
        else:
            (coming if is_coming else here)[name].append(parcel)
    for name in here:
        here[name].sort(key=lambda parcel: (parcel["place"], parcel["lpn"]))
    return here, coming, astray


def _where(place: str, by_kind: Mapping[str, str]) -> tuple[str, bool]:
    """Give the station that a parcel's place belongs to, and whether the parcel is still on its way there."""
    if place.startswith("to:"):
        return place.removeprefix("to:"), True
    if place in LANES:
        return by_kind.get(LANES[place], ""), True
    if place[:1] == "H" and place[1:].isdigit():
        return by_kind.get("hold", ""), False
    return place, False


def _box(
    parcel: Mapping[str, Any],
    at: Point,
    station: str,
    coming: bool,
    cases: Sequence[Mapping[str, Any]],
    out: Point | None,
) -> Box:
    return Box(
        lpn=parcel["lpn"],
        at=at,
        station=station,
        coming=coming,
        state=str(parcel.get("state", "")),
        held=bool(parcel.get("held")),
        severity=_worst(severity_of(case["code"]) for case in cases if case.get("subject") == parcel["lpn"]),
        out=out,
    )


def _spot(
    station: Mapping[str, Any], place: Place, here: int, coming: int, cases: Sequence[Mapping[str, Any]], hidden: int
) -> Spot:
    fault, about = _worst_of(station)
    return Spot(
        place=place,
        station=station,
        says=first_thing(station)[0],
        severity=severity(station),
        state=state_of(station),
        fault=fault,
        about=about,
        marks=tuple(_marks(station)),
        here=here,
        coming=coming,
        cases=len(cases),
        case_severity=_worst((severity_of(case["code"]) for case in cases), Severity.INFO.value) if cases else "",
        hidden=hidden,
        hidden_at=place.slots[-1] if hidden else None,
    )


def _worst_of(station: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, Sequence[Standing]]:
    """Give the one trouble to name, and the devices that it is about: the station's own, unless a device has a worse one."""
    own, other = station.get("fault"), next(iter(beside(station)), None)
    if other and (not own or URGENCY[other.severity] < URGENCY[severity_of(int(own.get("code") or 0))]):
        return other.as_fault(), (other,)
    return own, culprits(station) if own else ()


def _marks(station: Mapping[str, Any]) -> Iterator[Mark]:
    """Give the machines and printers, and of the other devices those in trouble."""
    troubles = {one.device: one.severity for one in reversed(standing(station))}
    for device in station.get("devices", ()):
        quality, name = quality_of(device), str(device["name"])
        if device["kind"] in QUIET_KINDS and quality == "good":
            continue
        worst = troubles.get(name, Severity.WARNING if quality != "good" else Severity.INFO)
        is_heard = quality in ("good", "fault", "taken")
        state = str(device.get("state", "")) if is_heard else ""
        yield Mark(
            name=name,
            kind=str(device["kind"]),
            shape=SHAPES.get(state, BETWEEN)
            if state
            else "rest"
            if quality == "good"
            else "away"
            if not is_heard
            else "abort",
            family="machine_state" if state else "quality",
            state=state or ("not_connected" if quality == "absent" else quality),
            severity="" if worst is Severity.INFO else worst.value,
        )


def _worst(severities: Iterable[Severity], least: str = "") -> str:
    """Give the most urgent one that is more than a note; "" or `least` without one."""
    worst = min(severities, key=lambda one: URGENCY[one], default=Severity.INFO)
    return least if worst is Severity.INFO else worst.value
