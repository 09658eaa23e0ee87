"""The whole page: one file without scripts, that needs no network."""

from __future__ import annotations

from collections.abc import Sequence

from simulation.recording.rows import Head
from simulation.report import line_parts, machine_parts, trouble_parts
from simulation.report.gantt import ways
from simulation.report.markup import Child, Markup, tag, together, trusted
from simulation.report.sides import Difference, Side, differences
from simulation.report.style import CSS
from simulation.report.words import number, seconds

KINDS = ("a", "b")
MOST_BROKEN = 20


def page(sides: Sequence[Side], command: str) -> str:
    """Give the page for one side, or for two that are compared; `command` is what makes it again."""
    found = differences(*sides) if len(sides) == 2 else []
    sections: list[tuple[str, str, Child]] = [
        ("figures", "Figures and intervals", _numbers(sides, found)),
        ("over-time", "Throughput and work in progress", line_parts.over_time(sides)),
        ("cycle", "Cycle times", line_parts.cycle_times(sides)),
        ("states", "What the machines did", [machine_parts.shares(sides), machine_parts.states(sides)]),
        ("oee", "Overall equipment effectiveness", machine_parts.effectiveness(sides)),
        ("bottleneck", "Bottleneck", machine_parts.bottleneck(sides)),
        ("exceptions", "Exceptions", trouble_parts.exceptions(sides)),
        ("first-pass", "First pass", trouble_parts.first_pass(sides)),
        ("faults", "Faults over time", trouble_parts.faults(sides)),
        ("little", "Do the figures agree?", line_parts.little(sides)),
        ("ways", "Ways of the parcels", [_ways(side, kind) for side, kind in zip(sides, KINDS, strict=False)]),
        ("again", "Make it again", _again(sides, command)),
    ]
    if len(sides) == 2:
        part = machine_parts.differing(sides, found)
        sections.insert(5, ("differences", "Machines: what differs", [part, tag("p", OF_SHARES, class_="soft")]))
    title = " against ".join(_title(side) for side in sides)
    body = [
        tag("h1", title),
        _verdict(sides),
        _clocks(sides),
        line_parts.cards(sides),
        tag("nav", [tag("a", words, href=f"#{name}") for name, words, _ in sections], aria_label="sections"),
        [tag("section", tag("h2", words, id=name), inside) for name, words, inside in sections],
    ]
    main = tag("main", body, class_="two" if len(sides) == 2 else "one")
    return f"<!doctype html>\n{tag('html', _head(title), tag('body', main), lang='en')}\n"


def _head(title: str) -> Markup:
    # the policy lets nothing in from outside, whatever a site's names may hold
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", trusted(CSS)),
    )


def _title(side: Side) -> str:
    head = side.recordings[0].head
    runs = f"seed {head.seed}" if len(side.recordings) == 1 else f"{len(side.recordings)} shifts"
    return f"{side.name}: {head.orders} orders, {runs}"


def _verdict(sides: Sequence[Side]) -> Markup:
    return together([_side_verdict(side) for side in sides])


def _side_verdict(side: Side) -> Markup:
    wrongs = side.wrongs()
    parcels = sum(int(shift.numbers["parcels"]) for shift in side.shifts)
    ended = sum(int(shift.numbers["orders_closed"]) for shift in side.shifts)
    orders = sum(head.orders for head in (r.head for r in side.recordings))
    said = tag("b", "NOT well" if wrongs else "All is well")
    counts = f"{parcels} parcel{'' if parcels == 1 else 's'} left the door, {ended} of {orders} orders ended"
    broken = [f"seed {seed}: {what}" for seed, found in wrongs.items() for what in found]
    body: Child = [
        tag("p", f"{side.name}: ", said, f". {counts}."),
        tag("ul", [tag("li", text) for text in broken[:MOST_BROKEN]]) if broken else None,
    ]
    return tag("div", body, class_="verdict bad" if wrongs else "verdict")


def _clocks(sides: Sequence[Side]) -> Markup:
    """Say which time is meant."""
    speeds = {side.name: side.recordings[0].head.speed for side in sides}
    if len(set(speeds.values())) == 1:
        return tag("p", of_time(next(iter(speeds.values()))), class_="soft")
    return together([tag("p", f"{name}: {of_time(speed)}", class_="soft") for name, speed in speeds.items()])


def of_time(speed: float) -> str:
    """Say how the times on the page, the plant's, go with those of a scenario file, the line's."""
    if speed == 1:
        return "Times are the plant's, and those of the line: speed 1 is life."
    times = number(speed)
    return (
        f"Times are the plant's, {times} times the line's: {times} s here are 1 s of the line, of the controller and in a scenario file "
        f"(at_s, for_s). What the controller and people at screens need looks {times} times as long here."
    )


def of_seeds(sides: Sequence[Side]) -> str:
    """Say what the differences of two sides rest on: common seeds, or not."""
    first, second = sides
    runs = min(len(first.seeds), len(second.seeds))
    if first.seeds != second.seeds:
        said = f"The seeds differ ({_listed(first)} against {_listed(second)}), so these are the differences of independent shifts: chance is in them. "
        said += "Play both sides with the same seeds to take the differences seed by seed."
        return said + (f" {BOLD}" if runs > 1 else f" {ONE_EACH}")
    return (
        f"The seeds are the same on both sides: {SAME} {BOLD} {LAST}"
        if runs > 1
        else f"The seed is the same on both sides. {ONE_EACH}"
    )


def _listed(side: Side) -> str:
    shown = ", ".join(map(str, side.seeds[:MOST_SEEDS]))
    return f"{shown} and more" if len(side.seeds) > MOST_SEEDS else shown


MOST_SEEDS = 5
OF_SHARES = (
    "pp: percentage points, what two shares differ by. What the differences rest on stands under the figures above."
)
BOLD = "Bold: the interval leaves zero out."
SAME = "the differences are taken seed by seed (common random numbers)."
LAST = "The last column is the half width that independent seeds would have given."
ONE_EACH = "One shift on each side cannot tell a difference from chance."


def _numbers(sides: Sequence[Side], found: Sequence[Difference]) -> Markup:
    """Put one side's figures beside what they rest on; those of two want the whole width."""
    said = tag("p", of_seeds(sides), class_="soft") if found else None
    parts = (tag("div", line_parts.numbers(sides, found), said), line_parts.how_sure(sides))
    return tag("div", parts, class_="pair" if len(sides) == 1 else "stack")


def _ways(side: Side, kind: str) -> Markup:
    recording = side.recordings[0]
    return tag("div", tag("h3", f"{side.name}, seed {recording.head.seed}"), ways(recording, kind))


def _again(sides: Sequence[Side], command: str) -> Markup:
    shifts = [
        tag(
            "p", f"{side.name}, seed {head.seed}: ", tag("code", head.command), tag("br"), tag("small", _of_shift(head))
        )
        for side in sides
        for head in (recording.head for recording in side.recordings)
    ]
    return tag("div", tag("p", "This page: ", tag("code", command)), shifts)


def _of_shift(head: Head) -> str:
    deaths = f", the controller died {head.deaths} times" if head.deaths > 1 else ", the controller died once"
    deaths = deaths if head.deaths else ""
    lasted = f"lasted {seconds(head.ended_s)} at speed {number(head.speed)}{deaths}"
    return f"{lasted}; journal {head.journal[:16] or 'unknown'}, truth {head.truth[:16] or 'unknown'}"
