"""Sections on what went wrong: exceptions and how long they stood, first passes, faults that were made to happen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from simulation.recording.rows import ExceptionRow, Recording
from simulation.report.charts import strip, time_axis
from simulation.report.markup import Child, Markup, tag
from simulation.report.sides import Side
from simulation.report.tables import legend, table
from simulation.report.words import clock, percent, seconds
from simulation.statistics.tallies import Tally

MOST_FAULTS = 200


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
    return ", ".join(f"{word or 'by itself'} {times}" for word, times in words.most_common())


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
    return tag("div", [_faults(side) for side in sides])


def _faults(side: Side) -> Markup:
    recording = side.recordings[0]
    end_s = recording.head.ended_s
    if not recording.faults and not recording.exceptions:
        return tag(
            "div",
            tag("h3", side.name, class_="side"),
            tag("p", "No fault struck and no exception was opened.", class_="soft"),
        )
    rows = [[name, strip(parts, end_s, f"{name} over time")] for name, parts in _lanes(recording)]
    lanes = tag("div", rows, tag("span"), time_axis(end_s), class_="rows")
    said = legend({"fault": "a fault, until it was mended", "exception": "an exception, until it was cleared"})
    return tag("div", tag("h3", side.name, class_="side"), said, lanes, _fault_table(recording))


def _lanes(recording: Recording) -> list[tuple[str, list[tuple[float, float, str, str]]]]:
    end_s = recording.head.ended_s
    lanes: dict[str, list[tuple[float, float, str, str]]] = defaultdict(list)
    for fault in recording.faults:
        until_s = fault.until_s if fault.until_s is not None else end_s
        said = f"{fault.fault}, {clock(fault.at_s)} to {clock(until_s)}"
        lanes[fault.device].append((fault.at_s, until_s, "fault", said))
    for row in recording.exceptions:
        until_s = row.closed_s if row.closed_s is not None else end_s
        said = f"{row.code} {row.fault} {row.subject}, {clock(row.opened_s)} to {clock(until_s)}"
        lanes[row.station or "house"].append((row.opened_s, until_s, "exception", said))
    return sorted(lanes.items())


def _fault_table(recording: Recording) -> Markup:
    shown = recording.faults[:MOST_FAULTS]
    rows = [
        [f.device, f.fault, clock(f.at_s), "to the end" if f.until_s is None else seconds(f.until_s - f.at_s)]
        for f in shown
    ]
    more = len(recording.faults) - len(shown)
    rest = tag("p", f"and {more} more.", class_="soft") if more else ""
    return tag("div", table(("device", "fault", "at", "for"), rows, texts={1}, none="No fault struck."), rest)
