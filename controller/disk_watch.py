"""Rings before the disk of the books is full: a line whose books cannot be written holds."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from controller.certificate_watch import AlarmDesk
from packline.core.faults import Fault
from stations.ports import Offload

LITTLE_ROOM, SOURCE = 5005, "disk"
SHARE, BYTES = 0.1, 20_000_000_000
"""It rings below a tenth of the disk, and below 20 GB: a tenth of a large disk is room for months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a disk has and what of it is free, in bytes."""

    total: int
    free: int

    @property
    def is_little(self) -> bool:
        """Tell whether a person should see to it in the next days."""
        return self.free < min(self.total * SHARE, BYTES)


RoomOf = Callable[[Path], Room]


def room_of(folder: Path) -> Room:
    """Give the room of the disk under `folder`; raises OSError."""
    usage = shutil.disk_usage(folder)
    return Room(total=usage.total, free=usage.free)


class DiskWatch:
    """One alarm while there is little room; taken back when there is more again."""

    def __init__(self, data: Path, desk: AlarmDesk, offload: Offload, room: RoomOf) -> None:
        self._data, self._desk, self._offload, self._room = data, desk, offload, room

    async def look(self) -> None:
        """Look once; an alarm that stands is not rung again by the hour."""
        room = await self._offload(self._room, self._data)
        stands = any(row["code"] == LITTLE_ROOM for row in await self._desk.standing_alarms())
        if room.is_little and not stands:
            seen = f"{room.free / 1e9:.1f} GB free of {room.total / 1e9:.0f}"
            expected = f"at least {min(room.total * SHARE, BYTES) / 1e9:.1f} GB"
            fault = Fault(LITTLE_ROOM, where=str(self._data), seen=seen, expected=expected)
            await self._desk.raise_alarm(fault, source=SOURCE)
        elif stands and not room.is_little:
            await self._desk.clear_alarm(LITTLE_ROOM, source=SOURCE)
