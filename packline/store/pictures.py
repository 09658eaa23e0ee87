"""Pictures as evidence: the JPEG as it came, with its SHA-256 in the journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from packline.core.clock import Clock
from packline.core.ids import Ids, encode_ulid
from packline.core.pictures import Still
from packline.orders.model import ORDER_DONE
from packline.store.journal import Entry, append
from packline.store.prepared import Change
from packline.store.schema import orders, picture, picture_blob
from packline.store.writer import Writer

FORGOTTEN_AT_ONCE = 500
"""So few that whoever writes besides is kept waiting for a moment only."""

_ADD = Change(insert(picture))
_ADD_BLOB = Change(insert(picture_blob))


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A kept still. `kind` is inspection | before | label | gate; `intact` tells whether the bytes match the SHA-256."""

    picture_id: str
    kind: str
    subject: str
    order_id: str
    note: str
    camera: str
    captured_at: datetime
    sha256: str
    jpeg: bytes
    intact: bool


class Pictures:
    """Implements `packline.orders.ports.Album`, and gives pictures back."""

    def __init__(self, writer: Writer, clock: Clock, ids: Ids) -> None:
        self._writer = writer
        self._clock = clock
        self._ids = ids

    async def keep_picture(self, still: Still, *, kind: str, subject: str, order_id: str, note: str = "") -> str:
        """Store a still; gives the picture's id after the commit."""
        at = self._clock.now()
        row = {
            "picture_id": self._ids.ulid(int(at.timestamp() * 1000)),
            "kind": kind,
            "subject": subject,
            "order_id": order_id,
            "note": note,
            "camera": still.camera,
            "frame": still.frame,
            "captured_at": still.captured_at,
            "kept_at": at,
            "sha256": sha256(still.jpeg).hexdigest(),
            "size_bytes": len(still.jpeg),
        }
        await self._writer.write(lambda connection: _keep(connection, row, still.jpeg))
        return str(row["picture_id"])

    async def picture(self, picture_id: str) -> Picture | None:
        """Give a picture with its bytes."""
        return await self._writer.read(lambda connection: _picture(connection, picture_id))

    async def forget(self, before: datetime) -> int:
        """Drop the bytes of at most FORGOTTEN_AT_ONCE pictures from `before` then whose orders are over; gives how many.

        Their rows and SHA-256 stay, as does the journal's line about each.
        """
        return await self._writer.write(lambda connection: _forget(connection, before))


def _keep(connection: Connection, row: dict[str, Any], jpeg: bytes) -> None:
    _ADD.run(connection, row)
    _ADD_BLOB.run(connection, {"picture_id": row["picture_id"], "jpeg": jpeg})
    data = {name: row[name] for name in ("picture_id", "kind", "note", "camera", "captured_at", "sha256")}
    entry = Entry(at=row["kept_at"], kind="PictureKept", subject=row["subject"], order_id=row["order_id"], data=data)
    append(connection, entry)


def _picture(connection: Connection, picture_id: str) -> Picture | None:
    query = select(picture, picture_blob.c.jpeg).join(picture_blob).where(picture.c.picture_id == picture_id)
    row = connection.execute(query).first()
    if row is None:
        return None
    return Picture(
        picture_id=row.picture_id,
        kind=row.kind,
        subject=row.subject,
        order_id=row.order_id,
        note=row.note,
        camera=row.camera,
        captured_at=row.captured_at,
        sha256=row.sha256,
        jpeg=row.jpeg,
        intact=sha256(row.jpeg).hexdigest() == row.sha256,
    )


def _forget(connection: Connection, before: datetime) -> int:
    # ids sort by time: the index of what still has bytes is read from its old end only
    first_kept = encode_ulid(int(before.timestamp() * 1000), 0)
    old = (
        select(picture_blob.c.picture_id)
        .join(picture, picture.c.picture_id == picture_blob.c.picture_id)
        .join(orders, orders.c.order_id == picture.c.order_id)
        .where(picture_blob.c.picture_id < first_kept, orders.c.state.in_(ORDER_DONE))
        .order_by(picture_blob.c.picture_id)
        .limit(FORGOTTEN_AT_ONCE)
    )
    ids = list(connection.scalars(old))
    connection.execute(delete(picture_blob).where(picture_blob.c.picture_id.in_(ids)))
    connection.execute(update(picture).where(picture.c.picture_id.in_(ids)).values(size_bytes=0))
    return len(ids)
