"""Keeps a station's screen from flickering: what holds it is looked at again and again, and each look begins as work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STEADY_S = 1.5
"""A station that was held is shown as held until it has not been so for this long; it looks again every quarter second."""
HOLDING = frozenset({"held", "offline"})
AT_WORK = frozenset({"working", "idle"})
_SHOWN = ("state", "next", "fault")


class Steady:
    """Remembers when each station was last seen held by a fault, and what its screen said then."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[float, dict[str, Any]]] = {}

    def seen(self, station: Mapping[str, Any], now_s: float) -> dict[str, Any]:
        """Give what to show of a station (its part of the snapshot) at monotonic `now_s`."""
        name, state = station["name"], station["state"]
        if state in HOLDING and not station["hold_by"]:
            self._held[name] = (now_s, {key: station[key] for key in _SHOWN})
            return dict(station)
        at_s, shown = self._held.get(name, (float("-inf"), {}))
        if state in AT_WORK and now_s - at_s < STEADY_S:
            return {**station, **shown}
        self._held.pop(name, None)
        return dict(station)
