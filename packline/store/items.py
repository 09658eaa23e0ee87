"""The item master: which goods there are, and by which barcodes they are known."""

from __future__ import annotations

import threading
from collections.abc import Collection

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from packline.orders.model import Item
from packline.store.item_file import ImportReport, read_items
from packline.store.prepared import Change, question
from packline.store.schema import item, item_alias
from packline.store.writer import Writer

MOST_AT_ONCE = 1000
"""Items in one transaction: about 0.1 s."""
PAUSE_S = 0.05
"""SQLite has who waits look again at least every 0.1 s."""

_COLUMNS = tuple(item.c)
_BARCODES = question(
    select(item_alias.c.barcode).where(item_alias.c.sku == bindparam("of")).order_by(item_alias.c.position)
)
_SKUS = question(select(item_alias.c.sku).where(item_alias.c.barcode == bindparam("of")).order_by(item_alias.c.sku))
_ONE = question(select(*_COLUMNS).where(item.c.sku == bindparam("of")))
_CHANGE = Change(update(item).where(item.c.sku == bindparam("of")))
_ADD = Change(insert(item))
_UNNAME = Change(delete(item_alias).where(item_alias.c.sku == bindparam("of")))
_NAME = Change(insert(item_alias))


class Items:
    """Implements `packline.orders.ports.ItemMaster`, and takes CSV files."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def item(self, sku: str) -> Item | None:
        """Give the item called `sku`."""
        return await self._writer.read(lambda connection: item_of_sku(connection, sku))

    async def item_of(self, barcode: str) -> list[Item]:
        """Give the items that carry `barcode`: none, one, or several merchants' ones."""
        return await self._writer.read(lambda connection: _items_of(connection, barcode))

    async def put(self, items: Collection[Item]) -> None:
        """Insert items or write them anew, with exactly their barcodes."""
        await self._writer.write(lambda connection: put_items(connection, items))

    def put_now(self, items: Collection[Item]) -> None:
        """Do the same for a caller without a loop."""
        self._writer.write_now(lambda connection: put_items(connection, items))

    def import_csv(self, data: bytes) -> ImportReport:
        """Take a CSV file: good rows are written, bad ones are reported; blocks until the last commit.

        A thousand at a time, with a pause in which others may write: a running line cannot do without its books for as long as
        a whole item master takes. After a stop in the middle the file is taken again.
        """
        items, report = read_items(data)
        for first in range(0, len(items), MOST_AT_ONCE):
            if first:
                threading.Event().wait(PAUSE_S)
            self.put_now(items[first : first + MOST_AT_ONCE])
        return report


def item_of_sku(connection: Connection, sku: str) -> Item | None:
    """Give the item called `sku`, with its barcodes."""
    row = _ONE.first(connection, of=sku)
    if row is None:
        return None
    barcodes = tuple(row.barcode for row in _BARCODES.all(connection, of=sku))
    return Item(**row._asdict(), barcodes=barcodes)


def put_items(connection: Connection, items: Collection[Item]) -> None:
    """Insert `items` or write them anew."""
    for one in items:
        _put(connection, one)


def _put(connection: Connection, one: Item) -> None:
    row = {column.name: getattr(one, column.name) for column in _COLUMNS}
    if not _CHANGE.run(connection, {"of": one.sku, **row}):
        _ADD.run(connection, row)
    _UNNAME.run(connection, {"of": one.sku})
    aliases = [
        {"barcode": barcode, "sku": one.sku, "position": position}
        for position, barcode in enumerate(dict.fromkeys(one.barcodes))
    ]
    _NAME.run_all(connection, aliases)


def _items_of(connection: Connection, barcode: str) -> list[Item]:
    named = _SKUS.all(connection, of=barcode)
    return [found for row in named if (found := item_of_sku(connection, row.sku))]
