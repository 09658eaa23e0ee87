import asyncio
import threading
from contextlib import closing

import pytest
from sqlalchemy import text

from packline.core.clock import ManualClock
from packline.core.faults import Fault
from packline.core.ids import SeededIds
from packline.store import open_store, serials
from packline.store.engine import open_engines, sqlite_library
from packline.store.writer import MOST_WAITING, Writer
from tests.waiting import eventually, let_run


def add(name: str):
    return lambda db: serials.advance(db, name)


def boom(db) -> None:
    serials.advance(db, "boom")
    raise KeyError("boom")


class Gate:
    """A commit that waits to be let through."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()
        self.commits = 0

    def wrap(self, commit):
        def held() -> None:
            self.commits += 1
            self.reached.set()
            assert self.open.wait(30)
            commit()

        return held


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def gated(url, gate):
    store = open_store(url, clock=ManualClock(), ids=SeededIds("gate"), wrap_commit=gate.wrap)
    yield store
    gate.open.set()
    store.close()


async def test_answers_come_after_the_commit_and_waiting_work_shares_one(gated, gate, path):
    first = asyncio.create_task(gated.writer.write(add("a")))
    await eventually(gate.reached.is_set)
    others = [asyncio.create_task(gated.writer.write(add("a"))) for _ in range(20)]
    await let_run()

    with closing(sqlite_library().connect(path)) as outsider:
        assert outsider.execute("SELECT count(*) FROM serial").fetchone() == (0,)
    assert not first.done()
    gate.open.set()

    assert await asyncio.gather(first, *others) == list(range(1, 22))
    assert gate.commits < 21


async def test_work_that_fails_does_not_disturb_the_work_beside_it(gated, gate):
    first = asyncio.create_task(gated.writer.write(add("a")))
    await eventually(gate.reached.is_set)
    beside = [asyncio.create_task(gated.writer.write(work)) for work in (add("b"), boom, add("c"))]
    await let_run()
    gate.open.set()
    await first

    results = await asyncio.gather(*beside, return_exceptions=True)

    assert results[0] == 1
    assert isinstance(results[1], KeyError)
    assert results[2] == 1
    assert await gated.meta.serials() == {"a": 1, "b": 1, "c": 1}
    assert gate.commits == 2


async def test_work_that_was_given_up_before_it_began_is_left_out(gated, gate):
    first = asyncio.create_task(gated.writer.write(add("a")))
    await eventually(gate.reached.is_set)
    given_up = asyncio.create_task(gated.writer.write(add("b")))
    await let_run()
    given_up.cancel()
    await let_run()
    gate.open.set()
    await first

    await gated.writer.write(add("c"))

    assert await gated.meta.serials() == {"a": 1, "c": 1}


@pytest.mark.parametrize("inline", [True, False])
async def test_commit_that_fails_is_heard_by_all_and_the_next_one_works(url, inline):
    broken = [True]

    def wrap(commit):
        def maybe() -> None:
            if broken:
                raise OSError("cable pulled")
            commit()

        return maybe

    store = open_store(url, clock=ManualClock(), ids=SeededIds("x"), inline=inline, wrap_commit=wrap)
    with pytest.raises(OSError, match="cable"):
        await store.writer.write(add("a"))
    broken.clear()

    assert await store.writer.write(add("a")) == 1
    store.close()


@pytest.mark.parametrize("inline", [True, False])
async def test_full_database_says_so_loses_nothing_and_recovers_by_itself(sqlite_only, url, inline, received):
    store = open_store(url, clock=ManualClock(), ids=SeededIds("x"), inline=inline)
    pages = await store.writer.read(lambda db: db.execute(text("PRAGMA page_count")).scalar_one())
    await limit(store, pages + 20)
    kept, fault = await fill(store, received)

    assert fault.code == 5002
    assert "full" in fault.seen
    assert kept
    await limit(store, 1_000_000)
    await store.books.record(received("after"))
    assert [await store.books.order(order_id) is not None for order_id in kept] == [True] * len(kept)
    assert store.audit_now() == []
    assert store.integrity_now() == "ok"
    store.close()


async def fill(store, received) -> tuple[list[str], Fault]:
    kept: list[str] = []
    while True:
        try:
            await store.books.record(received(len(kept)))
        except Fault as fault:
            return kept, fault
        kept.append(f"market-HM-{len(kept)}")


async def test_small_work_still_fits_where_large_work_does_not(sqlite_only, gated, gate):
    gate.open.set()
    pages = await gated.writer.read(lambda db: db.execute(text("PRAGMA page_count")).scalar_one())
    await limit(gated, pages + 4)
    gate.open.clear()
    gate.reached.clear()
    first = asyncio.create_task(gated.writer.write(add("a")))
    await eventually(gate.reached.is_set)
    large = asyncio.create_task(gated.writer.write(lambda db: gated_put(db, "x" * 200_000)))
    small = asyncio.create_task(gated.writer.write(add("b")))
    await let_run()
    gate.open.set()

    results = await asyncio.gather(first, large, small, return_exceptions=True)

    assert results[0] == results[2] == 1
    assert isinstance(results[1], Fault)


def gated_put(db, value: str) -> int:
    return db.execute(text("INSERT INTO meta (name, value) VALUES ('x', :v)"), {"v": value}).rowcount


async def limit(store, pages: int) -> None:
    await store.writer.write(lambda db: db.execute(text(f"PRAGMA max_page_count = {pages}")).scalar())


@pytest.mark.parametrize("inline", [True, False])
async def test_locked_database_says_so_and_recovers_by_itself(url, path, inline):
    store = open_store(url, clock=ManualClock(), ids=SeededIds("x"), inline=inline)
    await store.writer.write(lambda db: db.execute(text("PRAGMA busy_timeout = 10")).scalar())
    with closing(sqlite_library().connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Fault) as caught:
            await store.writer.write(add("a"))
        # Who only reads is not disturbed.
        assert await store.meta.get("nothing", "there") == "there"
        other.execute("ROLLBACK")

    assert caught.value.code == 5002
    assert "locked" in caught.value.seen
    assert await store.writer.write(add("a")) == 1
    store.close()


async def test_readers_cannot_write(threaded):
    with pytest.raises(Fault) as caught:
        await threaded.writer.read(add("a"))

    assert caught.value.code == 5002


async def test_mistake_in_a_statement_is_no_fault_of_the_database(threaded):
    for door in (threaded.writer.write, threaded.writer.read):
        with pytest.raises(Exception, match="no_such"):
            await door(lambda db: db.execute(text("SELECT * FROM no_such")).all())


async def test_queue_of_the_writer_is_bounded(gated, gate):
    first = asyncio.create_task(gated.writer.write(add("a")))
    await eventually(gate.reached.is_set)
    waiting = [asyncio.create_task(gated.writer.write(add("b"))) for _ in range(MOST_WAITING + 1)]
    await eventually(lambda: any(task.done() for task in waiting))
    gate.open.set()

    results = await asyncio.gather(first, *waiting, return_exceptions=True)

    assert [type(r) for r in results if not isinstance(r, int)] == [Fault]


async def test_closing_finishes_what_waits(url):
    store = open_store(url, clock=ManualClock(), ids=SeededIds("x"))
    waiting = [asyncio.ensure_future(store.writer.write(add("a"))) for _ in range(50)]
    await let_run()

    store.close()

    assert await asyncio.gather(*waiting) == list(range(1, 51))
    with pytest.raises(Fault):
        await store.writer.write(add("a"))


def test_threads_of_the_web_share_commits(gated, gate):
    gate.open.set()
    threads = [threading.Thread(target=gated.writer.write_now, args=(add("a"),)) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert gated.writer.read_now(serials.standing) == {"a": 30}


async def test_books_in_memory_keep_what_was_written():
    store = open_store("sqlite://", clock=ManualClock(), ids=SeededIds("x"))
    await store.books.serial("a")
    with pytest.raises(KeyError):
        await store.writer.write(boom)

    assert await store.meta.serials() == {"a": 1}
    assert await store.books.serial("a") == 2
    store.close()


def test_a_library_with_the_wal_fault_works_with_the_rollback_journal(path):
    stdlib = pytest.importorskip("sqlite3")
    engines = open_engines(f"sqlite:///{path}", stdlib)
    writer = Writer(engines)

    assert [writer.write_now(add("a")) for _ in range(3)] == [1, 2, 3]
    assert writer.read_now(serials.standing) == {"a": 3}
    writer.close()
