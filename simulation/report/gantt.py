"""The ways of parcels: all of a small shift, a stated sample of a large one."""

from __future__ import annotations

from collections.abc import Sequence

from simulation.plant.things import HANDS
from simulation.recording.rows import ParcelRow, Recording
from simulation.report.charts import strip, time_axis
from simulation.report.markup import Child, Markup, tag
from simulation.report.tables import legend, table
from simulation.report.words import moment, seconds

MOST = 60
"""So many parcels are shown; of more, a third are the slowest, a third had trouble, the others lie evenly over the shift."""
KINDS = {"station": "at a station", "queue": "on a belt or lane", "slot": "in a hold place", "hands": "in hands"}
OF_PREFIX = {"infeed": "queue", "lane": "queue", "slot": "slot"}


def ways(recording: Recording, side: str) -> Markup:
    """Give the picture of all shown parcels, and one that opens for each."""
    shown = sample(recording.parcels)
    every = len(recording.parcels)
    said = f"All {every} parcels." if len(shown) == every else f"{len(shown)} of {every} parcels: {SAMPLED}."
    end_s = max((end_of(p, recording.head.ended_s) for p in shown), default=1.0)
    rows = [
        (tag("a", p.lpn, href=f"#{side}-{p.lpn}"), strip(_parts(p, recording, 0.0), end_s, f"way of {p.lpn}"))
        for p in shown
    ]
    return tag(
        "div",
        tag("p", said, " Follow a number to that parcel, or open it below.", class_="soft"),
        legend(KINDS),
        tag("div", [[name, way] for name, way in rows], tag("span"), time_axis(end_s), class_="rows ways"),
        tag("h3", "One parcel"),
        tag("div", [_one(p, recording, side, n == 0) for n, p in enumerate(shown)], class_="parcels"),
    )


SAMPLED = "the slowest, those with trouble, and others evenly over the shift"


def sample(parcels: Sequence[ParcelRow]) -> list[ParcelRow]:
    """Choose at most MOST parcels, in the order in which they were begun."""
    if len(parcels) <= MOST:
        return list(parcels)
    part = MOST // 3
    slowest = sorted(parcels, key=lambda p: p.begun_s - (p.ended_s or float("inf")))[:part]
    trouble = [p for p in parcels if p.labels > 1 or p.ended != "left"][:part]
    chosen = {p.lpn for p in (*slowest, *trouble)}
    rest = [p for p in parcels if p.lpn not in chosen]
    left = MOST - len(chosen)
    chosen |= {rest[n * len(rest) // left].lpn for n in range(left)}
    return [p for p in parcels if p.lpn in chosen]


def kind_of(place: str) -> str:
    """Give what kind of place it is: station, queue, slot or hands."""
    return "hands" if place == HANDS else OF_PREFIX.get(place.partition(":")[0], "station")


def end_of(parcel: ParcelRow, otherwise: float) -> float:
    """Give when a parcel's way ended; `otherwise` for one that is still there."""
    return parcel.ended_s if parcel.ended_s is not None else otherwise


def _spans(parcel: ParcelRow, recording: Recording) -> list[tuple[float, float, str]]:
    ends = [begin for begin, _ in parcel.visits[1:]] + [end_of(parcel, recording.head.ended_s)]
    return [(begin, end, place) for (begin, place), end in zip(parcel.visits, ends, strict=True)]


def _parts(parcel: ParcelRow, recording: Recording, since_s: float) -> list[tuple[float, float, str, str]]:
    return [
        (begin - since_s, end - since_s, kind_of(place), f"{place}: {seconds(end - begin)}, from {moment(begin)}")
        for begin, end, place in _spans(parcel, recording)
    ]


def _one(parcel: ParcelRow, recording: Recording, side: str, is_open: bool) -> Markup:
    lasted = end_of(parcel, recording.head.ended_s) - parcel.begun_s
    how = {"left": "left", "returned": "back to the shelf", "": "still there"}[parcel.ended]
    labels = f", {parcel.labels} labels" if parcel.labels > 1 else ""
    said = f"{parcel.lpn} · {how} after {seconds(lasted)}{labels}"
    way = strip(_parts(parcel, recording, parcel.begun_s), lasted, f"way of {parcel.lpn}")
    marks = strip(
        [(at - parcel.begun_s, at - parcel.begun_s, "point", f"{what} at {moment(at)}") for at, what in parcel.marks],
        lasted,
        f"what was done to {parcel.lpn}",
    )
    inside: Child = [
        tag("p", f"Order {parcel.order or 'unknown'}.", class_="soft"),
        tag(
            "div", tag("span", "places"), way, tag("span", "done"), marks, tag("span"), time_axis(lasted), class_="rows"
        ),
        _times(parcel, recording),
    ]
    # the number is that of what is inside: who follows a link to it, for him the browser opens what is around
    body = tag("div", inside, id=f"{side}-{parcel.lpn}", class_="body")
    return tag("details", tag("summary", said), body, name=f"{side}-parcel", open=is_open)


def _times(parcel: ParcelRow, recording: Recording) -> Markup:
    spans = _spans(parcel, recording)
    rows = [
        (
            place,
            moment(begin),
            seconds(end - begin),
            ", ".join(what for at, what in parcel.marks if _is_in(at, spans, n)),
        )
        for n, (begin, end, place) in enumerate(spans)
    ]
    return table(("place", "from", "for", "what was done"), rows, texts={3})


def _is_in(at_s: float, spans: Sequence[tuple[float, float, str]], n: int) -> bool:
    """Tell whether a moment belongs to span `n`: the one that it is the end of comes last, where none begins."""
    begin, end, _ = spans[n]
    return begin <= at_s < end or (n == len(spans) - 1 and at_s >= end)
