"""Draws a line as one SVG, for light and dark screens: stations, their devices, belts, lanes and ways by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from controller.integrator.line_plan import Box, Device, LinePlan, Way

CARD, GAP, ROW, TOP, SIDE = 262, 108, 26, 118, 40
HEAD, FOOT, APART = 62, 14, 34
MOST_WORDS = 30
TRUNK, HAND_TRUNK, LANE_AT = 50, 72, 82
"""Where in a gap belts turn, ways by hand turn, and the number of a lane stands that goes straight on."""
KINDS: Mapping[str, str] = {
    "turntable": "collect, take pictures",
    "pack": "pack",
    "print_apply": "print and apply the label",
    "bench": "pack and label by hand",
    "hold": "shelf",
    "courier_gate": "gate to the courier",
    "clarification": "clarification",
}
ICONS: Mapping[str, str] = {
    "turntable": '<circle r="12"/><path d="M0-12v5M-6 3a7 7 0 1 0 2-8"/><path d="m-8-7 4 2 2-4"/>',
    "pack": '<path d="M-12-6 0-12 12-6V7L0 13-12 7Z"/><path d="M-12-6 0 0l12-6M0 0v13"/>',
    "print_apply": '<rect x="-12" y="-9" width="24" height="18" rx="2"/><path d="M-8-4v8M-5-4v8M-1-4v8M2-4v8M5-4v8M8-4v8"/>',
    "bench": '<path d="M-13-3h26M-10-3v12M10-3v12"/><rect x="-6" y="-11" width="12" height="8"/>',
    "hold": '<path d="M-12-12v24M12-12v24M-12-4h24M-12 5h24"/><rect x="-8" y="-10" width="6" height="6"/><rect x="2" y="-1" width="6" height="6"/>',
    "courier_gate": '<path d="M-10-12v24M-10-6h22"/><path d="m-6-6 3 4m3-4 3 4m3-4 3 4"/><circle cx="-10" cy="-6" r="2.5"/>',
    "clarification": '<circle r="12"/><path d="M-4-3a4 4 0 1 1 5 4q-1 .5-1 3"/><path d="M0 7v1"/>',
}
STYLE = """
:root { --back:#f6f7f9; --card:#fff; --line:#d5dae1; --text:#1b2430; --soft:#5b6675; --belt:#c3cad4; --roll:#98a3b1;
  --hand:#8d98a6; --twin:#2f6fb3; --twinback:#e3eefa; --real:#1c7a46; --realback:#e0f3e8; --lane:#a35b00; --laneback:#fdf0dc }
@media (prefers-color-scheme: dark) {
  :root { --back:#12161c; --card:#1c222b; --line:#343d49; --text:#e8ecf2; --soft:#9aa6b5; --belt:#3a4452; --roll:#5d6979;
    --hand:#76828f; --twin:#8ec1f5; --twinback:#1d3550; --real:#7fdca6; --realback:#173d29; --lane:#f5bd6b; --laneback:#45330f } }
text { font-family: system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; fill: var(--text) }
.title { font-size: 24px; font-weight: 650 } .soft { fill: var(--soft); font-size: 13px }
.name { font-size: 16px; font-weight: 600 } .small { font-size: 12.5px } .mono { font: 11.5px ui-monospace, "DejaVu Sans Mono", monospace; fill: var(--soft) }
.card { fill: var(--card); stroke: var(--line) } .icon { fill: none; stroke: var(--text); stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round }
.belt { fill: none; stroke: var(--belt); stroke-width: 14; stroke-linejoin: round }
.roll { fill: none; stroke: var(--roll); stroke-width: 12; stroke-dasharray: 1.6 7; stroke-linejoin: round }
.hand { fill: none; stroke: var(--hand); stroke-width: 2; stroke-dasharray: 3 6; stroke-linecap: round }
.tip { fill: var(--roll) } .handtip { fill: var(--hand) }
.twin rect { fill: var(--twinback) } .twin text { fill: var(--twin) } .real rect { fill: var(--realback) } .real text { fill: var(--real) }
.lane circle { fill: var(--laneback); stroke: var(--lane) } .lane text { fill: var(--lane); font-size: 12px; font-weight: 650; text-anchor: middle }
.badge text { font-size: 11.5px; font-weight: 600; text-anchor: middle }
"""


def line_picture(plan: LinePlan) -> str:
    """Give the picture as SVG text."""
    spots = _spots(plan)
    width = SIDE * 2 + CARD * 4 + GAP * 3
    bottom = max((y + _height(box) for box in plan.boxes for _, y in [spots[box.name]]), default=TOP)
    height = bottom + 74
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<title>{escape(plan.title)}</title><style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="var(--back)"/>',
        *_heading(plan, width),
        *_ways(plan, spots),
        *_lanes(plan, spots),
        *(part for box in plan.boxes for part in _card(box, *spots[box.name])),
        *_legend(height),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _height(box: Box) -> int:
    return HEAD + ROW * len(box.devices) + FOOT


def _spots(plan: LinePlan) -> dict[str, tuple[int, int]]:
    """Give the upper left corner of each card; the first of each column stand in one row."""
    spots: dict[str, tuple[int, int]] = {}
    free = [TOP] * 4
    for box in plan.boxes:
        spots[box.name] = (SIDE + box.column * (CARD + GAP), free[box.column])
        free[box.column] += _height(box) + APART
    return spots


def _heading(plan: LinePlan, width: int) -> Iterator[str]:
    devices = [device for box in plan.boxes for device in box.devices]
    twins = sum(device.run == "twin" for device in devices)
    yield f'<text class="title" x="{SIDE}" y="50">{escape(plan.title)}</text>'
    figures = f"{len(plan.boxes)} stations, {len(devices)} devices: {len(devices) - twins} real, {twins} twins"
    yield f'<text class="soft" x="{SIDE}" y="74">{escape(f"{figures}  ·  time zone {plan.time_zone}")}</text>'
    ends = f"orders from {', '.join(plan.feeds) or 'nowhere'}  ·  couriers {', '.join(plan.couriers) or 'none'}"
    yield f'<text class="soft" x="{width - SIDE}" y="74" text-anchor="end">{escape(ends)}</text>'


def _card(box: Box, x: int, y: int) -> Iterator[str]:
    yield f'<g transform="translate({x} {y})"><rect class="card" width="{CARD}" height="{_height(box)}" rx="10"/>'
    yield f'<g class="icon" transform="translate(28 32)">{ICONS[box.kind]}</g>'
    yield f'<text class="name" x="54" y="28">{escape(box.name)}</text>'
    who = "by a person" if box.run_by == "person" else "by a machine"
    words = f"{KINDS[box.kind]}, {box.slots} slots" if box.slots else f"{KINDS[box.kind]}, {who}"
    yield f'<text class="soft" x="54" y="46">{escape(words if len(words) <= MOST_WORDS else KINDS[box.kind])}</text>'
    for n, device in enumerate(box.devices):
        yield from _device(device, HEAD + ROW * n)
    yield "</g>"


def _device(device: Device, y: int) -> Iterator[str]:
    yield f'<g transform="translate(0 {y})"><title>{escape(f"{device.noun} {device.name}: {device.run}, {device.address}")}</title>'
    yield f'<g class="badge {device.run}"><rect x="14" y="3" width="38" height="18" rx="9"/><text x="33" y="16">{device.run}</text></g>'
    yield f'<text class="small" x="60" y="16">{escape(_short(device.name, 17))}</text>'
    yield f'<text class="mono" x="{CARD - 12}" y="16" text-anchor="end">{escape(_short(_place(device.address), 17))}</text></g>'


def _place(address: str) -> str:
    """Give host and port; the port alone on this computer."""
    bare = address.partition("://")[2] or address
    host = bare.partition("/")[0]
    return host.removeprefix("127.0.0.1")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


# -- ways --------------------------------------------------------------------------------------------------------------


def _ways(plan: LinePlan, spots: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    boxes = {box.name: box for box in plan.boxes}
    below = max(spots[box.name][1] + _height(box) for box in plan.boxes)
    for way in sorted(plan.ways, key=lambda w: w.by == "belt"):
        if way.start in boxes and way.end in boxes:
            yield from _way(way, boxes, spots, below)


def _way(way: Way, boxes: Mapping[str, Box], spots: Mapping[str, tuple[int, int]], below: int) -> Iterator[str]:
    (x1, y1), (x2, y2) = spots[way.start], spots[way.end]
    first, last = boxes[way.start], boxes[way.end]
    start, end = (x1 + CARD, y1 + 32), (x2 - 9, y2 + 32)
    if way.by == "hand":
        start, end = (x1 + CARD, y1 + _height(first) - 22), (x2 - 7, y2 + _height(last) - 16)
    skips = last.column - first.column > 1
    bend = x2 - GAP + HAND_TRUNK if way.by == "hand" else x1 + CARD + TRUNK
    if skips and way.by == "hand":
        # round below what stands between
        path = (
            f"M{start[0]} {start[1]}H{bend}V{end[1]}H{end[0]}"
            if _is_free(way, boxes, spots, start[1])
            else (f"M{start[0]} {start[1]}h14V{below + 8}H{bend}V{end[1]}H{end[0]}")
        )
    elif start[1] == end[1]:
        path = f"M{start[0]} {start[1]}H{end[0]}"
    else:
        path = f"M{start[0]} {start[1]}H{bend}V{end[1]}H{end[0]}"
    if way.by == "hand":
        yield f'<path class="hand" d="{path}"/><path class="handtip" d="M{end[0] + 6} {end[1]}l-8-4.5v9z"/>'
        return
    yield f'<path class="belt" d="{path}"/><path class="roll" d="{path}"/><path class="tip" d="M{end[0] + 9} {end[1]}l-10-7v14z"/>'


def _lanes(plan: LinePlan, spots: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    """Give the numbers of the lanes, over all belts."""
    for way in plan.ways:
        if way.lane and way.start in spots and way.end in spots:
            (x1, y1), (_, y2) = spots[way.start], spots[way.end]
            x = x1 + CARD + (LANE_AT if y1 == y2 else TRUNK)
            yield f'<g class="lane" transform="translate({x} {y2 + 32})"><circle r="10"/><text y="4.2">{way.lane}</text></g>'


def _is_free(way: Way, boxes: Mapping[str, Box], spots: Mapping[str, tuple[int, int]], y: int) -> bool:
    """Tell whether nothing stands between at this height."""
    between = [box for box in boxes.values() if boxes[way.start].column < box.column < boxes[way.end].column]
    return all(not spots[box.name][1] - 10 <= y <= spots[box.name][1] + _height(box) + 10 for box in between)


def _legend(height: int) -> Iterator[str]:
    y = height - 30
    yield f'<g transform="translate({SIDE} {y})"><path class="belt" d="M0 0h40"/><path class="roll" d="M0 0h40"/><text class="soft" x="50" y="4">belt</text>'
    yield '<path class="hand" d="M96 0h40"/><text class="soft" x="146" y="4">by hand</text>'
    yield '<g class="lane" transform="translate(224 0)"><circle r="10"/><text y="4.2">n</text></g><text class="soft" x="242" y="4">eject lane</text>'
    yield '<g class="badge twin" transform="translate(306 -12)"><rect x="14" y="3" width="38" height="18" rx="9"/><text x="33" y="16">twin</text></g><text class="soft" x="366" y="4">virtual, on this computer</text>'
    yield '<g class="badge real" transform="translate(534 -12)"><rect x="14" y="3" width="38" height="18" rx="9"/><text x="33" y="16">real</text></g><text class="soft" x="594" y="4">a device of the hall</text></g>'
