"""Draws a state table as a picture: states one below the other, each event a line from its state to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

LEFT, TOP = 20, 20
BOX_WIDTH, ROW, PADDING, GAP = 150, 18, 14, 22
LABEL_WIDTH, LANE = 190, 14
ARROW = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """`events` lead from one state to another."""

    source: str
    target: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    name: str
    top: float
    height: float
    edges: tuple[Edge, ...]
    is_end: bool

    def port(self, edge: Edge) -> float:
        """Give where an edge leaves the box."""
        return self.top + PADDING + ROW * (self.edges.index(edge) + 0.5)

    @property
    def entry(self) -> float:
        """Give where lines arrive."""
        return self.top + 7


def edges_of(table: Mapping[tuple[Any, str], Any], states: Sequence[object]) -> list[Edge]:
    """Give the lines of a table, events between the same two states on one; what stays in its state has none."""
    found: dict[tuple[str, str], list[str]] = {}
    for (source, event), target in table.items():
        if source != target:
            found.setdefault((str(source), str(target)), []).append(event)
    order = [str(state) for state in states]
    keys = sorted(found, key=lambda key: (order.index(key[0]), order.index(key[1])))
    return [Edge(source=s, target=t, events=tuple(found[s, t])) for s, t in keys]


def draw(title: str, states: Sequence[object], edges: Iterable[Edge]) -> str:
    """Give the picture as SVG."""
    lines = list(edges)
    boxes = _stack([str(state) for state in states], lines)
    lanes = _lanes(lines, boxes)
    width = LEFT + BOX_WIDTH + LABEL_WIDTH + LANE * (max(lanes.values(), default=0) + 2)
    height = max(box.top + box.height for box in boxes.values()) + TOP
    parts = [_line(edge, boxes, lanes[edge]) for edge in lines] + [_draw_box(box) for box in boxes.values()]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        f'font-family="sans-serif" font-size="12" role="img">\n<title>{escape(title)}</title>\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _stack(states: Sequence[str], edges: Sequence[Edge]) -> dict[str, _Box]:
    boxes: dict[str, _Box] = {}
    top: float = TOP
    for state in states:
        own = tuple(edge for edge in edges if edge.source == state)
        height = max(1, len(own)) * ROW + 2 * PADDING
        boxes[state] = _Box(name=state, top=top, height=height, edges=own, is_end=not own)
        top += height + GAP
    return boxes


def _lanes(edges: Sequence[Edge], boxes: Mapping[str, _Box]) -> dict[Edge, int]:
    """Give each line the innermost lane where it overlaps none; lines to the same state share one."""
    taken: list[list[tuple[float, float, str]]] = []
    lanes: dict[Edge, int] = {}
    for edge in sorted(edges, key=lambda e: abs(boxes[e.source].port(e) - boxes[e.target].entry)):
        ends = sorted((boxes[edge.source].port(edge), boxes[edge.target].entry))
        free = (n for n, lane in enumerate(taken) if _is_free(lane, ends, edge.target))
        lanes[edge] = number = next(free, len(taken))
        if number == len(taken):
            taken.append([])
        taken[number].append((ends[0], ends[1], edge.target))
    return lanes


def _is_free(lane: Sequence[tuple[float, float, str]], ends: Sequence[float], target: str) -> bool:
    return all(ends[1] < low - 4 or ends[0] > high + 4 or target == to for low, high, to in lane)


def _line(edge: Edge, boxes: Mapping[str, _Box], lane: int) -> str:
    right = LEFT + BOX_WIDTH
    out, back = boxes[edge.source].port(edge), boxes[edge.target].entry
    x = right + LABEL_WIDTH + LANE * (lane + 1)
    path = f"M{right} {out:g}H{x}V{back:g}H{right + ARROW}"
    arrow = f"M{right} {back:g}l{ARROW} -4v8z"
    label = escape(" / ".join(edge.events))
    return (
        f'<path d="{path}" fill="none" stroke="#8a94a0"/><path d="{arrow}" fill="#56616d"/>'
        f'<rect x="{right + 10}" y="{out - 8:g}" width="{7 * len(label) + 4}" height="15" fill="#fff"/>'
        f'<text x="{right + 12}" y="{out + 4:g}" fill="#1b3a57">{label}</text>'
    )


def _draw_box(box: _Box) -> str:
    stroke = "#1b3a57" if not box.is_end else "#8a94a0"
    weight = "bold" if not box.is_end else "normal"
    return (
        f'<rect x="{LEFT}" y="{box.top:g}" width="{BOX_WIDTH}" height="{box.height:g}" rx="6" fill="#f3f6f9" stroke="{stroke}"/>'
        f'<text x="{LEFT + 12}" y="{box.top + box.height / 2 + 4:g}" font-weight="{weight}" fill="#101820">{escape(box.name)}</text>'
    )
