"""What only a server has: several programs at once, wires that break, a database that belongs to somebody."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from packline.core.clock import ManualClock
from packline.core.faults import Fault
from packline.core.ids import SeededIds
from packline.orders.model import Event
from packline.store import Store, open_store, serials
from packline.store.journal import Entry, append
from packline.store.postgres import WRITER_LOCK
from packline.store.schema import journal, metadata
from tests.servers import Server
from tests.store.proxies import THREAD_S, CutWire
from tests.store.test_prepared import books, life

MANY = 40


def opened(url: str, *, inline: bool = True, owner: str = "", seed: str = "x") -> Store:
    return open_store(url, clock=ManualClock(), ids=SeededIds(seed), inline=inline, owner=owner)


@pytest.fixture
def address(server: Server):
    """The address of empty books on the server."""
    with server.books() as made:
        yield made


@pytest.fixture(params=[True, False], ids=["in the caller", "by a thread"])
def shop(address: str, request: pytest.FixtureRequest):
    made = opened(address, inline=request.param)
    yield made
    made.close()


def cut_all(server: Server, address: str) -> None:
    """End every connection to these books, as a server that is started again does."""
    name = address.partition("?")[0].rpartition("/")[2]
    server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


# -- the same books as in a file -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
async def test_books_on_a_server_say_what_books_in_memory_say(address, empty_books, received, seed):
    here, there = books("sqlite://", empty_books, keeping=False), opened(address)

    assert await life(there, received, seed) == await life(here, received, seed)
    here.close()
    there.close()


def test_migrations_make_the_tables_that_the_code_expects_on_a_server(address):
    with closing(opened(address)) as store:

        def compare(db):
            return compare_metadata(MigrationContext.configure(db, opts={"compare_server_default": False}), metadata)

        assert store.writer.write_now(compare) == []


def test_books_of_the_first_release_are_brought_up(server):
    with server.books("template0") as empty:
        name = empty.partition("?")[0].rpartition("/")[2]
        opened(empty).close()
        server.run("ALTER TABLE inbox DROP COLUMN fault", name)
        server.run("UPDATE alembic_version SET version_num = '0001'", name)

        with closing(opened(empty)) as store:
            assert store.views.quarantine_count() == 0
            assert store.writer.read_now(lambda db: db.execute(text("SELECT count(fault) FROM inbox")).scalar()) == 0


@pytest.mark.parametrize(
    "statement", ["UPDATE journal SET kind = 'x'", "DELETE FROM journal", "TRUNCATE journal CASCADE"]
)
async def test_journal_on_a_server_is_append_only(shop, received, statement):
    await shop.books.record(received(1))

    with pytest.raises(IntegrityError, match="append-only"):
        await shop.writer.write(lambda db: db.execute(text(statement)).rowcount)

    assert shop.head_now()[0] == 1


async def test_text_that_a_server_cannot_keep_is_refused_as_an_event_and_no_fault_of_the_database(shop):
    with pytest.raises(Fault) as caught:
        await shop.books.record(Event(kind="Noise", subject="a\0b", data={}))

    assert caught.value.code == 5101
    assert shop.head_now() == (0, "")


# -- several programs --------------------------------------------------------------------------------------------------

WRITES = """
import sys
from datetime import UTC, datetime
from packline.core.clock import ManualClock
from packline.core.ids import SeededIds
from packline.store import open_store
from packline.store.journal import Entry, append

store = open_store(sys.argv[1], clock=ManualClock(), ids=SeededIds(sys.argv[2]), inline=True)
sys.stdin.readline()
for n in range(int(sys.argv[3])):
    entry = Entry(at=datetime(2026, 1, 1, tzinfo=UTC), kind="Noise", subject=f"{sys.argv[2]} {n}")
    store.writer.write_now(lambda db: append(db, entry))
store.close()
"""


def test_two_programs_never_give_a_number_twice_and_no_reader_misses_one(address):
    command = [sys.executable, "-c", WRITES, address]
    writers = [
        subprocess.Popen([*command, name, str(MANY)], stdin=subprocess.PIPE, stderr=subprocess.PIPE) for name in "ab"
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    with closing(opened(address)) as store:
        news: list[int] = []
        while not all(writer.poll() is not None for writer in writers):
            news += _after(store, news[-1] if news else 0)
        news += _after(store, news[-1] if news else 0)

        assert [writer.communicate()[1] for writer in writers] == [b"", b""]
        assert news == list(range(1, 2 * MANY + 1))
        assert store.audit_now() == []


def _after(store: Store, last: int) -> list[int]:
    """Read what is new, as somebody who never looks back."""
    query = select(journal.c.seq).where(journal.c.seq > last).order_by(journal.c.seq)
    return list(store.writer.read_now(lambda db: db.execute(query).scalars().all()))


def test_several_processes_may_open_new_books_on_a_server_at_once(server):
    faults: list[Fault] = []

    def start(url: str) -> None:
        try:
            opened(url).close()
        except Fault as fault:
            faults.append(fault)

    with server.books("template0") as empty:
        threads = [threading.Thread(target=start, args=(empty,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(THREAD_S)
        assert not any(thread.is_alive() for thread in threads)

    assert faults == []


async def test_delivery_is_claimed_by_one_of_two_programs_only(shop, address, received, clock):
    await shop.outbox.set_subscribers([("shop", "merchant")])
    for number in range(3):
        await shop.books.record(received(number))
    with closing(opened(address, inline=False, seed="other")) as other:
        claims = await asyncio.gather(*(store.outbox.claim(clock.now(), 2) for store in (shop, other) * 2))

    assert sorted(row.event_id for rows in claims for row in rows) == sorted(
        {row.event_id for rows in claims for row in rows}
    )
    assert sum(map(len, claims)) == 3


def test_second_controller_is_refused_with_the_name_of_the_first_until_that_one_is_gone(address):
    first = opened(address, owner="north")
    first.writer.write_now(lambda db: serials.advance(db, "a"))
    with pytest.raises(Fault) as caught:
        opened(address, owner="south")

    assert caught.value.code == 5002
    assert "packline north at work" in caught.value.seen
    with closing(opened(address)) as dashboard:  # who only looks, or writes what people ask for, is let in
        assert dashboard.writer.write_now(lambda db: serials.advance(db, "a")) == 2
    first.close()
    opened(address, owner="south").close()


def test_controller_that_lost_its_books_to_another_one_writes_nothing_more(server, address):
    first = opened(address, owner="north")
    first.writer.write_now(lambda db: serials.advance(db, "a"))
    cut_all(server, address)
    second = opened(address, owner="south")
    second.writer.write_now(lambda db: serials.advance(db, "a"))

    with pytest.raises(Fault, match="packline south at work"):
        first.writer.write_now(lambda db: serials.advance(db, "a"))

    second.close()
    assert first.writer.write_now(lambda db: serials.advance(db, "a")) == 3
    first.close()


async def test_books_that_another_program_keeps_to_itself_say_so_and_recover(server, shop, address):
    name = address.partition("?")[0].rpartition("/")[2]
    server.run(f'ALTER DATABASE "{name}" SET deadlock_timeout = 10', name)
    with closing(opened(address)) as other:

        def hold(db) -> Fault:
            with pytest.raises(Fault) as caught:
                asyncio.run(shop.writer.write(lambda db: serials.advance(db, "a")))
            return caught.value

        await shop.writer.write(lambda db: db.execute(text("SET lock_timeout = 50")).rowcount)
        fault = await asyncio.to_thread(other.writer.write_now, hold)

    assert fault.code == 5002
    assert "pg_stat_activity" in fault.remedy
    assert await shop.writer.write(lambda db: serials.advance(db, "a")) == 1


# -- wires that break --------------------------------------------------------------------------------------------------


async def test_server_that_was_started_again_between_two_works_is_not_noticed(server, shop, address):
    await shop.writer.write(lambda db: serials.advance(db, "a"))
    assert await shop.meta.serials() == {"a": 1}
    cut_all(server, address)

    assert await shop.meta.serials() == {"a": 1}
    cut_all(server, address)
    assert await shop.writer.write(lambda db: serials.advance(db, "a")) == 2


async def test_work_that_was_cut_off_in_its_midst_leaves_nothing_and_says_so(server, shop, address):
    def cut_off(db) -> int:
        serials.advance(db, "a")
        cut_all(server, address)
        return serials.advance(db, "a")

    with pytest.raises(Fault) as caught:
        await shop.writer.write(cut_off)

    assert caught.value.code == 5002
    assert "database server runs" in caught.value.remedy
    assert await shop.writer.write(lambda db: serials.advance(db, "a")) == 1


@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize("when,kept", [("after", True), ("before", False)])
async def test_commit_whose_answer_is_cut_off_is_asked_after(address, tmp_path, inline, when, kept):
    with CutWire(address, tmp_path) as wire, closing(opened(wire.address, inline=inline)) as store:
        assert await store.books.serial("a") == 1
        wire.cut = when
        if kept:
            assert await store.books.serial("a") == 2
        else:
            with pytest.raises(Fault, match="5002"):
                await store.books.serial("a")

        assert wire.cuts == 1
        assert await store.meta.serials() == {"a": 1 + kept}
        assert await store.books.serial("a") == 2 + kept


async def test_work_that_goes_on_after_a_statement_had_failed_is_not_taken_for_kept(address):
    def careless(db) -> None:
        append(db, Entry(at=ManualClock().now(), kind="Noise", subject="x"))
        with pytest.raises(Exception, match="no_such"):
            db.execute(text("SELECT * FROM no_such"))

    with closing(opened(address)) as store:
        with pytest.raises(RuntimeError, match="had failed"):
            await store.writer.write(careless)
        assert store.head_now() == (0, "")


# -- whose database ----------------------------------------------------------------------------------------------------


def test_database_that_sorts_by_the_customs_of_a_country_is_refused(server):
    name = "packline_test_sorted"
    server.run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'")
    try:
        with pytest.raises(Fault) as caught:
            opened(server.url_of(name))
    finally:
        server.drop(name)

    assert "encoding SQL_ASCII" in caught.value.seen
    assert "createdb" in caught.value.remedy


def test_books_of_a_newer_packline_and_somebody_elses_tables_are_refused_on_a_server(server, address):
    name = address.partition("?")[0].rpartition("/")[2]
    server.run("UPDATE alembic_version SET version_num = '9999'", name)
    with pytest.raises(Fault, match="9999"):
        opened(address)
    with server.books("template0") as other:
        server.run("CREATE TABLE recipes (name text)", other.partition("?")[0].rpartition("/")[2])
        with pytest.raises(Fault, match="recipes"):
            opened(other)


def test_writer_waits_for_its_turn_by_the_lock_that_the_documents_name(address):
    with closing(opened(address)) as store:
        query = text(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = :key AND pid = pg_backend_pid()"
        )

        assert store.writer.write_now(lambda db: db.execute(query, {"key": WRITER_LOCK}).scalar()) == 1
        assert store.writer.read_now(lambda db: db.execute(query, {"key": WRITER_LOCK}).scalar()) == 0
