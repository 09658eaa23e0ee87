"""Brings what machines, scanners, printers and cameras notice to the stations that they belong to."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from controller.placement import Equipment
from controller.site import Site
from controller.watching import Watching
from labeling.printer import PrinterStatus
from packline.core.pictures import Camera
from packline.core.scans import Scanner
from stations.post import Post


class Senses:
    """One task for each device. `printers` and `cameras` hold what was noticed last of each, by name."""

    def __init__(
        self,
        *,
        site: Site,
        posts: Mapping[str, Post],
        equipment: Equipment,
        watching: Watching,
        onlooker: Callable[[str], Camera],
    ) -> None:
        self._site, self._posts, self._equipment = site, posts, equipment
        self._watching, self._onlooker = watching, onlooker
        self.printers: dict[str, PrinterStatus] = {}
        self.cameras: dict[str, int] = {}

    def jobs(self) -> list[Coroutine[Any, Any, None]]:
        """Give the tasks, each of which works for ever."""
        return [
            *(self._watch(machine.name) for machine in self._equipment.machines.values()),
            *self._watches(),
            *(self._pump(name, scanner) for name, scanner in self._equipment.scanners.items()),
        ]

    async def _pump(self, name: str, scanner: Scanner) -> None:
        """Bring a scanner's reads to the station that owns it."""
        owner = next((n for n, part in self._site.stations.items() if name in part.scanners), None)
        async for scan in scanner.scans():
            if owner is not None:
                self._posts[owner].scan(scan)

    async def _watch(self, name: str) -> None:
        """Wake a machine's station when one of its inputs or its state changes."""
        machine = self._equipment.machines[name]
        owners = [self._posts[n] for n, part in self._site.stations.items() if part.machine == name]
        while True:
            before = _essence(machine.view())
            await machine.until(lambda seen=before: _essence(machine.view()) != seen, 60.0)  # type: ignore[misc]  # bound now
            for post in owners:
                post.wake()

    def _watches(self) -> list[Coroutine[Any, Any, None]]:
        watching = self._watching
        parts = self._site.stations.items()
        at = {part.printer or "": self._posts[name].bells for name, part in parts}
        at |= {part.camera: self._posts[name].bells for name, part in parts if part.camera}
        at |= {scanner: self._posts[name].bells for name, part in parts for scanner in part.scanners}
        return [
            *(
                watching.printer(printer, at.get(name), partial(self.printers.__setitem__, name))
                for name, printer in self._equipment.printers.items()
            ),
            *(watching.scanner(scanner, at.get(name)) for name, scanner in self._equipment.scanners.items()),
            *(
                watching.camera(self._onlooker(name), at.get(name), partial(self.cameras.__setitem__, name))
                for name in self._equipment.cameras
            ),
        ]


def _essence(view: Any) -> tuple[object, ...]:
    return (view.quality, view.state, view.owned, tuple(view.inputs.items()), view.faults)
