"""The durable fencing epoch of each machine."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, insert, select, update

from packline.store.prepared import Change, question
from packline.store.schema import machine_epoch
from packline.store.writer import Writer

_OF = question(select(machine_epoch.c.epoch).where(machine_epoch.c.machine == bindparam("machine")))
_ADD = Change(insert(machine_epoch))
_CHANGE = Change(update(machine_epoch).where(machine_epoch.c.machine == bindparam("of")))


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
    found = _OF.first(connection, machine=machine)
    return 0 if found is None else int(found.epoch)


def _raise(connection: Connection, machine: str, epoch: int) -> None:
    known = _epoch(connection, machine)
    if not known:
        _ADD.run(connection, {"machine": machine, "epoch": epoch})
    elif epoch > known:
        _CHANGE.run(connection, {"of": machine, "epoch": epoch})
