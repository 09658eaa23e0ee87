"""The zone conveyor: parcels roll from zone to zone where the next one is free, and wait at the diverter for their lane."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import simpy

from plc.links import Value
from plc.machine_file import MachineFile
from simulation.machines.mechanics import Behaviour, Doing, Done, Mechanics, Move

ERROR_NOTHING_THERE = 1
LANES = (1, 2, 3)
SPEED_M_S = 0.4


class Conveyor(Mechanics):
    """Zones hold parcel numbers, 0 for none; `lanes` says which parcels went where. It feeds itself every `feed_s`, 0 for never."""

    def __init__(self, env: simpy.Environment, file: MachineFile) -> None:
        self._env = env
        times = file.simulation
        self.zones = [0] * int(times.get("zones", 6))
        self.lanes: dict[int, list[int]] = {lane: [] for lane in LANES}
        self._feed_s = float(times.get("feed_s", 0.0))
        self._zone_s = float(times.get("zone_s", 1.5))
        self._divert_s = float(times.get("divert_s", 1.2))
        self._speed: Value = SPEED_M_S
        self._is_rolling = False
        self._parcels = 0
        self._fed_at = -self._feed_s

    def jobs(self) -> Mapping[str, Behaviour]:
        return {"divert": self._divert}

    def sense(self) -> Mapping[str, int]:
        eyes = {f"eye_{number}": int(parcel != 0) for number, parcel in enumerate(self.zones, 1)}
        return {**eyes, "parcel_present": int(self.zones[-1] != 0)}

    def tags(self) -> Mapping[str, Value]:
        rolling = self._rolling() if self._is_rolling else []
        return {
            "zones_running": sum(1 << zone for zone in rolling),
            "speed": self._speed if rolling else 0.0,
            "diverted": sum(map(len, self.lanes.values())),
        }

    def written(self, name: str, value: Value) -> None:
        if name == "speed_set":
            self._speed = value

    def put(self) -> int:
        """Put a parcel on the first zone and give its number; 0 if the zone is taken."""
        if self.zones[0]:
            return 0
        self._parcels += 1
        self.zones[0] = self._parcels
        return self._parcels

    def by_itself(self, runs: Callable[[], bool]) -> Doing:
        while True:
            yield self._env.timeout(self._zone_s)
            self._is_rolling = runs()
            if not self._is_rolling:
                continue
            for zone in reversed(self._rolling()):
                self.zones[zone + 1], self.zones[zone] = self.zones[zone], 0
            if self._feed_s and self._env.now - self._fed_at >= self._feed_s and self.put():
                self._fed_at = self._env.now

    def _rolling(self) -> list[int]:
        """Name the zones whose parcel has room before it, also room that the parcel ahead is about to leave."""
        first_gap = max((zone for zone, parcel in enumerate(self.zones) if not parcel), default=0)
        return [zone for zone in range(first_gap) if self.zones[zone]]

    def _divert(self, given: Mapping[str, int]) -> Move:
        parcel = self.zones[-1]
        yield self._env.timeout(self._divert_s)
        if not parcel:
            return Done(error=ERROR_NOTHING_THERE)
        self.zones[-1] = 0
        self.lanes[given["lane"]].append(parcel)
        return Done(results={"lane": given["lane"], "diverted_count": sum(map(len, self.lanes.values()))})
