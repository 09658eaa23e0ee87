"""Keeps a week of copies of the books, makes up for a night in which the controller was off, and rings when none can be made."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from controller.certificate_watch import AlarmDesk
from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.store import Store
from stations.ports import Offload

KEPT = 7
EVERY = timedelta(days=1)
FAILED, SOURCE = 5004, "backups"
_STAMP = "packline-%Y%m%dT%H%M%SZ.db"

log = logging.getLogger("packline.backups")


class Backups:
    """The copies in `folder`; books on a server or in memory are not copied from here."""

    def __init__(self, folder: Path, store: Store, desk: AlarmDesk, clock: Clock, offload: Offload) -> None:
        self._folder, self._store, self._desk = folder, store, desk
        self._clock, self._offload = clock, offload

    async def make(self) -> None:
        """Copy the books, and drop the oldest copies; what keeps it from that is an alarm until a copy was made."""
        if not self._store.is_in_file:
            return
        try:
            await self._offload(self._copy)
        except (Fault, OSError) as error:
            log.warning("no copy of the books: %s", error)
            fault = Fault(FAILED, where=SOURCE, seen=_said(error), expected="a whole copy each day")
            await self._desk.raise_alarm(fault, source=SOURCE)
        else:
            await self._desk.clear_alarm(FAILED, source=SOURCE)

    async def make_up(self) -> None:
        """Make the copy that is missing: at the hour of the night the controller may have been off, or the disk full."""
        newest = max(self._made(), default=None)
        if newest is None or self._clock.now() - newest > EVERY:
            await self.make()

    def _copy(self) -> None:
        self._folder.mkdir(0o700, parents=True, exist_ok=True)
        self._store.backup(self._folder / f"{self._clock.now().astimezone(UTC):{_STAMP}}")
        for _, old in sorted(self._made().items())[:-KEPT]:
            old.unlink()

    def _made(self) -> dict[datetime, Path]:
        """Give our own copies by when they were made; what a person put beside them is not ours."""
        made = {}
        for path in self._folder.glob("packline-*.db"):
            with suppress(ValueError):
                made[datetime.strptime(path.name, _STAMP).replace(tzinfo=UTC)] = path
        return made


def _said(error: Fault | OSError) -> str:
    return error.seen if isinstance(error, Fault) else error.strerror or type(error).__name__
