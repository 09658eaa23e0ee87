"""Keeps a station's screen from flickering: what holds it is looked at again and again, and each look begins as work."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

STEADY_S = 1.5
"""A station that was held is shown as held until it has not been so for this long; it looks again every quarter second."""
HOLDING = frozenset({"held", "offline"})
AT_WORK = frozenset({"working", "idle"})
_SHOWN = ("state", "next", "fault")
_NOTHING: tuple[float, str, dict[str, Any]] = (float("-inf"), "", {})


class Steady:
    """Remembers when each station was last seen held by a fault, and what its screen said then."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[float, str, dict[str, Any]]] = {}

    def seen(self, station: Mapping[str, Any], now_s: float, standing: Collection[int] = ()) -> dict[str, Any]:
        """Give what to show of a station (its part of the snapshot) at monotonic `now_s`.

        `standing` are the faults that its devices have now. A look may take longer than STEADY_S (a slow camera, a busy
        computer): while the device that holds the station has not recovered, the same parcel is not being worked on.
        """
        name, state, parcel = station["name"], station["state"], str(station.get("parcel", ""))
        if state in HOLDING and not station["hold_by"]:
            self._held[name] = (now_s, parcel, {key: station[key] for key in _SHOWN})
            return dict(station)
        at_s, held_with, shown = self._held.get(name, _NOTHING)
        is_cause_there = parcel == held_with and (shown.get("fault") or {}).get("code") in standing
        if state in AT_WORK and (is_cause_there or now_s - at_s < STEADY_S):
            return {**station, **shown}
        self._held.pop(name, None)
        return dict(station)
