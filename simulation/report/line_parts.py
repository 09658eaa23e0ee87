"""Sections on the line as a whole: what came out, how much was in it, how long it took."""

from __future__ import annotations

from collections.abc import Sequence

from simulation.report.charts import histogram, step_chart
from simulation.report.figures import PERCENTS
from simulation.report.markup import Child, Markup, tag
from simulation.report.sides import Difference, Side
from simulation.report.tables import table
from simulation.report.words import change, gap_of, number, percent, seconds, title_of, value_of, with_half

KINDS = ("a", "b")
CARDS = (
    "throughput_per_h", "cycle_p50_s", "cycle_p95_s", "wip", "orders_closed", "exceptions", "label_first_pass", "scan_first_pass",
)  # fmt: skip
WELL_MIXED = 1.5


def cards(sides: Sequence[Side]) -> Markup:
    """Give the few figures that are looked at first."""
    return tag("div", [_card(name, sides) for name in CARDS], class_="cards")


def _card(name: str, sides: Sequence[Side]) -> Markup:
    values = [value_of(name, side.interval(name).estimate) for side in sides]
    shown: Child = [tag("b", values[0])] if len(sides) == 1 else _both(sides, values)
    return tag("div", shown, tag("span", title_of(name)), class_="card")


def _both(sides: Sequence[Side], values: Sequence[str]) -> list[Markup]:
    pairs = zip(sides, values, KINDS, strict=True)
    return [tag("i", f"{side.name} ", tag("b", value, class_=kind)) for side, value, kind in pairs]


def numbers(sides: Sequence[Side], found: Sequence[Difference]) -> Markup:
    """Give every figure of the line with its interval, and what differs."""
    by_name = {difference.name: difference for difference in found}
    names = [name for name in sides[0].names() if "." not in name]
    heads = ["figure", *(side.name for side in sides)]
    if len(sides) > 1:
        heads += [f"{sides[1].name} − {sides[0].name}", *independent(found)]
    return table(
        heads, [_numbers_row(name, sides, by_name[name], found) if found else _alone(name, sides) for name in names]
    )


def _alone(name: str, sides: Sequence[Side]) -> list[Child]:
    return [title_of(name), *(with_half(name, side.interval(name)) for side in sides)]


def _numbers_row(name: str, sides: Sequence[Side], difference: Difference, found: Sequence[Difference]) -> list[Child]:
    return [*_alone(name, sides), *difference_cells(name, difference, found)]


def independent(found: Sequence[Difference]) -> list[str]:
    """Give the head of the column for what independent seeds would have given; none where there are no intervals."""
    return ["if independent"] if any(d.is_paired and d.interval.of > 1 for d in found) else []


def difference_cells(name: str, difference: Difference, found: Sequence[Difference]) -> list[Child]:
    """Give a difference with its interval, and the half width that it would have without common random numbers."""
    known = difference.interval
    said = change(name, known.estimate)
    said += f" ± {gap_of(name, known.half)}" if known.of > 1 else ""
    shown: Child = tag("span", said, class_="told") if difference.is_told else said
    return [shown, f"± {gap_of(name, difference.apart)}"] if independent(found) else [shown]


def how_sure(sides: Sequence[Side]) -> Markup:
    """Say what the intervals rest on: replications, batch means, the warm-up."""
    return tag("div", [_how_sure(side) for side in sides], class_="sides")


def _how_sure(side: Side) -> Markup:
    first = side.shifts[0]
    runs = len(side.shifts)
    said = [
        f"{runs} replications, seeds {_seeds(side.seeds)}: 95 % intervals by Student's t over them. "
        f"Charts, machines and ways below are those of seed {side.seeds[0]}."
        if runs > 1
        else "One shift: no interval over replications (give --replications 10, or more recordings).",
        f"Warm-up of the first shift: {first.window.why}; measured from {seconds(first.window.begin_s)} to "
        f"{seconds(first.window.end_s)}: the window. Throughput counts over the window, parcels_per_hour of sim run from the first carton on; "
        "what sim run says leaves out no warm-up.",
    ]
    if first.batched is None:
        said.append("Too few parcels for batch means: 20 are the least.")
    else:
        found = first.batched.interval
        mixed = "near 2 is well" if first.batched.von_neumann >= WELL_MIXED else "below 1.5 the interval is too narrow"
        said.append(
            f"Mean cycle time of that shift by {found.of} batch means: {seconds(found.estimate)} ± {seconds(found.half)}, "
            f"von Neumann ratio {first.batched.von_neumann:.2f} ({mixed})."
        )
    return tag("div", tag("h3", side.name, class_="side"), [tag("p", one) for one in said])


def _seeds(seeds: Sequence[int]) -> str:
    if len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds))


def over_time(sides: Sequence[Side]) -> Markup:
    """Draw what came out and what was in work."""
    end_s = max(side.recordings[0].head.ended_s for side in sides)
    left = [(side.name, side.shifts[0].left, kind) for side, kind in zip(sides, KINDS, strict=False)]
    wip = [(f"{side.name}, parcels", side.shifts[0].parcels_in, kind) for side, kind in zip(sides, KINDS, strict=False)]
    orders = [(f"{side.name}, orders", side.shifts[0].orders_in, k) for side, k in zip(sides, KINDS, strict=False)]
    charts = (("Parcels that left the door", left), ("Parcels in work", wip), ("Orders taken and not ended", orders))
    return tag(
        "div",
        [
            tag(
                "figure",
                tag("figcaption", words, ": " if len(sides) > 1 else "", _names(sides)),
                step_chart(lines, end_s, words),
            )
            for words, lines in charts
        ],
        class_="pair",
    )


def _names(sides: Sequence[Side]) -> Markup:
    if len(sides) == 1:
        return tag("span")
    pairs = zip(sides, KINDS, strict=True)
    return tag("span", [[" " if n else "", tag("b", side.name, class_=kind)] for n, (side, kind) in enumerate(pairs)])


def cycle_times(sides: Sequence[Side]) -> Markup:
    """Draw how long parcels took, with their percentiles, and orders'."""
    groups = [(side.name, side.shifts[0].flow, kind) for side, kind in zip(sides, KINDS, strict=False)]
    marks = [(f"p{p}", sides[0].shifts[0].numbers[f"cycle_p{p}_s"]) for p in PERCENTS] if len(sides) == 1 else []
    known = [(name, at) for name, at in marks if at == at]  # noqa: PLR0124 - nan is not itself
    caption = "Cycle time of parcels, from carton to door; lines: " + ", ".join(n for n, _ in known) if known else None
    heads = ["", *(f"p{p}" for p in PERCENTS), "mean"]
    rows = []
    for side in sides:
        prefix = f"{side.name}: " if len(sides) > 1 else ""
        for what, word in (("cycle", "parcels"), ("order", "orders")):
            names = [*(f"{what}_p{p}_s" for p in PERCENTS), f"{what}_mean_s"]
            rows.append([prefix + word, *(value_of(name, side.interval(name).estimate) for name in names)])
    shown = caption or tag("span", "Cycle time of parcels, from carton to door: ", _names(sides))
    if not any(len(values) for _, values, _ in groups):
        return tag("p", "No parcel left.", class_="soft")
    return tag(
        "div",
        tag("figure", tag("figcaption", shown), histogram(groups, known)),
        tag("div", table(heads, rows), tag("p", OF_ORDERS, class_="soft")),
        class_="pair",
    )


OF_ORDERS = "An order's time runs from its coming to its end, which is the delivery; a parcel's from carton to door."


def little(sides: Sequence[Side]) -> Markup:
    """Say whether the three figures agree that must."""
    rows = []
    for side in sides:
        found = side.shifts[0].numbers
        expected = found["throughput_per_h"] / 3600 * found["cycle_mean_s"]
        residual = percent(found["little_residual"])
        rows.append([side.name, number(found["wip"]), number(expected), residual])
    return tag(
        "div",
        table(("", "parcels in work, mean", "throughput × cycle time", "residual"), rows),  # noqa: RUF001 - a times sign
        tag("p", OF_LITTLE, class_="soft"),
    )


OF_LITTLE = (
    "Little's law: in the long run the mean number in work is throughput times cycle time. The residual is what they differ by, as a share of the "
    "first. It is near 0 where what comes in during the measured time also leaves in it; parcels that were begun before it, or never "
    "left, show here."
)
