"""The journal's numbers after an older backup came back."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from packline.core.clock import WallClock
from packline.core.ids import SystemIds
from packline.orders.model import Event
from packline.store import open_store


async def test_a_leap_skips_numbers_and_the_chain_still_holds(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/books.db", clock=WallClock(), ids=SystemIds(), inline=True)
    await store.books.record(Event(kind="Note", subject="before"))
    await store.meta.leap_journal(1_000_000, WallClock().now())
    await store.books.record(Event(kind="Note", subject="after"))
    figures = await store.figures.count(WallClock().now())
    assert figures["seq"] == 1_000_003
    assert store.audit_now() == []
    store.close()


async def test_a_number_that_is_missing_without_a_leap_is_found(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/books.db", clock=WallClock(), ids=SystemIds(), inline=True)
    for n in range(3):
        await store.books.record(Event(kind="Note", subject=str(n)))

    def tear(connection: Connection) -> None:
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS journal_no_delete")
        for (name,) in connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'journal'"
        ).fetchall():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("DELETE FROM journal WHERE seq = 2")

    await store.writer.write(tear)
    assert store.audit_now() != []
    store.close()
