"""The durable fencing epoch of each machine."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from packline.store.schema import machine_epoch
from packline.store.writer import Writer


class StoredEpochs:
    """Implements `packline.core.effects.Epochs`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def epoch(self, machine: str) -> int:
        """Give the greatest epoch ever made durable for `machine`; 0 if none."""
        return await self._writer.read(lambda connection: _epoch(connection, machine))

    async def raise_epoch(self, machine: str, epoch: int) -> None:
        """Make `epoch` durable; returns after the commit. Never lowers."""
        await self._writer.write(lambda connection: _raise(connection, machine, epoch))


def _epoch(connection: Connection, machine: str) -> int:
    found = connection.execute(select(machine_epoch.c.epoch).where(machine_epoch.c.machine == machine)).scalar()
    return int(found or 0)


def _raise(connection: Connection, machine: str, epoch: int) -> None:
    known = _epoch(connection, machine)
    if not known:
        connection.execute(insert(machine_epoch), {"machine": machine, "epoch": epoch})
    elif epoch > known:
        connection.execute(update(machine_epoch).where(machine_epoch.c.machine == machine), {"epoch": epoch})
