"""What a statement costs apart from the database: ours prepared once, beside SQLAlchemy Core with its own cache of statements."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count

import pytest
from sqlalchemy import Connection, bindparam, insert, select

from packline.core.clock import WallClock
from packline.core.identity import Lpn
from packline.core.ids import SystemIds
from packline.store import Store, open_store
from packline.store.journal import Entry, append
from packline.store.schema import journal, parcel
from tests.bench.gauge import Figure, blocking, figure, in_turns
from tests.bench.goods import collected_parcel, packed

pytestmark = pytest.mark.bench

Tell = Callable[[Figure], None]
CORE = "SQLAlchemy Core, the same rows, one transaction each"
PARCELS = 40
ASKED = 200
APPENDED = 200
AT = datetime(2026, 1, 1, tzinfo=UTC)
_BY_PLACE = select(parcel).where(parcel.c.place == bindparam("place")).order_by(parcel.c.opened_at, parcel.c.lpn)
_APPEND = insert(journal)
_HEAD = select(journal.c.seq, journal.c.hash).order_by(journal.c.seq.desc()).limit(1)


@pytest.fixture
def memory() -> Iterator[Store]:
    """Give books in memory with parcels in them, so that no disk is measured."""
    store = open_store("sqlite://", clock=WallClock(), ids=SystemIds())
    asyncio.run(store.books.record(*(event for number in range(PARCELS) for event in collected_parcel(number))))
    yield store
    store.close()


async def test_a_question_of_a_station(memory: Store, tell: Tell):
    fresh = count()

    async def ask_the_same() -> None:
        for _ in range(ASKED):
            await memory.books.parcels(place="induct-1")

    async def ask_anew() -> None:
        for _ in range(ASKED):
            await memory.books.parcels(place=f"nowhere {next(fresh)}")

    def by_core() -> None:
        with memory.writer._engines.read.connect() as connection:
            for _ in range(ASKED):
                connection.execute(_BY_PLACE, {"place": "nowhere"}).all()
                connection.rollback()

    anew = await in_turns(ask_anew, blocking(by_core), things=ASKED)
    same = await in_turns(ask_the_same, blocking(by_core), things=ASKED)
    name = "which parcels are at a station, books in memory"
    tell(figure(name, ours=anew[0], peer=anew[1], peer_name=CORE, unit="us/question"))
    tell(figure(f"{name}, nothing changed since", ours=same[0], peer=same[1], peer_name=CORE, unit="us/question"))


async def test_a_line_of_the_journal(memory: Store, tell: Tell):
    numbers = count(1)

    async def ours() -> None:
        for _ in range(APPENDED):
            await memory.writer.write(append_one)

    def append_one(connection: Connection) -> None:
        append(connection, Entry(at=AT, kind="Note", subject="bench", data={"n": next(numbers)}))

    def by_core() -> None:
        with memory.writer._engines.write.connect() as connection:
            for _ in range(APPENDED):
                head = connection.execute(_HEAD).one()
                row = {"seq": head.seq + 1, "at": AT, "kind": "Note", "subject": "bench", "order_id": "", "station": ""}
                said = {"actor": "controller", "data": {"n": next(numbers)}, "prev": head.hash, "hash": head.hash}
                connection.execute(_APPEND, row | said)
                connection.commit()

    taken = await in_turns(ours, blocking(by_core), things=APPENDED)
    tell(
        figure(
            "a line of the journal with its hash, books in memory",
            ours=taken[0],
            peer=taken[1],
            peer_name=f"{CORE}, no hash",
            unit="us/line",
        )
    )


async def test_a_parcel_is_as_the_last_event_left_it(memory: Store):
    """The figures above would be worth nothing if what is answered quickly were old."""
    before = await memory.books.parcel(Lpn.number(1).text)
    await memory.books.record(packed(1))
    after = await memory.books.parcel(Lpn.number(1).text)

    assert (before and before.state, after and after.state) == ("collected", "packed")
