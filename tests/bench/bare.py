"""The peer of the books: SQL written by hand on Python's SQLite driver, with the journal and synchronisation of ours."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from packline.store.engine import sqlite_library

NAME = f"{sqlite_library().__name__}, statements by hand"
SUBSCRIBERS = (("archive", "archive"), ("buyer", "buyer"), ("merchant", "merchant"))

_INBOX = (
    "INSERT INTO inbox (channel, kind, delivery_id, received_at, headers, body, sha256) "
    "VALUES ('marketplace', 'feed', ?, ?, ?, ?, ?)"
)
_INTEND = (
    "INSERT INTO effect (effect_id, subject, kind, generation, station, parameters, state, attempt, machine, epoch, "
    "sequence, boot, job, extra, evidence, created_at, changed_at) "
    "VALUES (?, ?, 'apply', 1, 'label-1', '{}', 'intended', 1, 'arm-1', 1, ?, 7, ?, '{}', '{}', ?, ?)"
)
_CONFIRM = "UPDATE effect SET state = 'confirmed', evidence = ?, changed_at = ? WHERE effect_id = ?"
_PARCEL = "SELECT state, order_id, sscc, generation FROM parcel WHERE lpn = ?"
_PACK = "UPDATE parcel SET state = 'packed', place = ?, changed_at = ? WHERE lpn = ?"
_HEAD = "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1"
_JOURNAL = (
    "INSERT INTO journal (seq, at, kind, subject, order_id, station, actor, data, prev, hash) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ORDER = "SELECT channel, external_id, merchant, state FROM orders WHERE order_id = ?"
_OUTBOX = "INSERT INTO outbox (event_id, seq, at, name, subject, order_id, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
_SUBSCRIBERS = "SELECT name FROM subscriber ORDER BY name"
_DELIVERY = "INSERT INTO delivery (event_id, subscriber, seq, stream, next_at, changed_at) VALUES (?, ?, ?, ?, ?, ?)"


class Bare:
    """One connection, one cursor; commits when told."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite_library().connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("synchronous = FULL", "foreign_keys = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        self.ask = self._connection.execute

    def close(self) -> None:
        self._connection.close()

    def begin(self) -> None:
        self.ask("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self.ask("COMMIT")

    def setting(self, name: str) -> Any:
        return self.ask(f"PRAGMA {name}").fetchone()[0]

    def count(self, table: str) -> int:
        return int(self.ask(f"SELECT count(*) FROM {table}").fetchone()[0])

    # -- what ours does, and no more ---------------------------------------------------------------------------------------

    def keep_message(self, delivery_id: str, headers: Mapping[str, str], body: bytes) -> None:
        """Insert a message as the inbox keeps it."""
        row = (delivery_id, _now(), json.dumps(dict(headers)), body, sha256(body).hexdigest())
        self.ask(_INBOX, row)

    def intend(self, number: int) -> None:
        """Insert the intent of an effect."""
        at = _now()
        self.ask(_INTEND, (f"E{number}", f"P{number}", number, number, at, at))

    def confirm(self, number: int) -> None:
        """Write its evidence."""
        evidence: dict[str, Any] = {"state": "confirmed", "source": "machine memory", "data": {}, "fault": None}
        self.ask(_CONFIRM, (_json(evidence), _now(), f"E{number}"))

    def pack(self, lpn: str, event_id: str) -> None:
        """Record ParcelPacked: the parcel's row, the chained journal row, the outbox row and its deliveries."""
        at = _now()
        state, order_id, sscc, generation = self.ask(_PARCEL, (lpn,)).fetchone()
        if state != "collected":
            raise ValueError(f"parcel {lpn} is {state}")
        self.ask(_PACK, ("to:label-1", at, lpn))
        seq = self._journal({"kind": "ParcelPacked", "subject": lpn, "order_id": order_id, "at": at})
        body = {**self._order(order_id), "lpn": lpn, "sscc": sscc, "generation": generation, "approval": ""}
        body |= {
            "unit": "",
            "sku": "",
            "state": "packed",
            "station": "pack-1",
            "reason": "",
            "until": None,
            "proof": "",
        }
        self.ask(_OUTBOX, (event_id, seq, at, "parcel.packed", lpn, order_id, _json(body)))
        for (name,) in self.ask(_SUBSCRIBERS).fetchall():
            self.ask(_DELIVERY, (event_id, name, seq, order_id, at, at))

    def _journal(self, entry: dict[str, Any]) -> int:
        last = self.ask(_HEAD).fetchone()
        seq, prev = (last[0] + 1, last[1]) if last else (1, "")
        data = {"place": "to:label-1"}
        row = {**entry, "seq": seq, "station": "pack-1", "actor": "controller", "data": data}
        digest = sha256(f"{prev}\n{_json(row)}".encode()).hexdigest()
        order = ("seq", "at", "kind", "subject", "order_id", "station", "actor")
        self.ask(_JOURNAL, (*(row[name] for name in order), _json(data), prev, digest))
        return int(seq)

    def _order(self, order_id: str) -> dict[str, Any]:
        channel, external_id, merchant, state = self.ask(_ORDER, (order_id,)).fetchone()
        names = {"channel": channel, "external_id": external_id, "merchant": merchant, "order_state": state}
        return {"order_id": order_id, **names}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
