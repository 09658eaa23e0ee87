"""Subscribers are told over real HTTP, whatever they answer."""

import asyncio
import contextlib
import gzip
import json
import random
import tracemalloc
from collections import defaultdict
from datetime import timedelta

import httpx
import pytest

from packline.core.clock import LoopClock, ManualClock
from packline.core.faults import Fault
from packline.feeds.circuit import OPEN_AFTER_FAILURES, PROBE_S
from packline.feeds.http import MOST_ANSWER_BYTES, carry_over
from packline.feeds.push import BATCH_ROWS, GIVE_UP, LADDER_S, MOST_AT_ONCE, MOST_WAITING, Pusher
from packline.feeds.push import _streams as streams_of
from packline.feeds.sending import Subscriber
from packline.feeds.signing import make_secret, verify
from simulation.mounts.http import HttpServer, Response
from tests.waiting import eventually

pytestmark = pytest.mark.wire

SECRET = make_secret(b"s" * 24)


class Receiver:
    """Answers what it is told to, by path; keeps what came."""

    def __init__(self):
        self.got = defaultdict(list)
        self.answers = defaultdict(list)
        self.url = ""

    async def __call__(self, request):
        self.got[request.path].append(request)
        planned = self.answers[request.path]
        answer = planned.pop(0) if planned else Response(status=204)
        return await answer(request) if callable(answer) else answer

    def ids(self, path):
        return [request.headers["webhook-id"] for request in self.got[path]]


@pytest.fixture
async def receiver():
    receiver = Receiver()
    server = HttpServer("127.0.0.1:0", receiver)
    receiver.url = await server.open()
    yield receiver
    await server.close()


@pytest.fixture
async def http():
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


def pusher_of(outbox, books, http, clock, receiver, names=(), **other):
    roles = {"archive": "archive", "buyer": "buyer", **dict.fromkeys(names, "archive")}
    subscribers = [
        Subscriber(name=name, role=role, url=other.get(name, f"{receiver.url}/{name}"), secret=SECRET)
        for name, role in roles.items()
    ]
    return Pusher(
        outbox=outbox,
        subscribers=subscribers,
        desk=books,
        carry=carry_over(http),
        clock=clock,
        rng=random.Random(1),
        source="urn:packline:demo",
        link_for=lambda order_id: f"http://house/buyer/{order_id}",
    )


async def push_due(pusher, most=1000):
    """Push one batch to its end; gives how many deliveries were claimed."""
    claimed = await pusher._claim(most)
    for stream in [asyncio.create_task(pusher._stream(stream)) for stream in streams_of(claimed)]:
        await stream
    return len(claimed)


@pytest.fixture
def pusher(outbox, books, http, clock, receiver):
    return pusher_of(outbox, books, http, clock, receiver)


async def test_event_arrives_signed_and_whole(pusher, outbox, receiver, clock):
    outbox.add("archive", subject="PL0000000017")
    await push_due(pusher)

    request = receiver.got["/archive"][0]
    assert verify([SECRET], request.headers, request.body, clock.now()) == "01EVENT0001"
    assert request.headers["content-type"].startswith("application/cloudevents+json")
    assert json.loads(request.body) == {
        "specversion": "1.0",
        "id": "01EVENT0001",
        "source": "urn:packline:demo",
        "type": "packline.parcel.packed",
        "subject": "PL0000000017",
        "time": "2026-03-04T05:06:07Z",
        "datacontenttype": "application/json",
        "sequence": "000000000001",
        "partitionkey": "marketplace-1",
        "data": {"order_id": "marketplace-1", "state": "packed"},
    }
    assert outbox.state[1] == "sent"


async def test_only_buyers_get_the_link_to_their_page(pusher, outbox, receiver):
    outbox.add("archive")
    outbox.add("buyer")
    await push_due(pusher)

    assert "link" not in json.loads(receiver.got["/archive"][0].body)["data"]
    assert json.loads(receiver.got["/buyer"][0].body)["data"]["link"] == "http://house/buyer/marketplace-1"


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 500, 502])
async def test_anything_but_2xx_is_tried_again_later_under_the_same_id(pusher, outbox, receiver, clock, status):
    receiver.answers["/archive"] = [Response(status=status, headers={"Location": f"{receiver.url}/buyer"})]
    outbox.add("archive")
    await push_due(pusher)
    assert outbox.state[1] == "pending"
    assert await push_due(pusher) == 0

    clock.advance(LADDER_S[0] * 1.25)
    await push_due(pusher)
    assert outbox.state[1] == "sent"
    assert receiver.ids("/archive") == ["01EVENT0001"] * 2
    assert receiver.got["/buyer"] == []


async def test_pauses_grow_within_the_jitter_of_the_ladder(pusher, outbox, receiver, clock):
    receiver.answers["/archive"] = [Response(status=500)] * 4
    outbox.add("archive")
    for step_s in LADDER_S[:4]:
        await push_due(pusher)
        pause_s = (outbox.due[1] - clock.now()).total_seconds()
        assert 0.75 * step_s <= pause_s <= 1.25 * step_s
        clock.advance(pause_s)


async def test_later_events_of_an_order_wait_for_the_earlier_one(pusher, outbox, receiver, clock):
    receiver.answers["/archive"] = [Response(status=500)]
    outbox.add("archive", name="parcel.packed")
    outbox.add("archive", name="parcel.verified")
    await push_due(pusher)
    assert receiver.ids("/archive") == ["01EVENT0001"]

    clock.advance(2)
    await push_due(pusher)
    assert receiver.ids("/archive") == ["01EVENT0001", "01EVENT0001", "01EVENT0002"]


async def test_a_failing_order_and_a_failing_subscriber_hold_up_nobody_else(pusher, outbox, receiver):
    receiver.answers["/archive"] = [Response(status=500)]
    outbox.add("archive", order_id="one")
    outbox.add("buyer", order_id="one")
    outbox.add("archive", order_id="two")
    await push_due(pusher)

    assert outbox.state == {1: "pending", 2: "sent", 3: "sent"}


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("said", ["40", "Wed, 04 Mar 2026 05:06:47 GMT"])
async def test_pause_that_the_subscriber_names_holds_for_all_its_events(
    pusher, outbox, receiver, clock, later, status, said
):
    receiver.answers["/archive"] = [Response(status=status, headers={"Retry-After": said})]
    outbox.add("archive", order_id="one")
    await push_due(pusher)
    outbox.add("archive", order_id="two")
    await push_due(pusher)
    assert (outbox.due[1], outbox.tries[2]) == (later(40), 0)
    assert len(receiver.got["/archive"]) == 1

    clock.advance(40)
    await push_due(pusher)
    assert outbox.state == {1: "sent", 2: "sent"}


@pytest.mark.parametrize(
    "said",
    [
        "99999999", "-5", "tomorrow", "9" * 40, "Fri, 31 Dec 9999 23:59:59 GMT",
        "Fri, 31 Dec 2026 23:59:59 +99999999999999999999", "Fri, 31 Dec 2026 23:59:99999999999999999999 GMT",
    ],
)  # fmt: skip
async def test_senseless_pause_is_bounded(pusher, outbox, receiver, later, said):
    receiver.answers["/archive"] = [Response(status=503, headers={"Retry-After": said})]
    outbox.add("archive")
    await push_due(pusher)

    assert later(0) < outbox.due[1] <= later(3600)


async def test_gone_subscriber_hears_nothing_more_and_people_are_told(pusher, outbox, receiver, books):
    receiver.answers["/archive"] = [Response(status=410)]
    outbox.add("archive", order_id="one")
    await push_due(pusher)
    outbox.add("archive", order_id="two")
    await push_due(pusher)

    assert outbox.state == {1: "parked", 2: "parked"}
    assert len(receiver.got["/archive"]) == 1
    assert (1007, "archive") in books.alarms


async def test_fuse_opens_after_failures_in_a_row_and_one_probe_mends_it(pusher, outbox, receiver, clock, books):
    receiver.answers["/archive"] = [Response(status=500)] * (OPEN_AFTER_FAILURES + 1)
    for n in range(OPEN_AFTER_FAILURES):
        outbox.add("archive", order_id=f"order-{n}")
    await push_due(pusher)
    assert (1007, "archive") in books.alarms

    outbox.add("archive", order_id="new")
    clock.advance(PROBE_S - 1)
    await push_due(pusher)
    assert len(receiver.got["/archive"]) == OPEN_AFTER_FAILURES

    clock.advance(1)
    await push_due(pusher)
    assert len(receiver.got["/archive"]) == OPEN_AFTER_FAILURES + 1
    assert (1007, "archive") in books.alarms

    for _ in range(4):
        clock.advance(PROBE_S)
        await push_due(pusher)
    assert set(outbox.state.values()) == {"sent"}
    assert books.alarms == {}


async def test_trouble_that_could_not_be_told_is_told_at_the_next_failure(
    pusher, outbox, receiver, books, clock, monkeypatch
):
    receiver.answers["/archive"] = [Response(status=500)] * 20
    raise_alarm, told = books.raise_alarm, []

    async def away_once(fault, *, source):
        told.append(fault.code)
        if len(told) == 1:
            raise Fault(5002, where="database", seen="locked")
        await raise_alarm(fault, source=source)

    monkeypatch.setattr(books, "raise_alarm", away_once)
    for n in range(OPEN_AFTER_FAILURES):
        outbox.add("archive", order_id=f"order-{n}")
    for _ in range(5):
        with contextlib.suppress(Fault):
            await push_due(pusher)
        clock.advance(PROBE_S)

    assert (1007, "archive") in books.alarms and len(told) == 2


class PutBack(ManualClock):
    """A computer whose calendar was put back by `hours`."""

    hours = 0

    def now(self):
        return super().now() - timedelta(hours=self.hours)


async def test_fuse_lets_its_probe_through_after_a_minute_though_the_clock_was_put_back(outbox, books, http, receiver):
    clock = PutBack()
    pusher = pusher_of(outbox, books, http, clock, receiver)
    receiver.answers["/archive"] = [Response(status=500)] * OPEN_AFTER_FAILURES
    for n in range(OPEN_AFTER_FAILURES):
        outbox.add("archive", order_id=f"order-{n}", at=clock.now())
    await push_due(pusher)
    clock.hours = 24
    clock.advance(PROBE_S)
    news = outbox.add("archive", order_id="news", at=clock.now())
    await push_due(pusher)

    assert outbox.state[news] == "sent"


async def test_alarm_that_an_earlier_run_left_is_cleared_by_the_first_success(pusher, outbox, books):
    await books.raise_alarm(Fault(1007, where="subscriber archive"), source="archive")
    outbox.add("archive")
    await push_due(pusher)

    assert books.alarms == {}


async def test_event_that_failed_for_days_is_parked_and_the_next_goes_on(pusher, outbox, receiver, clock):
    receiver.answers["/archive"] = [Response(status=500)]
    outbox.add("archive")
    outbox.add("archive")
    outbox.tries[1] = len(LADDER_S)
    clock.advance(GIVE_UP.total_seconds() + 1)
    await push_due(pusher)

    assert outbox.state == {1: "parked", 2: "sent"}


@pytest.mark.parametrize(
    "tries, days", [(len(LADDER_S), 4), (1, 6)], ids=["often, and not for long", "long ago, and not often"]
)
async def test_event_is_given_up_only_when_it_failed_often_and_for_days(pusher, outbox, receiver, clock, tries, days):
    """A site that stood still for a week has not tried at all."""
    receiver.answers["/archive"] = [Response(status=500)]
    outbox.add("archive")
    outbox.tries[1] = tries
    clock.advance(days * 86400.0)
    await push_due(pusher)

    assert outbox.state[1] == "pending"


async def test_event_for_nobody_we_know_is_parked_and_a_person_is_asked(pusher, outbox, books):
    outbox.add("ghost")
    await push_due(pusher)

    assert outbox.state[1] == "parked"
    assert [(row.code, row.subject) for row in books.exceptions.values()] == [(1008, "outbox:ghost")]


async def parked(pusher, outbox, receiver, books):
    """Park two events for a subscriber that wants nothing more; gives the row that asks about them."""
    receiver.answers["/archive"] = [Response(status=410)]
    for order in ("one", "two"):
        outbox.add("archive", order_id=order)
        await push_due(pusher)
    outbox.add("buyer", order_id="one")
    await push_due(pusher)
    (row,) = books.exceptions.values()
    return row


async def test_one_row_asks_about_all_parked_events_of_a_subscriber(pusher, outbox, receiver, books):
    row = await parked(pusher, outbox, receiver, books)

    assert outbox.state == {1: "parked", 2: "parked", 3: "sent"}
    assert (row.code, row.station, row.subject, row.actions) == (
        1008,
        "archive",
        "outbox:archive",
        ("retry", "dismiss"),
    )
    assert "410" in row.fault["seen"]


async def test_person_has_parked_events_sent_again_to_a_subscriber_that_came_back(pusher, outbox, receiver, books):
    row = await parked(pusher, outbox, receiver, books)
    await pusher.decide(row, action="retry", actor="lin", note="it moved")
    await push_due(pusher)

    assert set(outbox.state.values()) == {"sent"} and receiver.ids("/archive")[-2:] == ["01EVENT0001", "01EVENT0002"]
    assert books.exceptions == {} and books.closed == [(row, "retry", "lin", "it moved")]
    assert books.alarms == {}


async def test_parked_events_that_a_person_dismisses_stay_where_they_are(pusher, outbox, receiver, books):
    row = await parked(pusher, outbox, receiver, books)
    await pusher.decide(row, action="dismiss", actor="lin")
    await push_due(pusher)

    assert outbox.state[1] == outbox.state[2] == "parked" and books.exceptions == {}
    outbox.add("archive", order_id="three")
    await push_due(pusher)
    assert [row.subject for row in books.exceptions.values()] == ["outbox:archive"]


async def test_person_is_asked_before_an_event_is_parked_so_that_a_stop_between_loses_nothing(pusher, outbox, books):
    async def stopped(number, answer):
        raise Fault(5002, where="database")

    outbox.parked = stopped
    outbox.add("ghost")
    await push_due(pusher)

    assert [row.subject for row in books.exceptions.values()] == ["outbox:ghost"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "http://[bad", "nonsense"])
async def test_address_where_nobody_listens_is_a_failure_and_no_crash(outbox, books, http, clock, receiver, url):
    outbox.add("archive")
    await push_due(pusher_of(outbox, books, http, clock, receiver, archive=url))

    assert outbox.state[1] == "pending"


async def test_subscriber_that_says_nothing_is_given_up_after_a_while(pusher, outbox, receiver, clock):
    asked, never = asyncio.Event(), asyncio.Event()

    async def silent(request):
        asked.set()
        await never.wait()

    receiver.answers["/archive"] = [silent]
    outbox.add("archive")
    job = asyncio.create_task(push_due(pusher))
    await asked.wait()
    clock.advance(16)
    await job

    assert outbox.state[1] == "pending"
    assert "no answer" in outbox.answers[1]


async def test_endless_answer_is_read_only_at_its_beginning(pusher, outbox, receiver):
    receiver.answers["/archive"] = [Response(status=500, body=b"why? " * 200_000)]
    outbox.add("archive")
    await push_due(pusher)

    assert len(outbox.answers[1]) < 200


async def test_answer_is_kept_without_what_no_screen_and_no_server_can_hold(pusher, outbox, receiver):
    receiver.answers["/archive"] = [Response(status=500, body=b"bad\x00 \x1b[31m\xff\xe2\x80\xae news")]
    outbox.add("archive")
    await push_due(pusher)

    assert outbox.answers[1] == "500 bad\ufffd \ufffd[31m\ufffd\ufffd news"


async def test_answer_that_is_large_only_when_it_is_unpacked_is_not_unpacked(receiver, http):
    bomb = gzip.compress(bytes(50_000_000))
    receiver.answers["/archive"] = [Response(status=500, headers={"Content-Encoding": "gzip"}, body=bomb)]
    tracemalloc.start()
    try:
        reply = await carry_over(http)(f"{receiver.url}/archive", {}, b"{}")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (reply.status, len(reply.body)) == (500, MOST_ANSWER_BYTES)
    assert most < 10_000_000


async def test_slow_subscriber_never_fills_the_house(outbox, books, http, receiver):
    """The slow one's streams beyond a bound are given back, and the other subscriber is served meanwhile."""
    never = asyncio.Event()

    async def silent(request):
        await never.wait()

    receiver.answers["/archive"] = [silent] * 1000
    clock = LoopClock()
    for n in range(MOST_WAITING * 4):
        outbox.add("archive", order_id=f"order-{n}", at=clock.now())
    outbox.add("buyer", at=clock.now())
    job = asyncio.create_task(pusher_of(outbox, books, http, clock, receiver).run())
    await eventually(lambda: outbox.state[MOST_WAITING * 4 + 1] == "sent")
    job.cancel()

    assert "many others wait before it" in outbox.answers.values()


async def test_slow_subscribers_together_never_fill_the_house(outbox, books, http, receiver):
    never = asyncio.Event()

    async def silent(request):
        await never.wait()

    clock, names = LoopClock(), [f"slow-{n}" for n in range(BATCH_ROWS // MOST_WAITING + 1)]
    for name in names:
        receiver.answers[f"/{name}"] = [silent] * 1000
        for n in range(MOST_WAITING):
            outbox.add(name, order_id=f"order-{n}", at=clock.now())
    pusher = pusher_of(outbox, books, http, clock, receiver, names=[*names, "archive"])
    job = asyncio.create_task(pusher.run())
    await eventually(lambda: all(len(receiver.got[f"/{name}"]) == MOST_AT_ONCE for name in names))
    late = outbox.add("archive", at=clock.now())
    pusher.wake()
    await eventually(lambda: outbox.state[late] == "sent")
    job.cancel()


async def test_what_waits_for_a_dead_subscriber_stays_in_the_books_and_delays_nobody(pusher, outbox, receiver, clock):
    """Taking it out and giving it back, order by order, was all that was done while a day's events waited."""
    receiver.answers["/archive"] = [Response(status=500)] * OPEN_AFTER_FAILURES
    for n in range(OPEN_AFTER_FAILURES):
        outbox.add("archive", order_id=f"order-{n}")
    await push_due(pusher)
    waiting = [outbox.add("archive", order_id=f"later-{n}") for n in range(3 * BATCH_ROWS)]
    news = outbox.add("buyer")

    assert await push_due(pusher, BATCH_ROWS) == 1
    assert outbox.state[news] == "sent" and not any(outbox.tries[n] for n in waiting)

    clock.advance(PROBE_S)
    assert await push_due(pusher, BATCH_ROWS) == BATCH_ROWS


async def test_one_stream_that_breaks_stops_no_other(pusher, outbox):
    real = outbox.sent

    async def broken(number):
        if number == 1:
            raise RuntimeError("a fault of ours")
        await real(number)

    outbox.sent = broken
    outbox.add("archive", order_id="one")
    outbox.add("archive", order_id="two")
    await push_due(pusher)

    assert outbox.state == {1: "claimed", 2: "sent"}


async def test_running_pusher_sends_what_comes_and_wakes_when_called(outbox, books, http, receiver):
    clock = LoopClock()
    pusher = pusher_of(outbox, books, http, clock, receiver)
    job = asyncio.create_task(pusher.run())
    for n in range(10):
        outbox.add("archive", order_id=f"order-{n % 3}", at=clock.now() - timedelta(seconds=1))
    pusher.wake()
    await eventually(lambda: set(outbox.state.values()) == {"sent"})
    job.cancel()

    assert len(receiver.got["/archive"]) == 10
