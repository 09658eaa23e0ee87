"""Figures of one recording: the line's own, and those of each machine. Seconds are the plant's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulation.recording.rows import Recording
from simulation.report.machines import MachineFigures, machine_figures
from simulation.statistics.bottleneck import Share, active_periods, least_waiting
from simulation.statistics.intervals import Batched, batch_means
from simulation.statistics.tallies import Level, Tally, little_residual
from simulation.statistics.warmup import mser5

PERCENTS = (50, 90, 95, 99)
LEAST_FOR_WARMUP = 50
LEAST_FOR_BATCHES = 20
LEAST_BATCHES, MOST_BATCHES = 10, 30
"""Of these numbers of batches the one is taken that leaves the fewest parcels over; what is left over is not counted."""
LEAST_IN_A_BATCH = 2
HOUR_S = 3600.0
Step = tuple[float, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What is measured: from the end of the warm-up to the last parcel that left. `cut` parcels are left out before it.

    `why` says how the warm-up was found.
    """

    begin_s: float
    end_s: float
    cut: int
    why: str

    @property
    def lasted_s(self) -> float:
        """Give its length."""
        return self.end_s - self.begin_s


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftFigures:
    """Everything that is said of one shift. `numbers` are the figures that intervals are made of, by name."""

    window: Window
    numbers: Mapping[str, float]
    flow: Sequence[float]
    """Cycle times of the parcels that left in the window, in the order of leaving."""
    order_flow: Sequence[float]
    parcels_in: Sequence[Step]
    orders_in: Sequence[Step]
    left: Sequence[Step]
    machines: Sequence[MachineFigures]
    active: Mapping[str, Share]
    waiting: Mapping[str, float]
    longest_active: str | None
    least_waiting: str | None
    batched: Batched | None
    """The mean cycle time by batch means; None for too few parcels."""


def figures_of(recording: Recording) -> ShiftFigures:
    """Give the figures of one shift."""
    window = _window(recording)
    flow = Tally([ended - begun for begun, ended in _gone(recording) if ended > window.begin_s or not window.cut])
    orders = [(o.came_s, o.ended_s) for o in recording.orders]
    order_flow = Tally([ended - came for came, ended in orders if ended is not None])
    parcels_in = _steps([(p.begun_s, p.ended_s) for p in recording.parcels])
    machines = [machine_figures(row, recording.head.ended_s) for row in recording.machines]
    active = _active(machines, recording.head.ended_s)
    waiting = {m.name: m.shares["starved"] + m.shares["blocked"] for m in machines}
    return ShiftFigures(
        window=window,
        numbers={
            **_of_line(recording, window, flow, parcels_in),
            **_of_orders(recording, order_flow),
            **_of_quality(recording),
            **_of_machines(machines),
        },
        flow=flow.values,
        order_flow=order_flow.values,
        parcels_in=parcels_in,
        orders_in=_steps(orders),
        left=_steps([(ended, None) for _, ended in _gone(recording)]),
        machines=machines,
        active=active,
        waiting=waiting,
        longest_active=max(active, key=lambda name: active[name].either, default=None),
        least_waiting=least_waiting(waiting),
        batched=batched(flow.values),
    )


def _gone(recording: Recording) -> list[tuple[float, float]]:
    """Give when each parcel that left was begun and left, in the order of leaving."""
    gone = [(p.begun_s, p.ended_s) for p in recording.parcels if p.ended == "left" and p.ended_s is not None]
    return sorted(gone, key=lambda times: times[1])


def _window(recording: Recording) -> Window:
    gone = _gone(recording)
    end_s = gone[-1][1] if gone else recording.head.ended_s
    cut = mser5([ended - begun for begun, ended in gone])
    if cut is None:
        why = "MSER-5 wants 50 parcels" if len(gone) < LEAST_FOR_WARMUP else "MSER-5 finds that it has not settled"
        why = f"nothing is left out: {why}"
        return Window(begin_s=0.0, end_s=end_s, cut=0, why=why)
    begin_s = gone[cut - 1][1] if cut else 0.0
    return Window(begin_s=begin_s, end_s=end_s, cut=cut, why=f"MSER-5 leaves out the first {cut} parcels")


def _of_line(recording: Recording, window: Window, flow: Tally, steps: Sequence[Step]) -> dict[str, float]:
    lasted = window.lasted_s
    rate = len(flow) / lasted if lasted > 0 else math.nan
    wip = _mean_level(steps, window)
    return {
        "parcels": len(_gone(recording)),
        "throughput_per_h": rate * HOUR_S,
        "wip": wip,
        "cycle_mean_s": flow.mean(),
        **{f"cycle_p{percent}_s": flow.percentile(percent) for percent in PERCENTS},
        "little_residual": little_residual(wip, rate, flow.mean()),
    }


def _of_orders(recording: Recording, flow: Tally) -> dict[str, float]:
    ended = [order for order in recording.orders if order.ended_s is not None]
    return {
        "orders": len(recording.orders),
        "orders_closed": len(ended),
        "order_mean_s": flow.mean(),
        **{f"order_p{percent}_s": flow.percentile(percent) for percent in PERCENTS},
    }


def _of_quality(recording: Recording) -> dict[str, float]:
    cleared = Tally([e.closed_s - e.opened_s for e in recording.exceptions if e.closed_s is not None])
    labelled = [p for p in recording.parcels if p.labels]
    first = sum(p.labels == 1 and p.is_verified for p in labelled)
    seen, read = sum(s.first for s in recording.scanners), sum(s.read for s in recording.scanners)
    return {
        "exceptions": len(recording.exceptions),
        "exceptions_open": sum(e.closed_s is None for e in recording.exceptions),
        "clear_mean_s": cleared.mean(),
        "label_first_pass": _ratio(first, len(labelled)),
        "scan_first_pass": _ratio(read, seen),
        "fault_strikes": len(recording.faults),
    }


def _of_machines(machines: Sequence[MachineFigures]) -> dict[str, float]:
    found: dict[str, float] = {}
    for machine in machines:
        found[f"{machine.name}.oee"] = machine.oee.index
        found |= {f"{machine.name}.{state}": share for state, share in machine.shares.items()}
    return found


def _active(machines: Sequence[MachineFigures], end_s: float) -> dict[str, Share]:
    """Give the shares as the momentary bottleneck: a machine is active while it is neither starved nor blocked."""
    if len(machines) < 2 or end_s <= 0:
        return {}
    return active_periods({m.name: m.active for m in machines}, 0.0, end_s)


def batched(flow: Sequence[float]) -> Batched | None:
    """Give the mean of a series by batches, None where there are too few for any."""
    if len(flow) < LEAST_FOR_BATCHES:
        return None
    numbers = range(LEAST_BATCHES, min(MOST_BATCHES, len(flow) // LEAST_IN_A_BATCH) + 1)
    return batch_means(flow, min(numbers, key=lambda batches: (len(flow) % batches, -batches)))


def _steps(times: Sequence[tuple[float, float | None]]) -> list[Step]:
    """Give how many are there after each change; those without an end stay."""
    changes = [(begun, 1) for begun, _ in times] + [(ended, -1) for _, ended in times if ended is not None]
    level, found = 0, [(0.0, 0)]
    for at_s, by in sorted(changes):
        level += by
        if found[-1][0] == at_s:
            found.pop()
        found.append((at_s, level))
    return found


def _mean_level(steps: Sequence[Step], window: Window) -> float:
    level = Level()
    for at_s, value in steps:
        if at_s > window.end_s:
            break
        if at_s <= window.begin_s:
            level = Level(window.begin_s, value)
        else:
            level.change(at_s, value - level.value)
    return level.mean(window.end_s)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
