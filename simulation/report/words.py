"""How numbers are said on the page."""

from __future__ import annotations

import math

from simulation.statistics.intervals import Interval

UNKNOWN = "–"  # noqa: RUF001 - a dash
TITLES = {
    "parcels": "parcels that left",
    "throughput_per_h": "throughput, parcels per hour of the window",
    "wip": "parcels in work, mean",
    "cycle_mean_s": "cycle time of a parcel, mean",
    "cycle_p50_s": "cycle time, p50",
    "cycle_p90_s": "cycle time, p90",
    "cycle_p95_s": "cycle time, p95",
    "cycle_p99_s": "cycle time, p99",
    "little_residual": "Little's-law residual",
    "orders": "orders taken",
    "orders_closed": "orders that ended",
    "order_mean_s": "time of an order, mean",
    "order_p50_s": "time of an order, p50",
    "order_p90_s": "time of an order, p90",
    "order_p95_s": "time of an order, p95",
    "order_p99_s": "time of an order, p99",
    "exceptions": "exceptions",
    "exceptions_open": "exceptions still open",
    "clear_mean_s": "time to clear an exception, mean",
    "label_first_pass": "labels right at the first pass",
    "scan_first_pass": "scans read at the first try",
    "fault_strikes": "faults switched on",
}
SHARES = ("little_residual", "label_first_pass", "scan_first_pass")
MINUTE_S, HOUR_S = 60, 3600
LEAST_S = 0.005
"""Less is told as nothing."""


def title_of(name: str) -> str:
    """Give the words for a figure; a machine's are its name and the share."""
    if name in TITLES:
        return TITLES[name]
    machine, _, what = name.rpartition(".")
    return f"{machine}: {'OEE' if what == 'oee' else what}"


def is_share(name: str) -> bool:
    """Tell whether a figure is a share of one."""
    return name in SHARES or name not in TITLES


def value_of(name: str, value: float) -> str:
    """Give a figure's value with its unit."""
    if not math.isfinite(value):
        return UNKNOWN
    if is_share(name):
        return percent(value)
    return seconds(value) if name.endswith("_s") else number(value)


def with_half(name: str, found: Interval) -> str:
    """Give an estimate and the half width of its interval, where one is known."""
    said = value_of(name, found.estimate)
    return f"{said} ± {value_of(name, found.half)}" if math.isfinite(found.half) else said


def change(name: str, value: float) -> str:
    """Give a difference with its sign."""
    said = gap_of(name, abs(value))
    if not math.isfinite(value) or not said.strip("0.% sp"):
        return said
    return f"{'+' if value > 0 else '−'}{said}"  # noqa: RUF001 - a minus sign


def gap_of(name: str, value: float) -> str:
    """Give what two values of a figure differ by: of shares in percentage points, which are no share of anything."""
    if not is_share(name) or not math.isfinite(value):
        return value_of(name, value)
    return f"{100 * value:.1f} pp"


def percent(share: float) -> str:
    """Give a share in per cent."""
    said = f"{share:.1%}" if math.isfinite(share) else UNKNOWN
    return "0.0%" if said == "-0.0%" else said


def number(value: float) -> str:
    """Give a number in as many digits as say something: at most two behind the point."""
    if not math.isfinite(value):
        return UNKNOWN
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value)}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def seconds(value: float) -> str:
    """Give a time: 0.25 s, 3.2 s, 95 s, 4:05 min, 1:02:05 h."""
    if not math.isfinite(value):
        return UNKNOWN
    if abs(value) < 1:
        return f"{value:.2g} s" if abs(value) >= LEAST_S else "0 s"
    if abs(value) < 9.95:
        return f"{value:.1f} s"
    if abs(value) < 2 * MINUTE_S:
        return f"{value:.0f} s"
    return moment(value)


def moment(value: float) -> str:
    """Give a place in time with its unit: 0:49 min, 1:02:05 h."""
    return clock(value) + (" min" if round(abs(value)) < HOUR_S else " h")


def clock(value: float) -> str:
    """Give m:ss, or h:mm:ss."""
    whole = round(abs(value))
    sign = "-" if value < 0 else ""
    minutes, rest = divmod(whole, MINUTE_S)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours}:{minutes:02}:{rest:02}" if hours else f"{sign}{minutes}:{rest:02}"
