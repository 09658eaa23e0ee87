"""Takes the live snapshot that the dashboard shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from controller.placement import Equipment
from controller.recovery import Recovery
from controller.site import Site, StationPart
from controller.steady import Steady
from controller.turns import Turns
from controller.watching import troubles_of
from controller.ways import ways_of
from labeling.printer import PrinterStatus
from packline.core.clock import Clock
from packline.store import Store
from packline.store.figures import Figures
from stations.post import Post

NOT_LOOKED_AT = -1
GATHER_S = 0.01
"""What is written within this time is shown together."""
FIGURES_S = 0.5
"""Counting over the tables is repeated at most this often."""


class Snapshot:
    """One JSON object: the run, the line, every station with its devices, and the devices that belong to no station."""

    def __init__(
        self,
        *,
        site: Site,
        store: Store,
        posts: Mapping[str, Post],
        equipment: Equipment,
        recovery: Recovery,
        printers: Mapping[str, PrinterStatus],
        cameras: Mapping[str, int],
        clock: Clock,
        run_id: str,
        turns: Turns,
    ) -> None:
        """Take what it looks at. `turns` tells when to look again; `cameras` has the lasting trouble (0: none) of each one that was looked at."""
        self._site = site
        self._ways = ways_of(site)
        self._store = store
        self._posts = posts
        self._equipment = equipment
        self._recovery = recovery
        self._printers = printers
        self._cameras = cameras
        self._clock = clock
        self._run_id = run_id
        self._started_at = clock.now()
        self._steady = Steady()
        self._kept: dict[tuple[str, str], tuple[object, dict[str, Any]]] = {}
        self._counts = Figures(store.writer)
        self._figures: dict[str, Any] = {}
        self._figures_at = float("-inf")
        self._turns = turns
        self._picture: list[dict[str, Any]] = []
        self._number = 0

    async def take_next(self, seen: int | None, most_s: float) -> dict[str, Any]:
        """Take it as soon as a station shows something else than in picture number `seen`, at the latest after `most_s`.

        The number of this picture comes with it, as `picture`.
        """
        until = self._clock.monotonic() + most_s
        while True:
            count, number = self._turns.count, self._pictured()
            left_s = until - self._clock.monotonic()
            if number != seen or left_s <= 0:
                return {**await self.take(), "picture": number}
            await self._turns.after(count, left_s)
            if self._turns.count != count:
                await self._clock.sleep(GATHER_S)

    def _pictured(self) -> int:
        """Give the number of what the stations show now."""
        stations = self.stations()
        if stations != self._picture:
            self._picture = stations
            self._number += 1
        return self._number

    async def take(self) -> dict[str, Any]:
        """Take it now; raises Fault 5002 when the books cannot be read."""
        figures = await self._counted()
        stations = self.stations()
        return {
            "at": self._clock.now().isoformat(),
            "seq": figures["seq"],
            "run": {
                "id": self._run_id,
                "started_at": self._started_at.isoformat(),
                "recovered": self._recovery.findings.as_dict(),
            },
            "line": {
                "state": _line_state(stations),
                "wip_limit": self._site.policy.wip_limit,
                **{k: figures[k] for k in ("wip", "per_hour", "oldest_waiting_s", "orders", "parcels")},
            },
            "stations": stations,
            "devices": self._beside(),
            "floor": figures["floor"],
            "alarms": figures["alarms"],
            "exceptions": figures["exceptions"],
        }

    @property
    def run_id(self) -> str:
        """Give the id of this run."""
        return self._run_id

    def stations(self) -> list[dict[str, Any]]:
        """Give every station's screen and devices; asks the books nothing."""
        return [self._station(name, part) for name, part in self._site.stations.items()]

    def _station(self, name: str, part: StationPart) -> dict[str, Any]:
        devices = self._devices(part)
        standing = {code for device in devices for code in device["faults"]}
        base = self._steady.seen(self._posts[name].snapshot(), self._clock.monotonic(), standing)
        leads = {"leads": self._ways[name]}
        return {**base, **leads, "run_by": part.run_by, "camera": part.camera or "", "devices": devices}

    def _devices(self, part: StationPart) -> list[dict[str, Any]]:
        devices = []
        if part.machine:
            devices.append(self._machine(part.machine))
        if part.printer:
            devices.append(self._printer(part.printer))
        if part.camera:
            devices.append(self._camera(part.camera))
        return [*devices, *(self._scanner(name) for name in part.scanners)]

    def _beside(self) -> list[dict[str, Any]]:
        """Give the devices that no station has: they are only watched, so their tags are told too."""
        parts = self._site.stations.values()
        taken = {name for part in parts for name in (part.machine, part.printer, *part.scanners)}
        return [
            *({**self._machine(name), "tags": self._tags(name)} for name in self._site.machines if name not in taken),
            *(self._printer(name) for name in self._site.printers if name not in taken),
            *(self._scanner(name) for name in self._site.scanners if name not in taken),
        ]

    def _tags(self, name: str) -> list[dict[str, Any]]:
        machine = self._equipment.machines[name]
        values = machine.view().tags
        return [
            {"name": tag, "value": _shown(values[tag].value), "unit": part.unit, "quality": str(values[tag].quality)}
            for tag, part in machine.file.tags.items()
            if part.is_read and tag in values
        ]

    def _same(self, kind: str, name: str, says: object, make: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
        """Give a device's part, made anew only when it says something else than at the last look; nobody writes into it."""
        kept = self._kept.get((kind, name))
        if kept is None or kept[0] != says:
            kept = self._kept[kind, name] = says, make(name)
        return kept[1]

    def _scanner(self, name: str) -> dict[str, Any]:
        return self._same("scanner", name, self._equipment.scanners[name].is_connected(), self._scanner_now)

    def _camera(self, name: str) -> dict[str, Any]:
        return self._same("camera", name, self._cameras.get(name, NOT_LOOKED_AT), self._camera_now)

    def _printer(self, name: str) -> dict[str, Any]:
        return self._same("printer", name, self._printers.get(name), self._printer_now)

    def _machine(self, name: str) -> dict[str, Any]:
        view = self._equipment.machines[name].view()
        says = (view.quality, view.state, view.owned, view.faults, view.own_faults, view.inputs)
        return self._same("machine", name, says, self._machine_now)

    def _scanner_now(self, name: str) -> dict[str, Any]:
        where, connected = self._site.scanners[name], self._equipment.scanners[name].is_connected()
        return _plain(name, "scanner", where.driver, where.address, connected, () if connected else (1006,))

    def _camera_now(self, name: str) -> dict[str, Any]:
        url = urlsplit(self._site.cameras[name].url)
        trouble = self._cameras.get(name, NOT_LOOKED_AT)
        address = url.netloc.rpartition("@")[2]  # never the password of a stream
        return _plain(
            name, "camera", url.scheme, address, trouble not in (NOT_LOOKED_AT, 1005), (trouble,) if trouble > 0 else ()
        )

    def _printer_now(self, name: str) -> dict[str, Any]:
        status = self._printers.get(name)
        faults = troubles_of(status) if status else ()
        status = status or PrinterStatus()
        device = _plain(name, "printer", "escpos", self._site.printers[name].address, status.connected, faults)
        return {**device, "state": _printer_state(status)}

    def _machine_now(self, name: str) -> dict[str, Any]:
        machine = self._equipment.machines[name]
        view = machine.view()
        return {
            "name": name,
            "kind": machine.file.machine.model,
            "protocol": machine.file.machine.protocol,
            "address": self._site.machines[name].address,
            "quality": str(view.quality),
            "state": view.state,
            "owned": view.owned,
            "faults": list(view.faults),
            "own_faults": list(view.own_faults),
            "inputs": dict(view.inputs),
        }

    async def _counted(self) -> dict[str, Any]:
        now = self._clock.monotonic()
        if now - self._figures_at >= FIGURES_S or not self._figures:
            self._figures = await self._counts.count(since=self._clock.now() - timedelta(hours=1))
            self._figures["oldest_waiting_s"] = self._age(self._figures.pop("oldest_waiting_at"))
            self._figures_at = now
        return self._figures

    def _age(self, at: datetime | None) -> float:
        return max(0.0, (self._clock.now() - at).total_seconds()) if at else 0.0


def _line_state(stations: Sequence[Mapping[str, Any]]) -> str:
    return "holding" if any(station["state"] in ("held", "offline", "asking") for station in stations) else "running"


def _printer_state(status: PrinterStatus) -> str:
    """Give a printer's state; one that answers but cannot print calls itself offline, which a reader takes for unconnected."""
    if not status.connected:
        return "offline"
    return "ready" if status.online else "not_ready"


def _shown(value: object) -> object:
    """Give a value as people read it: an f32 has seven digits."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _plain(name: str, kind: str, protocol: str, address: str, connected: bool, faults: Sequence[int]) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "protocol": protocol,
        "address": address,
        "quality": "good" if connected else "absent",
        "state": "",
        "owned": True,
        "faults": list(faults),
        "inputs": {},
    }
