"""Every fault of people, hosts, subscribers, the controller's calendar and its disk does what the catalogue says of it."""

import asyncio
import json
import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from controller.commands.sim.shift.reaper import DISK
from packline.core.clock import LoopClock, ManualClock
from packline.core.faults import Fault
from packline.core.ids import SeededIds
from packline.feeds.signing import make_secret, sign, verify
from packline.store import open_store
from packline.store.engine import is_full, is_trouble
from simulation.faults.calendar import JUMP_S, JumpingClock
from simulation.faults.catalogue import ids
from simulation.faults.hosts import RoughPost
from simulation.mounts.http import Request, Response
from simulation.people.buyers import LATER_S, Buyers
from simulation.people.demand import Story
from simulation.people.marketplace import MOVED_TO, Account, Marketplace, Move
from simulation.people.receiver import Received
from simulation.virtual.loop import run
from simulation.virtual.making import make_loop
from tests.simulation.faults.small_line import in_small

# -- people ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault, taken, down", [("wrong_item", "MUG-1", "MUG-1"), ("wrong_item_down", "TEA-250", "MUG-1")]
)
def test_another_article_is_taken_or_put_down_than_was_meant(fault, taken, down):
    async def story(small):
        await small.fault("floor", fault, times=1)
        piece = await small.floor.take_piece("TEA-250")
        assert piece.sku == taken
        await small.floor.put_on_table("induct-1", piece)
        assert small.floor.table("induct-1").sku == down
        assert small.floor.held_pieces() == []
        assert (await small.floor.take_piece("TEA-250")).sku == "TEA-250"

    in_small(story)


@pytest.mark.parametrize("fault, place", [("taken_off", "label-1"), ("put_elsewhere", "infeed:label-1")])
def test_a_carton_is_taken_off_the_line_and_put_back(fault, place):
    async def story(small):
        await small.fault("floor", fault)
        first = small.carton("label-1")  # it was not there yet
        await small.wait(0.1)
        assert first.place == "aside"
        second = small.carton("label-1")
        await small.mend()
        await small.wait(20)
        if fault == "taken_off":
            assert first.place == "aside"  # no room
            small.world.move(second, "hands")
            await small.wait(0.1)
            assert first.place == place
        else:
            assert first.place not in ("aside", "label-1", "infeed:label-1")

    in_small(story)


def test_a_label_is_peeled_off_by_somebody_who_passes():
    async def story(small):
        await small.fault("floor", "peeled", times=1)
        carton = small.carton("label-1")
        label = await small.printed("printer-1", carton.lpn, 1)
        await small.floor.stick(label, carton)
        await small.wait(0.1)
        assert carton.labels == []
        assert label.place == "bin"

    in_small(story)


def test_nobody_peels_a_label_where_the_gates_scanner_has_had_its_last_look():
    async def story(small):
        carton = small.carton("gate-1")
        label = await small.printed("printer-1", carton.lpn, 1)
        await small.floor.stick(label, carton)
        await small.fault("floor", "peeled", times=1)
        await small.wait(5)
        assert [stuck.label for stuck in carton.labels] == [label]
        small.world.move(carton, "hands")
        small.world.move(carton, "label-1")
        await small.wait(0.1)
        assert carton.labels == []

    in_small(story)


def test_nobody_moves_a_hand_while_everybody_is_away():
    async def story(small):
        await small.fault("floor", "away")
        taking = asyncio.ensure_future(small.floor.take_piece("TEA-250"))
        await small.wait(60)
        assert not taking.done()
        await small.mend()
        assert (await taking).sku == "TEA-250"

    in_small(story)


async def asked_of_a_buyer(house: Any, fault: str, for_s: float) -> Buyers:
    """Let a buyer whom `fault` has hit hear the question for approval, and give him `for_s` of virtual time."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(house), base_url="http://house")
    story = Story(id="O1", traits=(), versions=())
    nobody: Any = None
    accounts = {"O1": Account(stories=[story], n=0)}
    buyers = Buyers(accounts=accounts, marketplace=nobody, http=http, clock=LoopClock(), speed=1.0, rng=Late())
    if fault:
        buyers.quirks.on(fault, 1)
    asked = {"lpn": "PL1", "until": "1", "link": "/buyer/1"}
    await buyers.hear(Received(n=1, role="buyer", id="1", name="parcel.approval_asked", order="O1", data=asked))
    working = asyncio.ensure_future(buyers.run())
    await asyncio.sleep(for_s)
    working.cancel()
    return buyers


@pytest.mark.parametrize("fault, answered_s", [("", 50.0), ("late_approval", 50.0 + LATER_S), ("silent_buyer", None)])
def test_a_buyer_answers_late_or_never(fault, answered_s):
    answers = []

    async def house(request):
        answers.append(asyncio.get_running_loop().time())
        return httpx.Response(200, json={"state": "done"})

    async def whole():
        await asked_of_a_buyer(house, fault, 2 * LATER_S)

    run(whole(), make_loop)
    assert answers == ([] if answered_s is None else [answered_s, answered_s])  # the page, and the answer


@pytest.mark.parametrize("fault, said", [("", "approve"), ("rejects", "reject")])
def test_a_buyer_says_no_who_would_have_said_yes(fault, said):
    answers = []

    async def house(request):
        answers.extend([json.loads(request.content)["answer"]] if request.method == "POST" else [])
        return httpx.Response(200, json={"state": "done"})

    async def whole():
        buyers = await asked_of_a_buyer(house, fault, LATER_S)
        assert buyers.rejected == ({"PL1"} if fault else set())

    run(whole(), make_loop)
    assert answers == [said]


class Late(random.Random):
    """Draws the latest of all."""

    def uniform(self, _a: float, b: float) -> float:
        return b


# -- hosts and subscribers -------------------------------------------------------------------------------------------------

SECRET = make_secret(b"0123456789abcdef")
PATH = "/intake/marketplace"
AT = datetime(2026, 1, 5, tzinfo=UTC)


def message(number, at=AT):
    body = json.dumps({"data": {"id": number, "total_minor": 500}}).encode()
    return Request(method="POST", path=PATH, query={}, headers=sign(SECRET, f"m{number}", at, body), body=body)


def posted(fault, *numbers, for_s=0.0):
    """Post messages while a fault strikes once; gives what the house saw and what the host was answered, in order."""
    seen: list[Any] = []
    answers: list[Any] = []

    async def house(request):
        try:
            verify([SECRET], request.headers, request.body, clock.now())
        except Fault as refused:
            seen.append((request.headers["webhook-id"], refused.code))
            return Response(status=401)
        seen.append((request.headers["webhook-id"], json.loads(request.body).get("data")))
        return Response(status=202)

    async def one(way, number):
        try:
            answers.append((number, (await way(message(number, clock.now()))).status))
        except OSError:
            answers.append((number, None))

    async def whole():
        post = RoughPost(clock, {PATH: SECRET})
        post.hosts.on(fault, None if for_s else 1)
        way = post.to_house(house)
        asyncio.get_running_loop().call_later(for_s, post.hosts.off, fault) if for_s else None
        posting = []
        for number in numbers:
            posting.append(asyncio.ensure_future(one(way, number)))
            await asyncio.sleep(1.0)
        await asyncio.wait(posting)

    clock = LoopClock(AT)
    run(whole(), lambda: make_loop(horizon_s=100.0))
    return seen, answers


def data(number):
    return {"id": number, "total_minor": 500}


@pytest.mark.parametrize(
    "fault, seen, answers",
    [
        ("duplicate", [("m1", data(1)), ("m1", data(1)), ("m2", data(2))], [(1, 202), (2, 202)]),
        ("renumbered", [("m1", data(1)), ("msg_again_1", data(1)), ("m2", data(2))], [(1, 202), (2, 202)]),
        ("reordered", [("m2", data(2)), ("m1", data(1))], [(2, 202), (1, 202)]),
        ("outdated", [("m1", data(1)), ("m2", data(2)), ("msg_again_1", data(1))], [(1, 202), (2, 202)]),
        ("forged", [("m1", 4002), ("m1", data(1)), ("m2", data(2))], [(1, 202), (2, 202)]),
        ("nonsense", [("msg_again_1", [17, None]), ("m1", data(1)), ("m2", data(2))], [(1, 202), (2, 202)]),
        ("unheard", [("m1", data(1)), ("m2", data(2))], [(1, None), (2, 202)]),
    ],
)
def test_what_a_host_posts_comes_otherwise_than_it_was_sent(fault, seen, answers):
    assert posted(fault, 1, 2) == (seen, answers)


def test_an_order_is_called_off_once_the_house_has_it_and_before_it_has_left():
    posted, fault = [], "cancelled"

    class House:
        async def post(self, _path, number, message):
            posted.append((number, message["data"]["purchase"]))
            return 202

    async def whole():
        post: Any = House()
        stories = [Story(id=f"O{n}", traits=(), versions=({"id": f"O{n}", "version": 1, "purchase": "bought"},)) for n in (1, 2)]  # fmt: skip
        market = Marketplace(stories=stories, postman=post, secret="", clock=LoopClock(), speed=1.0, rng=Late())
        market.cancel()  # there is none yet
        working = asyncio.gather(market.run(), market.heed_regrets())
        await asyncio.sleep(50)
        await market.hear(Received(n=1, role="merchant", id="1", name="parcel.handed_over", order="O1"))
        market.cancel()
        market.cancel()
        await asyncio.sleep(1)
        assert (market.called_off_at, market.accounts["O2"].current["purchase"]) == ({"O2": 50.0}, fault)
        working.cancel()

    run(whole(), make_loop)
    assert posted == [("msg_O1_1", "bought"), ("msg_O2_1", "bought"), ("msg_O2_2", "cancelled")]


def test_an_order_gets_another_address_once_the_house_has_every_version_of_it_and_is_called_off_with_that():
    posted, fault = [], "readdressed"

    class House:
        async def post(self, _path, _number, message):
            data = message["data"]
            posted.append((data["version"], data["purchase"], data["ship_to"]["city"]))
            await asyncio.sleep(1)
            return 202

    async def whole():
        post: Any = House()
        told: dict[str, Any] = {
            "id": "O1",
            "purchase": "bought",
            "ship_to": {"city": "Galway", "lines": ["7 Mill Lane"]},
        }
        versions = ({**told, "version": 1, "paid": False}, {**told, "version": 2, "paid": True})
        story = Story(id="O1", traits=(), versions=versions, waits_s=(10.0,))
        market = Marketplace(stories=[story], postman=post, secret="", clock=LoopClock(), speed=1.0, rng=Late())
        working = asyncio.gather(market.run(), market.heed_regrets())
        await asyncio.sleep(5)
        assert market.sold_at == {"O1": math.inf}
        market.move()  # its host has a version to post yet
        await asyncio.sleep(10)
        assert market.sold_at == {"O1": 11.0}  # told before it is posted: the house may have it before its answer comes
        market.move()
        await asyncio.sleep(0.5)
        assert market.moved == {"O1": Move(before=told["ship_to"], begun_s=15.0, taken_s=math.inf)}
        await asyncio.sleep(1)
        assert market.moved == {"O1": Move(before=told["ship_to"], begun_s=15.0, taken_s=16.0)}
        assert market.address_of("O1") == MOVED_TO
        market.move()  # once is enough
        market.cancel()
        await asyncio.sleep(2)
        working.cancel()

    run(whole(), make_loop)
    assert fault in ids()
    assert posted == [
        (1, "bought", "Galway"),
        (2, "bought", "Galway"),
        (3, "bought", "Shanghai"),
        (4, "cancelled", "Shanghai"),
    ]


def test_a_house_that_takes_a_forged_message_is_found_out():
    async def whole():
        post = RoughPost(LoopClock(), {PATH: SECRET})
        post.hosts.on("forged", 1)
        assert (await post.to_house(answer)(message(1))).status == 204
        assert post.taken == [PATH]

    run(whole(), make_loop)


def test_a_silent_host_says_later_what_it_had_to_say_and_answers_nothing():
    assert posted("silent", 1, for_s=30.0) == ([("m1", data(1))], [(1, 202)])

    async def whole():
        post = RoughPost(LoopClock(), {})
        post.hosts.on("silent")
        with pytest.raises(ConnectionRefusedError):
            await post.to_people(answer)(Request(method="GET", path="/orders", query={}, headers={}))

    run(whole(), make_loop)


async def answer(_request):
    return Response(status=204)


def test_a_subscriber_that_takes_no_connection_hears_nothing():
    heard = []

    async def people(request):
        heard.append(request.path)
        return Response(status=204)

    async def whole():
        post = RoughPost(LoopClock(), {})
        way, event = post.to_people(people), Request(method="POST", path="/events/buyer", query={}, headers={})
        post.subscribers.on("unreachable")
        with pytest.raises(ConnectionRefusedError):
            await way(event)
        assert heard == []
        post.subscribers.off("unreachable")
        assert (await way(event)).status == 204

    run(whole(), make_loop)


@pytest.mark.parametrize("fault, status, takes_s", [("slow", 204, 4.0), ("down", 503, 0.0), ("deaf", None, 0.0)])
def test_a_subscriber_answers_late_or_badly_or_is_not_heard(fault, status, takes_s):
    async def whole():
        post = RoughPost(LoopClock(), {})
        post.subscribers.on(fault, 1)
        way, event = post.to_people(answer), Request(method="POST", path="/events/buyer", query={}, headers={})
        if status is None:
            with pytest.raises(ConnectionResetError):
                await way(event)
        else:
            assert (await way(event)).status == status
        assert asyncio.get_running_loop().time() == takes_s
        post.subscribers.off(fault)
        assert (await way(event)).status == 204

    run(whole(), make_loop)


# -- the controller's computer ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault, by_s", [("clock_forward", JUMP_S), ("clock_back", -JUMP_S)])
async def test_the_calendar_jumps_and_what_is_measured_does_not(fault, by_s):
    plain = ManualClock()
    clock = JumpingClock(plain)
    plain.advance(5)
    switch = clock.switches()[fault]
    await switch.on(None)
    assert clock.now() - plain.now() == timedelta(seconds=by_s)
    assert clock.monotonic() == plain.monotonic() == 5
    await switch.off()
    assert clock.now() == plain.now()


@pytest.mark.parametrize("fault, is_without_room", [("locked", False), ("full", True)])
def test_a_commit_that_fails_is_told_as_trouble_of_the_database_and_changes_nothing(fault, is_without_room):
    error = DISK[fault]
    assert is_trouble(error())
    assert is_full(error()) == is_without_room
    fails = [True]

    def wrap(commit):
        def tried():
            if fails:
                raise error()
            commit()

        return tried

    fails.clear()
    store = open_store("sqlite://", clock=ManualClock(), ids=SeededIds("disk"), inline=True, wrap_commit=wrap)
    fails.append(True)
    with pytest.raises(Fault, match="5002"):
        store.inbox.put_now("shop", "m1", {}, b"{}", AT, kind="feed")
    fails.clear()
    assert store.inbox.put_now("shop", "m1", {}, b"{}", AT, kind="feed").is_new
    store.close()
