"""Charts in SVG whose words are HTML beside them: they stretch to any width, and the letters stay as large as they are."""

from __future__ import annotations

import math
from collections.abc import Sequence

from simulation.report.markup import Child, Markup, tag
from simulation.report.words import moment, number

Step = tuple[float, int]
WIDE, HIGH = 1000.0, 200.0
MOST_POINTS = 1200
BINS = 24
NICE = (1, 2, 5, 10)
NICE_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800)
TICKS = 4
NEAR_THE_END = 0.96
"""Words behind this share of a scale stand before their place: they would run out of the page."""


def step_chart(lines: Sequence[tuple[str, Sequence[Step], str]], end_s: float, unit: str) -> Markup:
    """Draw levels over time; each line has a name, its steps and its class. `unit` says what is counted."""
    most = max((level for _, steps, _ in lines for _, level in steps), default=0)
    top, ticks = _scale(most)
    drawn = [
        tag("path", tag("title", name), d=_path(steps, end_s, top), class_=f"line {kind}")
        for name, steps, kind in lines
    ]
    return _plot(drawn, ticks, top, time_axis(end_s), f"{unit} over time")


def histogram(groups: Sequence[tuple[str, Sequence[float], str]], marks: Sequence[tuple[str, float]]) -> Markup:
    """Draw how often times in seconds were how long; `marks` are percentiles by name. Groups stand before each other."""
    end_s = max((max(values) for _, values, _ in groups if len(values)), default=1.0) * 1.02
    bars = [(name, _counts(values, end_s), kind) for name, values, kind in groups]
    top, ticks = _scale(max(max(counts) for _, counts, _ in bars))
    wide = WIDE / BINS / len(bars)
    drawn: list[Child] = []
    for group, (name, counts, kind) in enumerate(bars):
        for n, count in enumerate(counts):
            x, high = n * WIDE / BINS + group * wide, HIGH * count / top
            said = f"{name}: {count} of {moment(n * end_s / BINS)} to {moment((n + 1) * end_s / BINS)}"
            box = {"x": x + 1, "y": HIGH - high, "width": wide - 2, "height": high}
            drawn.append(tag("rect", tag("title", said), class_=f"bar {kind}", **box) if count else None)
    for name, at in marks:
        x = WIDE * at / end_s
        drawn.append(tag("line", tag("title", name), x1=x, x2=x, y1=0.0, y2=HIGH, class_="mark"))
    return _plot(drawn, ticks, top, time_axis(end_s), "parcels by cycle time")


def strip(parts: Sequence[tuple[float, float, str, str]], end: float, label: str) -> Markup:
    """Draw one row of bars: begin, end, class, words of each, on a scale from 0 to `end`."""
    return tag(
        "svg",
        [
            tag(
                "rect",
                tag("title", said),
                x=_share(begin, end),
                width=_share(max(last - begin, end * 0.0015), end),
                y="0",
                height="100%",
                class_=kind,
            )
            for begin, last, kind, said in parts
        ],
        class_="strip",
        role="img",
        aria_label=label,
    )


def time_axis(end_s: float) -> Markup:
    """Give the words under a scale of time from 0 to `end_s`."""
    step = next((s for s in NICE_S if end_s / s <= TICKS), None) or _nice(end_s / TICKS)
    places = [n * step for n in range(math.floor(end_s / step) + 1)]
    return _axis([(at, moment(at) if at else "0") for at in places], end_s)


def _axis(ticks: Sequence[tuple[float, str]], end: float) -> Markup:
    return tag(
        "div",
        [
            tag("span", said, style=f"left:{_share(at, end)}", class_="last" if at > end * NEAR_THE_END else None)
            for at, said in ticks
        ],
        class_="xs",
        aria_hidden="true",
    )


def _plot(drawn: Child, ticks: Sequence[float], top: float, axis: Markup, label: str) -> Markup:
    grid = [tag("line", x1=0.0, x2=WIDE, y1=_y(t, top), y2=_y(t, top), class_="grid") for t in ticks]
    picture = tag(
        "svg",
        grid,
        drawn,
        viewbox=f"0 0 {WIDE:g} {HIGH:g}",
        preserveaspectratio="none",
        role="img",
        aria_label=label,
    )
    ys = tag(
        "div",
        [tag("span", number(t), style=f"top:{100 * _y(t, top) / HIGH:.2f}%") for t in ticks],
        class_="ys",
        aria_hidden="true",
    )
    return tag("div", ys, tag("div", picture, axis, class_="area"), class_="plot")


def _path(steps: Sequence[Step], end_s: float, top: float) -> str:
    thinned = _thin(steps)
    words, last = [], 0
    for n, (at_s, level) in enumerate(thinned):
        x, y = WIDE * at_s / end_s if end_s else 0.0, _y(level, top)
        words.append(f"M{x:.1f} {y:.1f}" if not n else f"H{x:.1f}V{y:.1f}")
        last = level
    return "".join([*words, f"H{WIDE:g}"]) if words else f"M0 {_y(last, top):.1f}"


def _thin(steps: Sequence[Step]) -> Sequence[Step]:
    """Keep so many steps as a picture can show, of each group the highest."""
    if len(steps) <= MOST_POINTS:
        return steps
    size = math.ceil(len(steps) / MOST_POINTS)
    groups = (steps[n : n + size] for n in range(0, len(steps), size))
    return [max(group, key=_level) for group in groups] + [steps[-1]]


def _level(step: Step) -> int:
    return step[1]


def _counts(values: Sequence[float], end_s: float) -> list[int]:
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, int(BINS * value / end_s))] += 1
    return counts


def _scale(most: float) -> tuple[float, list[float]]:
    """Give a top at or above `most`, and the ticks up to it."""
    step = max(1, _nice(most / 4)) if most > 0 else 1
    top = max(1, math.ceil(most / step)) * step
    return top, [n * step for n in range(round(top / step) + 1)]


def _nice(value: float) -> float:
    power = 10 ** math.floor(math.log10(value)) if value > 0 else 1
    return next(n * power for n in NICE if n * power >= value * 0.999)


def _y(level: float, top: float) -> float:
    return HIGH - HIGH * level / top


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole if whole else 0:.3f}%"
