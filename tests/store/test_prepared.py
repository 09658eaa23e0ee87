"""Prepared statements say what SQLAlchemy would say; answers that are kept are those that the database would give."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import bindparam, event, insert, select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

from packline.core.clock import ManualClock
from packline.core.faults import Fault
from packline.core.ids import SeededIds
from packline.orders.model import Event, OrderState, Parcel, ParcelState
from packline.store import Store, open_store, prepared, serials
from packline.store.answers import MOST_ANSWERS, Answers
from packline.store.engine import open_engines, sqlite_library
from packline.store.prepared import Change, at_most, made_of, one_of, question
from packline.store.schema import delivery, exception, meta, orders, parcel, serial
from packline.store.writer import Writer

STEPS = 150
EVENTS = (
    "ParcelMoved",
    "ParcelCollected",
    "ParcelPacked",
    "ParcelHeld",
    "ParcelUnheld",
    "LabelAssigned",
    "LabelPrinted",
)


# -- what is kept is what holds ------------------------------------------------------------------------------------------


def books(url: str, empty: Path, *, keeping: bool) -> Store:
    """Open books that keep answers or never do; everything else is the same."""
    engines = open_engines(url)
    target = engines.write.raw_connection()
    with closing(sqlite_library().connect(empty)) as source:
        source.backup(target.driver_connection)
    target.close()
    engines = replace(engines, manners=replace(engines.manners, keeps_answers=keeping))
    return Store(url, Writer(engines, inline=True), ManualClock(), SeededIds("x"))


async def life(store: Store, received: Callable[..., Event], seed: int) -> list[object]:
    """Live a random life of events, questions, refusals and other writers; gives all that was answered."""
    chance = random.Random(f"answers {seed}")
    said: list[object] = []
    for step in range(STEPS):
        lpn, order_id = f"PL{chance.randrange(2)}", f"market-HM-{chance.randrange(2)}"
        said.append(await tried(store, chance, received, lpn, order_id, step))
        said.append(await store.books.parcel(lpn))
        said.append(await store.books.parcels(states=chance.sample(list(ParcelState), 3)))
        said.append(await store.books.parcels(place=f"to:{chance.randrange(3)}", states=[ParcelState.OPEN]))
        said.append(await store.books.units(order_id=order_id))
        said.append(await store.books.orders(chance.sample(list(OrderState), 2), limit=chance.randrange(1, 4)))
        said.append(await store.desk.open_exceptions())
        said.append(store.views.order(order_id))
    return [*said, store.head_now(), store.contents_hash_now(), store.audit_now()]


async def tried(
    store: Store, chance: random.Random, received: Callable[..., Event], lpn: str, order_id: str, step: int
) -> object:
    """Do one thing that may be refused; gives what was said."""
    place = f"to:{chance.randrange(3)}"
    things: list[Callable[[], object]] = [
        lambda: store.books.record(received(order_id.rpartition("-")[2])),
        lambda: store.books.record(
            Event(kind="ParcelOpened", subject=lpn, order_id=order_id, station="s", data={"place": place})
        ),
        *[lambda: store.books.record(parcel_event(chance, lpn, step))] * 4,
        lambda: store.books.record(
            Event(kind="ParcelMoved", subject=lpn, station="s", data={"place": "to:0"}),
            Event(kind="ParcelOpened", subject="PL0", order_id="nobody", station="s"),
        ),
        lambda: store.writer.write(lambda db: db.execute(update(parcel).values(place=place)).rowcount),
        lambda: store.desk.open_exception(Fault(2104, where=lpn, seen="x"), station="s", subject=lpn, actions=["a"]),
        lambda: store.books.serial("lpn"),
    ]
    try:
        return await chance.choice(things)()  # type: ignore[misc]
    except (Fault, KeyError) as error:
        return str(error)


def parcel_event(chance: random.Random, lpn: str, step: int) -> Event:
    """Give some event of a parcel; most are impossible at most moments."""
    data = {"place": f"to:{chance.randrange(3)}", "sscc": f"{step}", "print_number": step}
    return Event(kind=chance.choice(EVENTS), subject=lpn, station="s", data=data)


@pytest.mark.parametrize("where,seed", [("memory", 1), ("memory", 2), ("file", 3)])
async def test_books_that_keep_answers_say_what_books_say_that_keep_none(empty_books, tmp_path, received, where, seed):
    urls = ["sqlite://"] * 2 if where == "memory" else [f"sqlite:///{tmp_path}/{n}.db" for n in range(2)]
    keeping, asking = books(urls[0], empty_books, keeping=True), books(urls[1], empty_books, keeping=False)

    said = await life(keeping, received, seed)

    assert said == await life(asking, received, seed)
    assert keeping.head_now()[0] > STEPS / 8
    keeping.close()
    asking.close()


async def test_commit_of_another_connection_ends_an_answer(store, path, threaded):
    await store.meta.put("mode", "day")
    for books_ in (store, threaded):
        assert [await books_.meta.get("mode") for _ in range(2)] == ["day", "day"]
    with closing(sqlite_library().connect(path)) as other:
        other.execute("""UPDATE meta SET value = '"night"' WHERE name = 'mode'""")
        other.commit()

    assert (await store.meta.get("mode"), await threaded.meta.get("mode")) == ("night", "night")
    await threaded.meta.put("mode", "dusk")
    assert (await store.meta.get("mode"), await threaded.meta.get("mode")) == ("dusk", "dusk")


async def test_what_was_read_in_work_that_failed_is_not_kept(store):
    def boom(db) -> None:
        serials.advance(db, "a", by=7)
        assert serials.standing(db) == {"a": 8}
        raise KeyError("boom")

    await store.books.serial("a")
    assert await store.meta.serials() == {"a": 1}
    with pytest.raises(KeyError):
        await store.writer.write(boom)

    assert await store.meta.serials() == {"a": 1}


async def test_refused_work_of_a_batch_leaves_no_answer_for_the_work_beside_it(threaded):
    answers = await threaded.writer.write(_as_a_batch)

    assert answers == {"a": 1}


def _as_a_batch(db) -> dict[str, int]:
    hand = db.hand
    serials.advance(db, "a")
    hand.save()
    serials.advance(db, "a")
    assert serials.standing(db) == {"a": 2}
    hand.back_to_save()
    return serials.standing(db)


async def test_question_that_writes_changes_nothing(sqlite_only, store):
    await store.books.serial("a")

    assert await store.writer.read(lambda db: serials.advance(db, "a")) == 2
    assert await store.meta.serials() == {"a": 1}
    assert await store.books.serial("a") == 2


async def test_what_one_asker_does_to_an_answer_the_next_does_not_see(store):
    await store.desk.open_exception(Fault(2104, where="x", seen="x"), station="s", subject="p", actions=["a"])
    row = (await store.desk.open_exceptions())[0]
    row.fault["seen"] = "spoiled"
    (await store.books.parcels()).append(Parcel(lpn="x", order_id="y", state=ParcelState.OPEN))

    assert (await store.desk.open_exceptions())[0].fault["seen"] == "x"
    assert await store.books.parcels() == []


def test_number_of_kept_answers_is_bounded():
    answers, tables = Answers(), frozenset({"parcel"})
    for number in range(3 * MOST_ANSWERS):
        answers.keep(tables, number, [number])

    assert sum(answers.get(tables, number) is not None for number in range(3 * MOST_ANSWERS)) <= MOST_ANSWERS


# -- what is said to the database ----------------------------------------------------------------------------------------


def test_question_knows_all_tables_that_it_looks_at():
    earlier = delivery.alias("earlier")
    nested = select(parcel.c.lpn).where(parcel.c.order_id.in_(select(orders.c.order_id)))
    aliased = select(earlier.c.id).where(earlier.c.event_id.in_(select(meta.c.name)))

    assert question(nested).tables == {"parcel", "orders"}
    assert question(aliased).tables == {"delivery", "meta"}
    assert Change(insert(serial)).tables == {"serial"}


def test_same_statement_speaks_to_a_driver_that_wants_values_by_name():
    query = at_most(select(parcel.c.lpn, parcel.c.state).where(parcel.c.place == bindparam("place")), 3)
    query = query.where(one_of(parcel.c.state, [ParcelState.OPEN, ParcelState.PACKED]))

    form = prepared._built(query, postgresql.dialect(), ["place"])

    assert "%(place)s" in form.text
    assert form.bound(form.values({"place": "pack-1"})) == {"place": "pack-1"}
    assert form.read(["PL1", "packed"]) == ["PL1", ParcelState.PACKED]


def test_words_and_limits_are_no_values():
    """SQLite would compile the statement anew for each run."""
    query = at_most(select(exception.c.code).where(exception.c.state == prepared.word("open")), 5)

    form = prepared._built(query, open_engines("sqlite://").write.dialect, [])

    assert "'open'" in form.text
    assert "LIMIT 5" in form.text
    assert form.values({}) == []


def test_text_that_is_no_word_of_the_house_stays_a_value():
    form = prepared._built(
        select(meta.c.name).where(one_of(meta.c.name, ["shop", "o'clock"])), open_engines("sqlite://").write.dialect, []
    )

    assert form.values({}) == ["o'clock"]


async def test_errors_are_those_of_sqlalchemy(store):
    row = {"name": "a", "last": 1}
    add = Change(insert(serial))
    await store.writer.write(lambda db: add.run(db, row))

    with pytest.raises(IntegrityError, match="serial"):
        await store.writer.write(lambda db: add.run(db, row))


async def test_who_listens_for_statements_hears_prepared_ones_with_their_values(url):
    heard: list[tuple[str, object]] = []
    engines = open_engines(url)

    @event.listens_for(engines.write, "before_cursor_execute")
    def listen(_connection, _cursor, statement, _parameters, context, _many) -> None:
        heard.append((statement.partition(" ")[0], list(context.compiled_parameters)))

    writer = Writer(engines, inline=True)
    writer.write_now(lambda db: serials.advance(db, "a"))
    writer.close()

    assert heard == [("UPDATE", [{"of": "a", "by": 1}]), ("INSERT", [{"name": "a", "last": 1}])]


def test_connection_of_sqlalchemy_may_ask_prepared_questions_too(path):
    engines = open_engines(f"sqlite:///{path}")
    names = prepared.Question(select(serial.c.name), made_of(str, ("object",)))
    with engines.write.begin() as connection:
        assert serials.advance(connection, "a") == 1
    with engines.read.connect() as connection:
        assert names.all(connection) == ["a"]
        assert connection.execute(text("SELECT last FROM serial")).scalar() == 1
    engines.dispose()


async def test_connection_that_saw_an_error_is_not_asked_again(threaded):
    for _ in range(20):
        with pytest.raises(Exception, match="no_such"):
            await threaded.writer.read(lambda db: db.execute(text("SELECT * FROM no_such")).all())

    assert await threaded.meta.get("nothing", "there") == "there"


def test_store_opens_in_memory_as_ever():
    store = open_store("sqlite://", clock=ManualClock(), ids=SeededIds("x"))
    assert store.head_now() == (0, "")
    store.close()
