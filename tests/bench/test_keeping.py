"""What it costs to keep things: a message, an intent, an event; and to prove afterwards that none was touched."""

import asyncio
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select

from packline.core.clock import WallClock
from packline.core.effects import APPLY, Effect, EffectState, Evidence, Ticket
from packline.core.identity import Lpn
from packline.core.ids import SystemIds
from packline.feeds.signing import sign
from packline.store import Store, open_store
from packline.store.codec import dumps
from packline.store.journal import broken_links
from packline.store.schema import journal
from tests.bench import bare as by_hand
from tests.bench.bare import Bare
from tests.bench.gauge import ROUNDS, Figure, blocking, figure, in_turns
from tests.bench.goods import collected_parcel, message, packed
from web.app import create_app
from web.settings import WebSettings

pytestmark = pytest.mark.bench

Tell = Callable[[Figure], None]
SECRET = "whsec_YmVuY2gtbWFya2V0cGxhY2Utc2VjcmV0LTAwMDAx"
JSON = {"content-type": "application/json"}
AT_ONCE = 8
"""Things of one round, one commit each."""
WAITING = 64
"""As many as the writer takes into one commit."""
PARCELS = AT_ONCE * (ROUNDS + 1) + WAITING * 8


def same_settings(store: Store, bare: Bare) -> bool:
    """Tell whether both files are kept with the same care."""

    def ours(name: str) -> object:
        return store.writer.write_now(lambda c: c.exec_driver_sql(f"PRAGMA {name}").scalar())

    return all(ours(name) == bare.setting(name) for name in ("journal_mode", "synchronous", "wal_autocheckpoint"))


async def test_an_order_is_durable_before_the_host_is_answered(store: Store, bare: Bare, tmp_path: Path, tell: Tell):
    settings = WebSettings(
        store=store,
        clock=WallClock(),
        ids=SystemIds(),
        data=tmp_path,
        secret=b"0" * 32,
        feeds={"marketplace": [SECRET]},
        ask=lambda _: {"ok": True},
    )
    client = create_app(settings).test_client()
    ours, peer = count(), count()

    def post() -> None:
        for number in [next(ours) for _ in range(AT_ONCE)]:
            body = message(number)
            signed = sign(SECRET, f"msg-{number}", datetime.now(UTC), body)
            answer = client.post("/intake/marketplace", data=body, headers={**JSON, **signed})
            assert answer.status_code == 202, answer.text

    def insert() -> None:
        for number in [next(peer) for _ in range(AT_ONCE)]:
            body = message(number)
            bare.begin()
            bare.keep_message(f"msg-{number}", JSON, body)
            bare.commit()

    taken = await in_turns(blocking(post), blocking(insert), things=AT_ONCE)
    assert same_settings(store, bare)
    assert bare.count("inbox") == next(ours) == len(await store.inbox.pending(limit=1000))
    tell(
        figure(
            "an order over the intake, signature checked, durable",
            ours=taken[0],
            peer=taken[1],
            peer_name=f"{by_hand.NAME}: insert and commit",
            unit="ms/order",
        )
    )


async def test_works_that_wait_together_share_one_commit(store: Store, bare: Bare, tell: Tell):
    ours, peer = count(), count()

    def row(number: int) -> tuple[str, dict[str, str], bytes]:
        return f"msg-{number}", JSON, message(number)

    async def together() -> None:
        now = datetime.now(UTC)
        rows = [row(next(ours)) for _ in range(WAITING)]
        await asyncio.gather(*(store.inbox.put("marketplace", *one, now) for one in rows))

    async def one_by_one() -> None:
        now = datetime.now(UTC)
        for one in [row(next(ours)) for _ in range(WAITING)]:
            await store.inbox.put("marketplace", *one, now)

    def by_hand_each() -> None:
        for one in [row(next(peer)) for _ in range(WAITING)]:
            bare.begin()
            bare.keep_message(*one)
            bare.commit()

    name = f"{WAITING} messages that wait together, kept by group commit"
    for work, peer_name in (
        (one_by_one, "the same writer, one after the other"),
        (blocking(by_hand_each), f"{by_hand.NAME}: one commit each"),
    ):
        taken = await in_turns(together, work, things=WAITING, rounds=7)
        tell(figure(name, ours=taken[0], peer=taken[1], peer_name=peer_name, unit="ms/message"))
    assert same_settings(store, bare)
    assert len(await store.inbox.pending(limit=10_000)) == next(ours)
    assert bare.count("inbox") == next(peer)


class Obedient:
    """A machine in memory that does at once what it is told: only the ledger's own work is left."""

    async def prepare(self, effect: Effect, job: int) -> Ticket:
        return Ticket(machine="arm-1", epoch=1, sequence=job, boot=7, job=job)

    async def send(self, effect: Effect, ticket: Ticket) -> Evidence:
        return Evidence(state=EffectState.SENT, source="machine memory")

    async def inquire(self, effect: Effect, ticket: Ticket) -> Evidence:
        return Evidence(state=EffectState.CONFIRMED, source="machine memory")


async def test_an_effect_is_written_down_before_during_and_after(store: Store, bare: Bare, tell: Tell):
    ours, peer = count(), count()

    async def perform() -> None:
        for number in [next(ours) for _ in range(AT_ONCE)]:
            effect = Effect(kind=APPLY, subject=f"P{number}", generation=1, station="label-1")
            assert (await store.ledger.perform(effect, Obedient())).ok

    def intend_and_confirm() -> None:
        for number in [next(peer) for _ in range(AT_ONCE)]:
            bare.begin()
            bare.intend(number)
            bare.commit()
            bare.begin()
            bare.confirm(number)
            bare.commit()

    taken = await in_turns(perform, blocking(intend_and_confirm), things=AT_ONCE)
    assert same_settings(store, bare)
    assert bare.count("effect") == next(ours)
    tell(
        figure(
            "one effect through the ledger (number, intent, sent, evidence), machine in memory",
            ours=taken[0],
            peer=taken[1],
            peer_name=f"{by_hand.NAME}: intent and evidence, two commits",
            unit="ms/effect",
        )
    )


@pytest.fixture(scope="module")
def stocked_books(empty_books: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make books full of parcels that wait to be packed."""
    path = Path(shutil.copy(empty_books, tmp_path_factory.mktemp("stocked") / "books.db"))
    store = open_store(f"sqlite:///{path}", clock=WallClock(), ids=SystemIds())
    asyncio.run(store.outbox.set_subscribers(by_hand.SUBSCRIBERS))
    for first in range(0, PARCELS, 100):
        numbers = range(first, min(first + 100, PARCELS))
        asyncio.run(store.books.record(*(event for number in numbers for event in collected_parcel(number))))
    store.close()
    return path


async def test_an_event_of_a_parcel_takes_its_rows_along(stocked_books: Path, tmp_path: Path, tell: Tell):
    here, there = (Path(shutil.copy(stocked_books, tmp_path / name)) for name in ("ours.db", "bare.db"))
    store, bare = open_store(f"sqlite:///{here}", clock=WallClock(), ids=SystemIds()), Bare(there)
    ours, peer = count(), count()

    async def record_each() -> None:
        for number in [next(ours) for _ in range(AT_ONCE)]:
            await store.books.record(packed(number))

    def pack_each() -> None:
        for number in [next(peer) for _ in range(AT_ONCE)]:
            bare.begin()
            bare.pack(Lpn.number(number).text, f"E{number}")
            bare.commit()

    async def record_all() -> None:
        await store.books.record(*(packed(next(ours)) for _ in range(WAITING)))

    def pack_all() -> None:
        bare.begin()
        for number in [next(peer) for _ in range(WAITING)]:
            bare.pack(Lpn.number(number).text, f"E{number}")
        bare.commit()

    name = "one event of a parcel: its row, the journal, the outbox, three deliveries"
    each = await in_turns(record_each, blocking(pack_each), things=AT_ONCE)
    tell(figure(name, ours=each[0], peer=each[1], peer_name=f"{by_hand.NAME}: the same rows", unit="ms/event"))
    many = await in_turns(record_all, blocking(pack_all), things=WAITING, rounds=7)
    tell(
        figure(
            f"the same, {WAITING} events in one commit",
            ours=many[0],
            peer=many[1],
            peer_name=f"{by_hand.NAME}: the same rows",
            unit="us/event",
        )
    )
    assert same_settings(store, bare)
    bare.close()
    store.close()
    assert what_was_written(here) == what_was_written(there)
    assert sound(here) and sound(there)


def what_was_written(path: Path) -> list[list[tuple[object, ...]]]:
    """Give what must be equal: everything but names and times."""
    bare = Bare(path)
    questions = (
        "SELECT lpn, state, place FROM parcel ORDER BY lpn",
        "SELECT seq, kind, subject, order_id, station, actor, data FROM journal ORDER BY seq",
        "SELECT seq, name, subject, order_id, body FROM outbox ORDER BY seq",
        "SELECT subscriber, seq, stream, state FROM delivery ORDER BY seq, subscriber",
    )
    found = [bare.ask(question).fetchall() for question in questions]
    bare.close()
    return found


def sound(path: Path) -> bool:
    """Tell whether rows and journal agree and the chain of hashes holds."""
    store = open_store(f"sqlite:///{path}", clock=WallClock(), ids=SystemIds(), inline=True)
    findings = store.audit_now()
    store.close()
    return findings == []


async def test_the_journal_proves_that_no_line_was_changed(stocked_books: Path, tell: Tell):
    store = open_store(f"sqlite:///{stocked_books}", clock=WallClock(), ids=SystemIds(), inline=True)
    chained = store.writer.read_now(
        lambda c: [
            (
                f"{row['prev']}\n{dumps({k: v for k, v in row.items() if k not in ('prev', 'hash')})}".encode(),
                row["hash"],
            )
            for row in c.execute(select(journal).order_by(journal.c.seq)).mappings()
        ]
    )

    def verify() -> None:
        assert store.writer.read_now(lambda c: list(broken_links(c))) == []

    def only_hash() -> None:
        assert all(sha256(data).hexdigest() == digest for data, digest in chained)

    taken = await in_turns(blocking(verify), blocking(only_hash), things=len(chained), rounds=7)
    store.close()
    tell(
        figure(
            "one line of the journal read and its place in the chain proved",
            ours=taken[0],
            peer=taken[1],
            peer_name="hashlib.sha256 of the same bytes",
            unit="us/line",
        )
    )
