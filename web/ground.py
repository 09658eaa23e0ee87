"""Lays the stations of a site out as a plan: a place for each, belts between them, doors; pure geometry, in units of a drawing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from web.floor import PLACE
from web.tall_lanes import lane_at, lanes_of, margin_of, ports_of

Point = tuple[int, int]
Pair = tuple[str, str]
Gap = tuple[str, int]
PARCEL_W, PARCEL_H = 46, 42
OUT_KIND, IN_KIND = "courier_gate", "turntable"
BESIDE = (5, True, 1)
"""Where a kind stands of which nobody said so: below the last stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The measures of a plan. `is_tall`: one column, for a phone; else stages from left to right.

    `tile` is what a station's words get, `strip` the belt or rack of a station: beneath a tile, in a tall plan at its left.
    `margin` is the room around everything, with the doors in it; in a tall plan at least so much is at the left, where ways run, and
    as much at the right as to set it off from the edge.
    """

    is_tall: bool
    tile: Point
    strip: int
    gap: Point
    margin: Point
    least_columns: int = 1


WIDE = Shape(is_tall=False, tile=(288, 284), strip=58, gap=(70, 62), margin=(82, 14), least_columns=4)
TALL = Shape(is_tall=True, tile=(276, 212), strip=58, gap=(0, 42), margin=(8, 44))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one station stands: its tile and its strip as (x, y, width, height), and the middles of its parcels' places.

    `slots` go from the end where parcels leave to the one where they come in.
    """

    name: str
    column: int
    row: int
    tile: tuple[int, int, int, int]
    strip: tuple[int, int, int, int]
    slots: tuple[Point, ...]
    entry: Point
    exit: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Belt:
    """A way from one station to another; `is_straight`: their strips are neighbours and it goes on between them."""

    start: str
    end: str
    points: tuple[Point, ...]
    is_straight: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A way into the hall or out of it, drawn at `at` beside the station `station`."""

    way: Literal["in", "out"]
    station: str
    at: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A whole plan, `width` by `height` units."""

    shape: Shape
    width: int
    height: int
    places: Mapping[str, Place]
    belts: tuple[Belt, ...]
    doors: tuple[Door, ...]


def lay(stations: Sequence[Mapping[str, Any]], shape: Shape) -> Ground:
    """Lay out `stations`, each with `name`, `kind` and the names it `leads` to; no two places overlap, no belt crosses one."""
    cells = dict(_in_a_column(stations) if shape.is_tall else _in_stages(stations))
    named = [(s["name"], to) for s in stations for to in s.get("leads", ())]
    wanted = [pair for pair in dict.fromkeys(named) if pair[1] in cells and pair[0] != pair[1]]
    edge = shape.margin[0]
    rows_of = {name: row for name, (_, row) in cells.items()}
    lanes = lanes_of([(a, b) for a, b in wanted if rows_of[b] != rows_of[a] + 1], rows_of) if shape.is_tall else {}
    shape = replace(shape, margin=(margin_of(lanes, edge), shape.margin[1]))
    places = {name: _place(name, cell, shape) for name, cell in cells.items()}
    columns = max([shape.least_columns, *(place.column + 1 for place in places.values())])
    rows = max([1, *(place.row + 1 for place in places.values())])
    belts = _tall_belts(wanted, places, lanes) if shape.is_tall else _wide_belts(wanted, places, shape)
    pitch = _pitch(shape)
    return Ground(
        shape=shape,
        width=shape.margin[0] + edge + columns * pitch[0] - shape.gap[0],
        height=2 * shape.margin[1] + rows * pitch[1] - (shape.gap[1] if shape.is_tall else 0),
        places=places,
        belts=tuple(belts),
        doors=tuple(_doors(stations, places, shape)),
    )


def _stands(stations: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, int, bool]]:
    """Give each station's stage and whether it stands below the line; a bench is in the line where nothing else packs."""
    packs = any(station["kind"] == "pack" for station in stations)
    for station in stations:
        stage, is_below, _ = PLACE.get(station["kind"], BESIDE)
        yield station["name"], stage, is_below and (packs or station["kind"] != "bench")


def _in_stages(stations: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Point]]:
    """Give each station's (column, row): stages side by side, alike ones under each other, those beside the line below."""
    known = list(_stands(stations))
    stages = sorted({stage for _, stage, is_below in known if not is_below}) or [1]
    filled: dict[int, int] = defaultdict(int)
    for wanted_below in (False, True):
        floor = max(filled.values(), default=0) if wanted_below else 0
        for name, stage, is_below in known:
            if is_below is wanted_below:
                column = sum(one < stage for one in stages) if stage in stages else min(stage, len(stages)) - 1
                row = max(filled[column], floor)
                filled[column] = row + 1
                yield name, (column, row)


def _in_a_column(stations: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Point]]:
    """The same order from top to bottom: the line first, then what stands beside it."""
    cells = dict(_in_stages(stations))
    below = {name: is_below for name, _, is_below in _stands(stations)}
    ordered = sorted(cells, key=lambda name: (below[name], cells[name]))
    return ((name, (0, row)) for row, name in enumerate(ordered))


def _pitch(shape: Shape) -> Point:
    """Give how far it is from one cell to the next, across and down."""
    width, height = shape.tile
    across, down = (width + shape.strip, height) if shape.is_tall else (width, height + shape.strip)
    return across + shape.gap[0], down + shape.gap[1]


def _place(name: str, cell: Point, shape: Shape) -> Place:
    pitch, (width, height), deep = _pitch(shape), shape.tile, shape.strip
    x, y = (shape.margin[axis] + cell[axis] * pitch[axis] for axis in (0, 1))
    if shape.is_tall:
        middle, n = x + deep // 2, height // (PARCEL_H + 4)
        slots = tuple((middle, y + height - (2 * i + 1) * height // (2 * n)) for i in range(n))
        strip, tile = (x, y, deep, height), (x + deep, y, width, height)
        entry, leave = (middle, y), (middle, y + height)
    else:
        middle, n = y + height + deep // 2, width // (PARCEL_W + 2)
        slots = tuple((x + width - (2 * i + 1) * width // (2 * n), middle) for i in range(n))
        strip, tile = (x, y + height, width, deep), (x, y, width, height)
        entry, leave = (x, middle), (x + width, middle)
    return Place(name=name, column=cell[0], row=cell[1], tile=tile, strip=strip, slots=slots, entry=entry, exit=leave)


def _wide_belts(wanted: Sequence[Pair], places: Mapping[str, Place], shape: Shape) -> Iterator[Belt]:
    """Lead every belt that is not straight through the gaps between columns and rows; each has a lane of its own there."""
    straight = {pair for pair in wanted if _is_straight(places[pair[0]], places[pair[1]], shape)}
    bends = [_Bend(pair, places, straight) for pair in wanted if pair not in straight]
    lanes = _Lanes()
    for bend in bends:
        for gap in bend.gaps():
            lanes.add(gap, bend.pair)
    made = {bend.pair: tuple(bend.points(lanes, shape)) for bend in bends}
    for pair in wanted:
        points = made.get(pair) or (places[pair[0]].exit, places[pair[1]].entry)
        yield Belt(start=pair[0], end=pair[1], points=points, is_straight=pair in straight)


class _Bend:
    """One belt with corners. Where a straight one uses the end of a strip already, it leaves or enters from beneath."""

    def __init__(self, pair: Pair, places: Mapping[str, Place], straight: set[Pair]) -> None:
        self.pair = pair
        self._start, self._end = places[pair[0]], places[pair[1]]
        self._leaves_below = any(start == pair[0] for start, _ in straight)
        self._enters_below = any(end == pair[1] for _, end in straight)

    def gaps(self) -> Iterator[Gap]:
        """Give the gaps that it runs in: channels right of a column, corridors below a row, and feet of strips."""
        if self._leaves_below:
            yield from (("corridor", self._start.row), ("leaves " + self._start.name, 0))
        else:
            yield "channel", self._start.column
        if self._enters_below:
            yield from (("corridor", self._end.row), ("enters " + self._end.name, 0))
        else:
            yield "channel", self._end.column - 1
        if self._leaves_below and self._enters_below and self._start.row != self._end.row:
            yield "channel", self._end.column - 1
        if self._crosses():
            yield "corridor", self._between()

    def points(self, lanes: _Lanes, shape: Shape) -> Iterator[Point]:
        """Give its corners from the strip that it leaves to the one that it enters."""
        pitch = _pitch(shape)

        def across(column: int) -> int:
            gap = shape.margin[0] + (column + 1) * pitch[0] - shape.gap[0]
            return gap + lanes.offset(("channel", column), self.pair, shape.gap[0])

        def down(row: int) -> int:
            gap = shape.margin[1] + (row + 1) * pitch[1] - shape.gap[1]
            return gap + lanes.offset(("corridor", row), self.pair, shape.gap[1])

        start, end, x = self._start, self._end, 0
        if self._leaves_below:
            x = start.exit[0] - lanes.offset(("leaves " + start.name, 0), self.pair, start.strip[2] // 2)
            yield from ((x, start.strip[1] + start.strip[3]), (x, down(start.row)))
        else:
            x = across(start.column)
            yield from (start.exit, (x, start.exit[1]))
        if self._crosses():
            yield from ((x, down(self._between())), (across(end.column - 1), down(self._between())))
        if not self._enters_below:
            x = across(end.column - 1)
            if self._leaves_below:
                yield x, down(start.row)
            yield from ((x, end.entry[1]), end.entry)
            return
        if self._leaves_below and start.row != end.row:
            x = across(end.column - 1)
            yield from ((x, down(start.row)), (x, down(end.row)))
        elif not self._leaves_below:
            yield x, down(end.row)
        x = end.entry[0] + lanes.offset(("enters " + end.name, 0), self.pair, end.strip[2] // 2)
        yield from ((x, down(end.row)), (x, end.strip[1] + end.strip[3]))

    def _crosses(self) -> bool:
        """Tell whether it goes from one channel to another, which takes a corridor."""
        from_side_to_side = not self._leaves_below and not self._enters_below
        return from_side_to_side and self._end.column != self._start.column + 1

    def _between(self) -> int:
        """Give the row under which it crosses columns: on the side of its start that looks to its end."""
        return self._start.row - 1 if self._end.row < self._start.row else self._start.row


def _tall_belts(wanted: Sequence[Pair], places: Mapping[str, Place], lanes: Mapping[Pair, int]) -> Iterator[Belt]:
    """Lead every belt that is not straight through its lane in the margin at the left."""
    rows = {name: place.row for name, place in places.items()}
    height = next((place.strip[3] for place in places.values()), 0)
    ports = ports_of(lanes, rows, height)
    for pair in wanted:
        start, end = places[pair[0]], places[pair[1]]
        if pair not in lanes:
            yield Belt(start=pair[0], end=pair[1], points=(start.exit, end.entry), is_straight=True)
            continue
        left = start.strip[0]
        x, leave, entry = (
            lane_at(lanes[pair], lanes, left),
            start.exit[1] - ports[pair][0],
            end.entry[1] + ports[pair][1],
        )
        points = ((left, leave), (x, leave), (x, entry), (left, entry))
        yield Belt(start=pair[0], end=pair[1], points=points, is_straight=False)


def _is_straight(start: Place, end: Place, shape: Shape) -> bool:
    return not shape.is_tall and end.row == start.row and end.column == start.column + 1


class _Lanes:
    """Shares the width of each gap among the belts that run in it."""

    def __init__(self) -> None:
        self._users: dict[Gap, list[Pair]] = defaultdict(list)

    def add(self, gap: Gap, belt: Pair) -> None:
        if belt not in self._users[gap]:
            self._users[gap].append(belt)

    def offset(self, gap: Gap, belt: Pair, width: int) -> int:
        users = self._users[gap]
        return width * (users.index(belt) + 1) // (len(users) + 1)


def _doors(stations: Sequence[Mapping[str, Any]], places: Mapping[str, Place], shape: Shape) -> Iterator[Door]:
    """Put a door before each first station and behind each courier gate."""
    aside = shape.margin[1] // 2 if shape.is_tall else shape.margin[0] // 2
    for station in stations:
        place = places[station["name"]]
        if station["kind"] == IN_KIND:
            x, y = place.entry
            yield Door(way="in", station=place.name, at=(x, y - aside) if shape.is_tall else (x - aside, y))
        elif station["kind"] == OUT_KIND:
            x, y = place.exit
            yield Door(way="out", station=place.name, at=(x, y + aside) if shape.is_tall else (x + aside, y))
