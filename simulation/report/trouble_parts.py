"""Sections on what went wrong: exceptions and how long they stood, first passes, faults that were made to happen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from simulation.recording.rows import ExceptionRow, FaultRow, Recording
from simulation.report.charts import strip, time_axis
from simulation.report.markup import Child, Markup, tag
from simulation.report.sides import Side, shown_s
from simulation.report.tables import legend, table
from simulation.report.words import UNKNOWN, moment, percent, seconds
from simulation.statistics.tallies import Tally

MOST_FAULTS = 200
MOST_STRIKES = 3
"""So many moments stand in a cell."""
TICK = 0.006
"""Width of a tick, as a share of the whole time: it is seen on a phone too."""


def exceptions(sides: Sequence[Side]) -> Markup:
    """Give exceptions by cause, and how long they stood."""
    body = [tag("div", tag("h3", side.name, class_="side"), _causes(side)) for side in sides]
    return tag("div", body, class_="stack")


def _causes(side: Side) -> Markup:
    by_cause: dict[tuple[int, str], list[ExceptionRow]] = defaultdict(list)
    for recording in side.recordings:
        for row in recording.exceptions:
            by_cause[row.code, row.fault].append(row)
    ordered = sorted(by_cause.items(), key=lambda cause: (-len(cause[1]), cause[0]))
    rows = [_cause(code, fault, found) for (code, fault), found in ordered]
    heads = ("cause", "times", "open", "to clear: mean", "p95", "longest", "where", "cleared by")
    return table(heads, rows, texts={6, 7}, none="No exception was opened.")


def _cause(code: int, fault: str, found: Sequence[ExceptionRow]) -> list[str]:
    took = Tally([row.closed_s - row.opened_s for row in found if row.closed_s is not None])
    where = Counter(row.station for row in found)
    actions = Counter(row.action for row in found if row.closed_s is not None)
    return [
        f"{code} {fault}",
        str(len(found)),
        str(sum(row.closed_s is None for row in found)),
        *(seconds(value) for value in (took.mean(), took.percentile(95), took.percentile(100))),
        _counted(where),
        _counted(actions),
    ]


def _counted(words: Counter[str]) -> str:
    return ", ".join(f"{word or 'by itself'} ×{times}" for word, times in words.most_common())  # noqa: RUF001 - times


def first_pass(sides: Sequence[Side]) -> Markup:
    """Give what was right at once: labels, and reads of each scanner."""
    body = [tag("div", tag("h3", side.name, class_="side"), _labels(side), _scanners(side)) for side in sides]
    return tag("div", tag("div", body, class_="sides"), tag("p", ON_FIRST, class_="soft"))


def _labels(side: Side) -> Markup:
    parcels = [p for recording in side.recordings for p in recording.parcels if p.labels]
    first = sum(p.labels == 1 and p.is_verified for p in parcels)
    more = Counter(p.labels for p in parcels if p.labels > 1)
    said = "".join(f", {times} had {labels} labels" for labels, times in sorted(more.items()))
    share = percent(first / len(parcels)) if parcels else "–"  # noqa: RUF001 - a dash
    return tag(
        "p", tag("b", share), f" of labels were right at the first pass: {first} of {len(parcels)} parcels{said}."
    )


def _scanners(side: Side) -> Markup:
    found: dict[str, list[int]] = {}
    for recording in side.recordings:
        for row in recording.scanners:
            counts = found.setdefault(row.name, [0, 0, 0])
            found[row.name] = [a + b for a, b in zip(counts, (row.first, row.read, row.again), strict=True)]
    rows: list[list[Child]] = [
        [name, percent(read / first) if first else "–", first, read, again]  # noqa: RUF001 - a dash
        for name, (first, read, again) in found.items()
    ]
    return table(("scanner", "first pass", "first tries", "read", "more tries"), rows)


ON_FIRST = (
    "A label is right at the first pass when the parcel was assigned one label only and that was verified. A scan's first try is the first "
    "look at something that is not what the scanner saw before; more tries are asked for also where the first was read."
)


def faults(sides: Sequence[Side]) -> Markup:
    """Draw when faults struck and exceptions stood, and list the faults."""
    return tag("div", [_faults(side, shown_s(sides)) for side in sides])


def _faults(side: Side, scale_s: float) -> Markup:
    recording = side.recordings[0]
    if not recording.faults and not recording.exceptions:
        return tag(
            "div",
            tag("h3", side.name, class_="side"),
            tag("p", "No fault struck and no exception was opened.", class_="soft"),
        )
    rows = [[name, strip(parts, scale_s, f"{name} over time")] for name, parts in _lanes(recording)]
    lanes = tag("div", rows, tag("span"), time_axis(scale_s), class_="rows")
    said = legend({kind: words for kind, words in LANE_WORDS.items() if kind in _kinds(recording)})
    return tag("div", tag("h3", side.name, class_="side"), said, lanes, _fault_table(recording))


def _lanes(recording: Recording) -> list[tuple[str, list[tuple[float, float, str, str]]]]:
    end_s = recording.head.ended_s
    lanes: dict[str, list[tuple[float, float, str, str]]] = defaultdict(list)
    for fault in recording.faults:
        lanes[fault.device] += _fault_parts(fault, end_s)
    for row in recording.exceptions:
        until_s = row.closed_s if row.closed_s is not None else end_s
        said = f"{row.code} {row.fault} {row.subject}, {moment(row.opened_s)} to {moment(until_s)}"
        lanes[row.station or "house"].append((row.opened_s, until_s, "exception", said))
    return sorted(lanes.items())


LANE_WORDS = {
    "strike": "a fault strikes",
    "fault": "a fault, until it was mended",
    "armed": "a fault that waits for its next strike",
    "exception": "an exception, until it was cleared",
}


def _kinds(recording: Recording) -> set[str]:
    return {kind for _, parts in _lanes(recording) for _, _, kind, _ in parts}


def _fault_parts(fault: FaultRow, end_s: float) -> list[tuple[float, float, str, str]]:
    """Give the bar of a fault that lasts, and a tick for each strike; one that only strikes is no trouble in between."""
    if fault.until_s == fault.at_s:
        return [_tick(fault.at_s, end_s, f"{fault.fault}, at once at {moment(fault.at_s)}")]
    until_s = fault.until_s if fault.until_s is not None else end_s
    kind = "armed" if fault.strikes else "fault"
    said = f"{fault.fault}, {moment(fault.at_s)} to {moment(until_s)}"
    ticks = [_tick(at_s, end_s, f"{fault.fault}, struck at {moment(at_s)}") for at_s in fault.strikes]
    return [(fault.at_s, until_s, kind, said), *ticks]


def _tick(at_s: float, end_s: float, said: str) -> tuple[float, float, str, str]:
    return at_s, at_s + TICK * end_s, "strike", said


def _fault_table(recording: Recording) -> Markup:
    shown = recording.faults[:MOST_FAULTS]
    speed = recording.head.speed
    rows = [
        [f.device, f.fault, moment(f.at_s), *([seconds(f.at_s / speed)] if speed != 1 else []), _struck(f), _lasted(f)]
        for f in shown
    ]
    more = len(recording.faults) - len(shown)
    rest = tag("p", f"and {more} more.", class_="soft") if more else ""
    of_line = ["on at, line's"] if speed != 1 else []
    heads = ("device", "fault", "on at, plant's", *of_line, "struck at", "for")
    return tag("div", table(heads, rows, texts={1}, none="No fault struck."), rest)


def _struck(fault: FaultRow) -> str:
    if fault.until_s == fault.at_s:
        return "at once"
    said = ", ".join(moment(at_s) for at_s in fault.strikes[:MOST_STRIKES])
    more = len(fault.strikes) - MOST_STRIKES
    return f"{said} and {more} more" if more > 0 else said or UNKNOWN


def _lasted(fault: FaultRow) -> str:
    """Say how long it lasted: until it was mended, or, where it struck as often as it was to, not on."""
    if fault.until_s is None:
        return "to the end"
    if fault.until_s == fault.at_s or (fault.strikes and fault.until_s == fault.strikes[-1]):
        return "once" if len(fault.strikes) <= 1 else f"{len(fault.strikes)} strikes"
    return seconds(fault.until_s - fault.at_s)
