"""What the host lists is compared with the books, over real HTTP."""

import json

import httpx
import pytest

from packline.feeds.intake import Intake
from packline.feeds.marketplace import OrderData, place_order
from packline.feeds.reconcile import Reconciler
from packline.feeds.worker import IntakeWorker
from packline.orders.model import Event, OrderState, ParcelState, UnitState
from simulation.mounts.http import HttpServer, Response

pytestmark = pytest.mark.wire

ORDER = "marketplace-HM-10023"


class Host:
    """Lists orders, `page` at a time; `broken` answers instead."""

    def __init__(self):
        self.orders, self.page, self.broken, self.asked, self.url = [], 100, None, [], ""

    async def __call__(self, request):
        self.asked.append(request)
        if self.broken:
            return self.broken
        after = int(request.query["after"])
        rest = self.orders[after:]
        more = after + self.page if len(rest) > self.page else None
        return Response.of_json({"orders": rest[: self.page], "next": more})

    def has(self, data, fulfilment="none"):
        self.orders.append({"data": data, "fulfilment": fulfilment})


@pytest.fixture
async def host():
    host = Host()
    server = HttpServer("127.0.0.1:0", host)
    host.url = f"{await server.open()}/orders"
    yield host
    await server.close()


@pytest.fixture
def intake(books, clock, terms):
    return Intake(books=books, clock=clock, policy=terms)


@pytest.fixture
async def reconciler(host, books, clock, terms):
    async with httpx.AsyncClient(trust_env=False) as http:
        yield Reconciler(
            channel="marketplace",
            url=host.url,
            secret="whsec_x",
            intake=Intake(books=books, clock=clock, policy=terms),
            books=books,
            bell=books,
            http=http,
            clock=clock,
        )


async def test_order_whose_message_never_came_is_taken_in_as_if_posted(reconciler, host, books, data):
    host.has(data())

    found = await reconciler.run_once()

    assert found.taken == [ORDER]
    assert books.all_orders[ORDER].state is OrderState.RECEIVED
    assert host.asked[0].headers["authorization"] == "Bearer whsec_x"


async def test_second_look_finds_nothing_more(reconciler, host, books, data):
    host.has(data())
    await reconciler.run_once()

    assert (await reconciler.run_once()).taken == []
    assert books.kinds() == ["OrderReceived"]


async def test_newer_version_that_was_missed_is_followed(reconciler, host, books, data):
    host.has(data(paid=False))
    await reconciler.run_once()
    host.orders[0]["data"] = data(version=2)

    assert (await reconciler.run_once()).taken == [ORDER]
    assert books.all_orders[ORDER].content.paid


@pytest.mark.parametrize("fulfilment", ["in_progress", "shipped"])
async def test_order_that_somebody_worked_whom_the_books_do_not_know_is_not_worked_again(
    reconciler, host, books, data, fulfilment
):
    host.has(data(), fulfilment)

    found = await reconciler.run_once()
    assert (await reconciler.run_once()).foreign == []

    assert found.foreign == [ORDER]
    assert books.all_orders[ORDER].state is OrderState.CLARIFY
    assert [(row.code, row.subject) for row in books.exceptions.values()] == [(3016, ORDER)]


@pytest.mark.parametrize("writes", [0, 1, 2])
async def test_order_that_is_set_aside_is_asked_about_also_after_a_stop_in_the_middle(
    reconciler, host, books, data, dying, writes
):
    host.has(data(), "shipped")
    with dying(writes):
        await reconciler.run_once()
    await reconciler.run_once()

    assert books.all_orders[ORDER].state is OrderState.CLARIFY
    assert [(row.code, row.subject) for row in books.exceptions.values()] == [(3016, ORDER)]


async def test_another_feeds_order_of_the_same_number_is_left_alone(reconciler, host, books, intake, data):
    await intake.take(place_order("marketplace-HM", OrderData(**data(id="10023"))))
    host.has(data(), "shipped")

    assert (await reconciler.run_once()).refused == [f"order {ORDER}"]
    assert books.all_orders[ORDER].state is OrderState.RECEIVED and books.exceptions == {}


async def test_update_of_a_foreign_order_does_not_make_it_new(
    reconciler, host, books, inbox, clock, terms, message, data
):
    host.has(data(), "shipped")
    await reconciler.run_once()
    inbox.post(message(version=2))
    await IntakeWorker(inbox=inbox, books=books, clock=clock, policy=terms).work()

    assert books.all_orders[ORDER].state is OrderState.CLARIFY
    assert books.all_orders[ORDER].content.version == 2


async def test_foreign_order_that_a_person_calls_shipped_is_over(reconciler, host, books, inbox, clock, terms, data):
    host.has(data(), "shipped")
    await reconciler.run_once()
    row = next(iter(books.exceptions.values()))
    await IntakeWorker(inbox=inbox, books=books, clock=clock, policy=terms).decide(row, action="shipped", actor="lin")

    assert books.all_orders[ORDER].state is OrderState.CLOSED
    assert books.exceptions == {}


@pytest.mark.parametrize("fulfilment", ["in_progress", "shipped"])
async def test_order_that_a_restored_backup_has_younger_than_the_host_is_stopped_until_a_person_looks(
    reconciler, host, books, inbox, clock, terms, data, fulfilment
):
    host.has(data())
    await reconciler.run_once()
    await books.record(Event(kind="OrderReleased", subject=ORDER, order_id=ORDER))
    host.orders[0]["fulfilment"] = fulfilment

    assert (await reconciler.run_once()).foreign == [ORDER]
    assert books.all_orders[ORDER].state is OrderState.CLARIFY
    assert (await reconciler.run_once()).foreign == []

    row = next(iter(books.exceptions.values()))
    await IntakeWorker(inbox=inbox, books=books, clock=clock, policy=terms).decide(row, action="release", actor="lin")
    assert books.all_orders[ORDER].state is OrderState.RELEASED
    assert books.exceptions == {}


async def test_order_in_work_on_both_sides_is_left_alone(reconciler, host, books, data):
    host.has(data())
    await reconciler.run_once()
    await books.record(Event(kind="OrderReleased", subject=ORDER, order_id=ORDER))
    await books.record(Event(kind="UnitInducted", subject=f"{ORDER}.1.1", order_id=ORDER))
    host.orders[0]["fulfilment"] = "in_progress"

    assert (await reconciler.run_once()).foreign == []


@pytest.mark.parametrize("kinds", [("UnitInducted", "UnitPutBack"), ("UnitShort",)], ids=["put back", "short"])
async def test_order_whose_pieces_were_begun_and_put_back_is_no_strangers_work(reconciler, host, books, data, kinds):
    host.has(data())
    await reconciler.run_once()
    await books.record(Event(kind="OrderReleased", subject=ORDER, order_id=ORDER))
    for kind in kinds:
        await books.record(Event(kind=kind, subject=f"{ORDER}.1.1", order_id=ORDER, station="induct-1"))
    host.orders[0]["fulfilment"] = "in_progress"

    assert (await reconciler.run_once()).foreign == []
    assert books.all_orders[ORDER].state is OrderState.RELEASED


async def test_order_that_a_person_has_looked_for_and_released_is_not_set_aside_again_an_hour_later(
    reconciler, host, books, intake, data
):
    host.has(data(), "in_progress")
    await reconciler.run_once()
    await intake.settle_aside(ORDER, shipped=False, actor="lin")

    assert (await reconciler.run_once()).foreign == []
    host.orders[0]["fulfilment"] = "shipped"
    assert (await reconciler.run_once()).foreign == [ORDER]


async def test_one_bad_order_does_not_hide_the_others(reconciler, host, books, data):
    host.has({"id": "?"})
    host.has(data(id="HM-1", total_minor=5))
    host.has(data())

    found = await reconciler.run_once()

    assert found.taken == [ORDER]
    assert len(found.refused) == 2


async def test_all_pages_are_read(reconciler, host, data):
    host.page = 2
    for n in range(5):
        host.has(data(id=f"HM-{n}"))

    assert len((await reconciler.run_once()).taken) == 5


@pytest.mark.parametrize(
    "broken",
    [
        Response(status=500),
        Response(status=302, headers={"Location": "/elsewhere"}),
        Response(body=b"<html>"),
        Response(body=json.dumps({"orders": [], "next": "x"}).encode()),
        Response(body=b" " * (9 * 2**20)),
    ],
    ids=["500", "redirect", "no-json", "shape", "huge"],
)
async def test_host_that_makes_no_sense_raises_one_alarm_and_changes_nothing(reconciler, host, books, broken, data):
    host.broken = broken
    assert (await reconciler.run_once()).unreachable
    assert list(books.alarms) == [(1021, "feed marketplace")]

    host.broken = None
    host.has(data())
    await reconciler.run_once()
    assert books.alarms == {}


async def test_page_that_leads_back_ends_the_walk(reconciler, host):
    host.broken = Response.of_json({"orders": [], "next": 1})

    await reconciler.run_once()

    assert len(host.asked) == 2


async def test_change_of_the_lost_time_is_taken_with_the_order_that_is_stopped(reconciler, host, books, data):
    host.has(data(paid=False))
    await reconciler.run_once()
    await books.record(Event(kind="OrderReleased", subject=ORDER, order_id=ORDER))
    host.orders.clear()
    host.has(data(version=4, paid=True), "in_progress")

    found = await reconciler.run_once()

    assert found.foreign == [ORDER]
    assert books.all_orders[ORDER].state is OrderState.CLARIFY
    assert books.all_orders[ORDER].content.paid


async def test_after_a_restore_every_order_in_work_waits_for_a_person_who_has_looked(
    reconciler, host, books, intake, data
):
    host.has(data())
    await reconciler.run_once()
    await books.record(Event(kind="OrderReleased", subject=ORDER, order_id=ORDER))
    await books.record(Event(kind="UnitInducted", subject=f"{ORDER}.1.1", order_id=ORDER))

    await intake.set_all_aside()
    await intake.set_all_aside()

    assert books.all_orders[ORDER].state is OrderState.CLARIFY
    assert [(row.code, row.subject, tuple(row.actions)) for row in books.exceptions.values()] == [
        (3016, ORDER, ("shipped", "release", "dismiss"))
    ]
    assert {unit.state for unit in await books.units(order_id=ORDER)} == {UnitState.WANTED}


async def test_after_a_restore_every_order_is_asked_about_however_many_there_are(books, intake, data):
    for n in range(1001):
        await intake.take(place_order("marketplace", OrderData(**data(id=f"HM-{n}"))))
        order_id = f"marketplace-HM-{n}"
        await books.record(Event(kind="OrderReleased", subject=order_id, order_id=order_id))

    await intake.set_all_aside()

    assert {row.subject for row in books.exceptions.values()} == set(books.all_orders)


@pytest.mark.parametrize(
    "upto, ends",
    [("LabelPrinted", OrderState.SHIPPED), ("ParcelCollected", OrderState.CLOSED)],
    ids=["labelled", "not"],
)
async def test_order_called_shipped_takes_its_parcels_along_and_waits_for_those_that_can_be_told_of(
    reconciler, host, books, intake, data, way, upto, ends
):
    host.has(data())
    await reconciler.run_once()
    await books.record(Event(kind="OrderReleased", subject=ORDER, order_id=ORDER))
    await books.record(*way(upto=upto))
    await intake.set_all_aside()

    await intake.settle_aside(ORDER, shipped=True, actor="lin")

    assert [parcel.state for parcel in await books.parcels(order_id=ORDER)] == [ParcelState.SHIPPED]
    assert books.all_orders[ORDER].state is ends
