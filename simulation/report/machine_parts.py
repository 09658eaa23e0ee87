"""Sections on the machines: shares of time, effectiveness, which one holds the line back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simulation.recording.rows import STATES
from simulation.report.charts import strip, time_axis
from simulation.report.line_parts import difference_cells, independent
from simulation.report.machines import MachineFigures, Span
from simulation.report.markup import Child, Markup, tag
from simulation.report.sides import Difference, Side, shown_s
from simulation.report.tables import legend, table
from simulation.report.words import moment, percent, seconds

WORDS = {
    "busy": "busy",
    "waiting": "waiting: has something, and waits for its turn",
    "starved": "starved",
    "blocked": "blocked",
    "setup": "setup",
    "held": "held",
    "down": "down",
}
MOST_SPANS = 400
STRETCHES = 120
"""So many, where more spans than MOST_SPANS would be drawn than anybody can see."""


def shares(sides: Sequence[Side]) -> Markup:
    """Draw for each machine the shares of its time, which sum to one."""
    body = [tag("div", tag("h3", side.name, class_="side"), _bars(side), _share_table(side)) for side in sides]
    return tag("div", legend(WORDS), tag("div", body, class_="sides"))


def _bars(side: Side) -> Markup:
    return tag("div", [[machine.name, _bar(machine)] for machine in side.shifts[0].machines], class_="rows")


def _bar(machine: MachineFigures) -> Markup:
    parts, at = [], 0.0
    for state in STATES:
        share = machine.shares[state]
        if share > 0:
            parts.append((at, at + share, state, f"{state} {percent(share)}"))
        at += share
    return strip(parts, 1.0, f"{machine.name}: " + ", ".join(f"{s} {percent(machine.shares[s])}" for s in STATES))


def _share_table(side: Side) -> Markup:
    machines = side.shifts[0].machines
    used = [state for state in STATES if any(m.shares[state] > 0 for m in machines)]
    rows = [[m.name, *(percent(m.shares[s]) for s in used), percent(sum(m.shares.values()))] for m in machines]
    return table(["share of time", *used, "sum"], rows)


def effectiveness(sides: Sequence[Side]) -> Markup:
    """Give OEE with all it is made of."""
    body = [tag("div", tag("h3", side.name, class_="side"), _oee_table(side)) for side in sides]
    return tag("div", tag("div", body, class_="stack"), tag("p", OF_OEE, class_="soft"))


def _oee_table(side: Side) -> Markup:
    heads = (
        "machine",
        "OEE",
        "availability",
        "effectiveness",
        "quality",
        "at work",
        "planned a job",
        "finished",
        "good",
        "broken off",
    )
    return table(heads, [_oee_row(machine) for machine in side.shifts[0].machines])


def _oee_row(machine: MachineFigures) -> list[Child]:
    found, done = machine.oee, machine.done
    star = "" if machine.is_planned else " *"
    return [
        machine.name,
        tag("b", percent(found.index)),
        percent(found.availability),
        percent(found.effectiveness) + star,
        percent(found.quality),
        seconds(done.production_s),
        seconds(done.run_time_s) + star,
        done.made,
        done.good,
        machine.failed,
    ]


OF_OEE = (
    "ISO 22400-2:2014. Availability is the time at work (APT) over the whole shift (PBT), so a line with little to do has a low one. Effectiveness is "
    "the planned time of a job (PRI) times finished jobs (PQ) over the time at work: a job that failed or was stopped took time and finished nothing. "
    "Quality is good jobs (GQ) over finished ones: one whose seal or label had to be undone is not good. OEE is their product. * The machine's file does not say how long each of its jobs takes, their "
    "own mean stands for it."
)


def states(sides: Sequence[Side]) -> Markup:
    """Draw in which state each machine was when."""
    body, scale_s = [], shown_s(sides)
    for side in sides:
        rows = [[m.name, _timeline(m, side.recordings[0].head.ended_s, scale_s)] for m in side.shifts[0].machines]
        body.append(
            tag(
                "div",
                tag("h3", side.name, class_="side"),
                tag("div", rows, tag("span"), time_axis(scale_s), class_="rows"),
            )
        )
    is_summed = any(len(m.spans) > MOST_SPANS for side in sides for m in side.shifts[0].machines)
    return tag("div", body, tag("p", OF_STRETCHES, class_="soft") if is_summed else "")


OF_STRETCHES = (
    f"Where a machine changed its state more than {MOST_SPANS} times, its time is cut into {STRETCHES} stretches: in each, every state is "
    "as wide as it lasted, one beside the other, not in the order in which they came."
)


def _timeline(machine: MachineFigures, end_s: float, scale_s: float) -> Markup:
    if len(machine.spans) <= MOST_SPANS:
        parts = [(b, e, s, f"{s} {seconds(e - b)}, from {moment(b)}") for b, e, s in machine.spans]
    else:
        parts = list(_summed(machine.spans, end_s))
    return strip(parts, scale_s, f"states of {machine.name} over time")


def _summed(spans: Sequence[Span], end_s: float) -> Iterator[tuple[float, float, str, str]]:
    """Give each state of each stretch as wide as it lasted in it: no state is left out, however short, and shares stay right."""
    wide, n = end_s / STRETCHES, 0
    for stretch in range(STRETCHES):
        begin, end = stretch * wide, (stretch + 1) * wide
        spent = dict.fromkeys(STATES, 0.0)
        while n < len(spans):
            first, last, state = spans[n]
            spent[state] += max(0.0, min(last, end) - max(first, begin))
            if last > end:
                break
            n += 1
        at = begin
        for state, lasted in spent.items():
            if lasted > 0:
                yield at, at + lasted, state, f"{state} {seconds(lasted)} of {seconds(wide)}, from {moment(begin)}"
                at += lasted


def bottleneck(sides: Sequence[Side]) -> Markup:
    """Say which machine holds the line back, and by what that is known."""
    body = [tag("div", tag("h3", side.name, class_="side"), _verdict(side), _evidence(side)) for side in sides]
    return tag("div", tag("div", body, class_="sides"), tag("p", OF_BOTTLENECK, class_="soft"))


def _verdict(side: Side) -> Markup:
    found = side.shifts[0]
    if found.longest_active is None:
        return tag("p", "One machine has no other to be compared with.")
    if found.longest_active == found.least_waiting:
        return tag("p", "Both ways name ", tag("b", found.longest_active), ".")
    return tag(
        "p",
        tag("b", found.longest_active),
        " by the longest active period, ",
        tag("b", found.least_waiting),
        " by the least time starved or blocked: the two do not agree.",
    )


def _evidence(side: Side) -> Markup:
    found = side.shifts[0]
    rows = [
        [name, percent(share.either), percent(share.sole), percent(share.shifting), percent(found.waiting[name])]
        for name, share in sorted(found.active.items(), key=lambda row: -row[1].either)
    ]
    return table(("machine", "longest active", "alone", "shifting", "starved or blocked"), rows)


OF_BOTTLENECK = (
    "At each instant the machine in the longest uninterrupted active period is the bottleneck (Roser, Nakano, Tanaka 2002); a machine is active while it "
    "is neither starved nor blocked, so waiting for a person or a camera counts: its place is taken. A second way: who is least starved or blocked."
)


def differing(sides: Sequence[Side], found: Sequence[Difference]) -> Markup:
    """Give the shares of the machines side by side."""
    rows = []
    for difference in found:
        machine, _, what = difference.name.rpartition(".")
        values = [percent(side.interval(difference.name).estimate) for side in sides]
        if machine and any(side.interval(difference.name).estimate for side in sides):
            rows.append([machine, what, *values, *difference_cells(difference.name, difference, found)])
    heads = ["machine", "share", *(side.name for side in sides), "difference", *independent(found)]
    return table(heads, rows, texts={1})
