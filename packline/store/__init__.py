"""What happened and must not be lost: tables, writer, effects ledger, journal, outbox, views."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.core.ids import Ids
from packline.store.address import address_of, is_in_memory
from packline.store.audit import audit
from packline.store.backup import copy_online, restore
from packline.store.books import StoredBooks
from packline.store.desk import ClerksDesk
from packline.store.engine import database_fault, open_engines, sqlite_report
from packline.store.epochs import StoredEpochs
from packline.store.figures import Figures
from packline.store.inbox import Inbox
from packline.store.items import Items
from packline.store.journal import Entry, contents_hash, head, rows_of
from packline.store.ledger import StoredLedger
from packline.store.meta import Meta
from packline.store.outbox import Outbox
from packline.store.pictures import Pictures
from packline.store.requests import Requests
from packline.store.tape import Tape
from packline.store.users import Users
from packline.store.version import bring_up
from packline.store.views import Views
from packline.store.writer import WrapCommit, Writer

T = TypeVar("T")
_OWN_TOOLS = "Copy it by the server's own tools: `pg_dump` (see docs/how-to/postgresql.md)."


class Store:
    """All doors to one database. Methods called `..._now` block, for callers without a loop; all others are awaited."""

    def __init__(self, url: str, writer: Writer, clock: Clock, ids: Ids) -> None:
        self.url = url
        self.writer = writer
        self.items = Items(writer)
        self.desk = ClerksDesk(writer, clock, ids)
        self.pictures = Pictures(writer, clock, ids)
        self.books = StoredBooks(writer, clock, ids, items=self.items, desk=self.desk, pictures=self.pictures)
        self.ledger = StoredLedger(writer, clock, ids)
        self.epochs = StoredEpochs(writer)
        self.inbox = Inbox(writer, clock)
        self.outbox = Outbox(writer, clock)
        self.requests = Requests(writer, clock)
        self.users = Users(writer)
        self.views = Views(writer)
        self.figures = Figures(writer)
        self.tape = Tape(writer)
        self.meta = Meta(writer)

    def backup(self, path: Path) -> None:
        """Copy the books to `path` while they are written; raises Fault 5002."""
        database = address_of(self.url).database
        if not self.is_in_file or database is None:
            seen, remedy = self.url.partition(":")[0], _OWN_TOOLS if self.is_on_server else ""
            raise Fault(5002, where="backup", seen=seen, expected="a SQLite file", remedy=remedy)
        copy_online(Path(database), path)

    @property
    def is_on_server(self) -> bool:
        """Tell whether a database server keeps the books, and looks after their files and copies."""
        return not self.url.startswith("sqlite")

    @property
    def is_in_file(self) -> bool:
        """Tell whether the books are a file of ours, to be copied by us."""
        return not (self.is_on_server or is_in_memory(self.url))

    def integrity_now(self) -> str:
        """Give "ok", or what SQLite finds wrong in the file; reads all of it. A server looks after its own files: "ok"."""
        if self.is_on_server:
            return "ok"
        return str(self.writer.read_now(lambda connection: connection.execute(text("PRAGMA quick_check")).scalar()))

    def head_now(self) -> tuple[int, str]:
        """Give the journal's last number and the hash that its whole chain ends in; (0, "") for an empty one."""
        return self.writer.read_now(head)

    def contents_hash_now(self) -> str:
        """Hash the whole journal, but for what depends on the bytes of pictures; reads all of it."""
        return self.writer.read_now(contents_hash)

    def journal_now(self, kinds: Collection[str], take: Callable[[Iterator[Entry]], T]) -> T:
        """Hand the journal's rows of these kinds to `take`, one after the other, and give its answer."""
        return self.writer.read_now(lambda connection: take(rows_of(connection, kinds)))

    def audit_now(self) -> list[str]:
        """Say where rows and journal disagree or the journal's chain is broken; reads all of it, empty when sound."""
        return self.writer.read_now(audit)

    def close(self) -> None:
        """Finish what waits and let go of the database."""
        self.writer.close()


def open_store(
    url: str,
    *,
    clock: Clock,
    ids: Ids,
    inline: bool = False,
    wrap_commit: WrapCommit | None = None,
    survives_power: bool = True,
    owner: str = "",
) -> Store:
    """Open the books at `url` (sqlite:///path or a PostgreSQL address), bringing their schema up to this code's.

    `inline` runs all work in the caller (virtual time, tests); a SQLite in memory always does. `wrap_commit` is handed
    the function that commits and gives the one to call instead. Without `survives_power` a commit outlives the process and
    not the computer's power: for books in whose time no computer loses it. On a server, who gives a name as `owner` has the
    books to itself, and another owner is refused, until this one closes them or dies; a file is guarded by its folder's lock.
    Raises Fault 5002 when the database cannot be used, has another owner, or was written by a newer Packline. To be opened
    after a fork, never before.
    """
    engines = open_engines(url, survives_power=survives_power, owner=owner)
    try:
        with engines.write.begin() as connection:
            bring_up(connection)
    except (Fault, DBAPIError) as error:
        engines.dispose()
        if isinstance(error, Fault):
            raise
        raise database_fault(error, address_of(url).render_as_string()) from error
    writer = Writer(engines, inline=inline or is_in_memory(url), wrap_commit=wrap_commit)
    return Store(url, writer, clock, ids)


__all__ = ["Store", "open_store", "restore", "sqlite_report"]
