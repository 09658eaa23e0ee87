"""Marketplace, receiver, buyers, courier and browser speak real HTTP and take no for an answer only when it is final."""

import asyncio
import json
import random
import re
from collections import Counter
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packline.core.clock import LoopClock
from packline.core.faults import Fault
from packline.feeds.marketplace import read_order
from packline.feeds.signing import make_secret, sign, verify
from simulation.mounts.http import HttpServer, Request, Response
from simulation.people.buyers import Buyers
from simulation.people.catalogue import read_catalogue
from simulation.people.courier import Courier
from simulation.people.crew import Recount
from simulation.people.demand import TRAITS, Demand
from simulation.people.desk import HttpDesk
from simulation.people.marketplace import Marketplace
from simulation.people.post import Postman
from simulation.people.receiver import BUCKETS, KEPT, LASTING, Lasting, Received, Receiver, Seen
from simulation.people.score import Score
from tests.people.rig import say
from tests.waiting import eventually

ITEMS = Path(__file__).parents[2] / "sites" / "demo-items.csv"
SECRET = make_secret(b"m" * 24)
SPEED = 20_000.0


class House:
    """Answers what a test plans for a path, 202 otherwise; keeps what came."""

    def __init__(self):
        self.got, self.plans, self.url = [], {}, ""

    async def __call__(self, request):
        self.got.append(request)
        plan = self.plans.get(request.path)
        if callable(plan):
            return plan(request)
        if plan:
            return plan.pop(0)
        return Response.of_json({"id": 1}, 202)

    def at(self, path):
        return [request for request in self.got if request.path == path]


@pytest.fixture
async def house():
    house = House()
    server = HttpServer("127.0.0.1:0", house)
    house.url = await server.open()
    yield house
    await server.close()


@pytest.fixture
async def http(house):
    async with httpx.AsyncClient(base_url=house.url, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def stories():
    demand = Demand(articles=read_catalogue(ITEMS), seed=1, series="t", placed_at=datetime(2026, 1, 1, tzinfo=UTC))
    return list(demand.stories(48))


def market(stories, http, clock):
    postman = Postman(http=http, secret=SECRET, clock=clock)
    return Marketplace(stories=stories, postman=postman, secret=SECRET, clock=clock, speed=SPEED, rng=random.Random(1))


def body_of(version):
    return json.dumps({"type": "order.changed", "timestamp": "2026-01-01T00:00:00Z", "data": version}).encode()


# -- demand ------------------------------------------------------------------------------------------------------------


def test_same_seed_gives_the_same_orders():
    made = [
        Demand(articles=read_catalogue(ITEMS), seed=7, series="t", placed_at=datetime(2026, 1, 1, tzinfo=UTC))
        for _ in range(2)
    ]

    assert list(made[0].stories(30)) == list(made[1].stories(30))


def test_every_order_is_readable_in_its_last_version_and_only_the_miscounted_is_not_in_its_first(stories):
    for story in stories:
        order = read_order("marketplace", body_of(story.versions[-1]))
        assert order.paid
        assert order.ship_to is not None
        if "miscounted" in story.traits:
            with pytest.raises(Fault):
                read_order("marketplace", body_of(story.versions[0]))
        else:
            read_order("marketplace", body_of(story.versions[0]))


def test_first_dozen_shows_every_kind_of_life(stories):
    shown = {trait for story in stories[:12] for trait in story.traits}

    assert shown >= {"reserved", "unpaid", "oversize", "miscounted", "unaddressed", "four_lines", "rejects", "late"}
    assert len({story.versions[0]["merchant"]["id"] for story in stories}) > 2
    assert max(len(story.skus) for story in stories) == 4
    assert len(TRAITS) == 24


def test_the_demos_orders_have_one_to_four_lines_several_of_one_article_and_addresses_in_both_scripts(stories):
    shown = [story.versions[-1] for story in stories[:24]]
    names = [order["ship_to"]["recipient"] for order in shown]

    assert {len(order["lines"]) for order in shown} >= {1, 2, 4}
    assert 3 in {line["qty"] for order in shown for line in order["lines"]}
    assert any(re.search(r"[\u4e00-\u9fff]", name) for name in names)
    assert any(re.fullmatch(r"[A-Za-zÀ-ž' -]+", name) for name in names)


def test_large_articles_are_only_in_orders_for_the_bench(stories):
    large = {article.sku for article in read_catalogue(ITEMS) if not article.fits((400, 300, 250))}

    assert all(bool(large & set(story.skus)) == ("oversize" in story.traits) for story in stories)


# -- marketplace -------------------------------------------------------------------------------------------------------


@pytest.mark.wire
async def test_every_version_is_posted_signed_once_bought_or_waited_for(house, http, stories):
    clock = LoopClock()
    host = market(stories[:12], http, clock)
    for order in host.accounts:
        host.buy(order)
    await asyncio.wait_for(host.run(), 20)

    posted = house.at("/intake/marketplace")
    versions = sum(len(story.versions) for story in stories[:12])
    assert len({request.headers["webhook-id"] for request in posted}) == versions
    assert len(posted) == versions + sum("posted_twice" in story.traits for story in stories[:12])
    for request in posted:
        verify([SECRET], request.headers, request.body, clock.now())


@pytest.mark.wire
async def test_busy_house_is_asked_again_under_the_same_id_and_a_final_no_is_noted(house, http, stories):
    house.plans["/intake/marketplace"] = [Response(status=503), Response(status=500), Response(status=202)]
    postman = Postman(http=http, secret=SECRET, clock=LoopClock())

    assert await postman.post("/intake/marketplace", "m1", {"a": 1}) == 202
    assert [request.headers["webhook-id"] for request in house.got] == ["m1"] * 3

    house.plans["/intake/marketplace"] = [Response(status=401)]
    assert await postman.post("/intake/marketplace", "m2", {}) == 401
    assert postman.counts == {503: 1, 500: 1, 202: 1, 401: 1}


@pytest.mark.wire
async def test_house_that_is_not_there_yet_is_waited_for(stories):
    async with httpx.AsyncClient(base_url="http://127.0.0.1:1", trust_env=False) as nobody:
        postman = Postman(http=nobody, secret=SECRET, clock=LoopClock())
        job = asyncio.create_task(postman.post("/x", "m1", {}))
        await eventually(lambda: postman.counts[0])
        job.cancel()


@pytest.mark.wire
async def test_open_orders_are_listed_for_who_knows_the_secret_with_how_far_they_are(house, http, stories):
    host = market(stories[:3], http, LoopClock())
    for order in host.accounts:
        host.buy(order)
    await asyncio.wait_for(host.run(), 20)
    first, second = stories[0].id, stories[1].id
    await host.hear(received("item.on_stage", first))
    await host.hear(received("parcel.handed_over", second))

    assert (await host.handle(get("/orders", "Bearer nobody"))).status == 401
    page = json.loads((await host.handle(get("/orders", f"Bearer {SECRET}"))).body)
    assert [entry["fulfilment"] for entry in page["orders"]] == ["in_progress", "shipped", "none"]
    assert page["next"] is None
    assert page["orders"][0]["data"]["id"] == first


def get(path, authorization):
    return Request(method="GET", path=path, query={}, headers={"authorization": authorization})


def received(name, order, role="merchant", n=1, **data):
    return Received(n=n, role=role, id=f"{name} {order} {data.get('lpn')}", name=name, order=order, data=data)


# -- receiver ----------------------------------------------------------------------------------------------------------


def event(n=1, name="parcel.packed", order="HM-1"):
    body = {
        "id": f"e{n}",
        "type": f"packline.{name}",
        "sequence": f"{n:012d}",
        "partitionkey": order,
        "data": {"external_id": order, "lpn": "PL1"},
    }
    return json.dumps(body).encode()


def posted(body, message_id="e1", role="archive", secret=SECRET):
    headers = sign(secret, message_id, datetime.now(UTC), body)
    return Request(method="POST", path=f"/events/{role}", query={}, headers=headers, body=body)


async def test_receiver_tells_when_an_event_comes_again_under_another_id():
    receiver = Receiver(secrets={"archive": SECRET}, clock=LoopClock())
    for request in (posted(event(4), "e4"), posted(event(4), "e4"), posted(event(4), "e4-again")):
        await receiver.handle(request)
    assert (receiver.counts["repeated"], receiver.counts["renamed"]) == (1, 1)


@given(
    st.lists(
        st.builds(
            lambda role, name, order, lpn: Received(n=1, role=role, id="e", name=name, order=order, data={"lpn": lpn}),
            st.sampled_from(["merchant", "buyer"]),
            st.sampled_from(["parcel.handed_over", "order.closed", "order.returned", "parcel.packed"]),
            st.sampled_from(["HM-1", "HM-2"]),
            st.sampled_from(["PL1", "PL2", ""]),
        ),
        max_size=40,
    )
)
def test_what_is_kept_in_brief_says_who_heard_what_became_of_what_as_often_as_it_was_heard(events):
    kept = Lasting()
    for one in events:
        kept.add(one)
    assert Counter(map(brief, kept)) == Counter(brief(one) for one in events if one.name in LASTING)


def brief(event):
    return event.role, event.name, event.order, event.data.get("lpn", "")


@given(st.lists(st.integers(0, 40).map(str), max_size=120))
def test_a_word_is_new_once(words):
    seen, met = Seen(), set()
    for word in words:
        assert seen.is_new(word) is (word not in met)
        met.add(word)


def test_digests_that_lie_across_two_others_are_not_taken_for_one_that_was_met():
    seen = Seen()
    digest = blake2b(b"word", digest_size=KEPT + 2).digest()
    bucket = seen._buckets[int.from_bytes(digest[KEPT:], "big") % BUCKETS]
    bucket += b"xyz" + digest[:KEPT] + b"vwxyz"
    assert [seen.is_new("word"), seen.is_new("word")] == [True, False]


async def test_receiver_believes_signed_events_once_and_remembers_them(tmp_path):
    file = tmp_path / "events.jsonl"
    receiver = Receiver(secrets={"archive": SECRET}, clock=LoopClock(), file=file)
    heard = []

    async def listen(event):
        heard.append(event.name)

    receiver.listen("archive", listen)
    statuses = [
        (await receiver.handle(request)).status
        for request in (
            posted(event()),
            posted(event()),
            posted(event(2), "e2", secret=make_secret(b"x" * 24)),
            posted(event(), role="nobody"),
            posted(b"{", "e3"),
            posted(event(4), "e4"),
            posted(event(3), "e5"),
        )
    ]

    assert statuses == [204, 204, 401, 404, 400, 204, 204]
    assert len(receiver.events) == len(heard) == len(file.read_text("utf-8").splitlines()) == 3
    assert receiver.counts == {"repeated": 1, "refused": 1, "overtaken": 1}
    listed = await receiver.handle(Request(method="GET", path="/events", query={"after": "2"}, headers={}))
    assert [entry["n"] for entry in json.loads(listed.body)["events"]] == [3]


# -- buyers and courier ------------------------------------------------------------------------------------------------


def buyers_of(host, http):
    return Buyers(
        accounts=host.accounts,
        marketplace=host,
        http=http,
        clock=LoopClock(),
        speed=SPEED,
        rng=random.Random(1),
        again_s=0.01,
        between_turns_s=0.01,
    )


@pytest.mark.wire
async def test_buyer_of_a_reserved_item_turns_it_twice_and_buys(house, http, stories):
    reserved = next(story for story in stories if "reserved" in story.traits)
    host = market([reserved], http, LoopClock())
    buyers = buyers_of(host, http)
    page = {"units": [{"unit": "u1", "on_stage": True, "pictures": ["a"]}]}
    house.plans["/buyer/t"] = lambda request: Response.of_json(page)
    house.plans["/buyer/t/turn"] = lambda request: Response.of_json({"state": "done"})
    job = asyncio.create_task(buyers.run())
    await buyers.hear(received("item.on_stage", reserved.id, "buyer", link=f"{house.url}/buyer/t"))
    bought = host.accounts[reserved.id].bought
    assert bought is not None
    await eventually(bought.is_set)
    job.cancel()

    assert [json.loads(request.body)["step_deg"] for request in house.at("/buyer/t/turn")] == [45, -45]


@pytest.mark.wire
@pytest.mark.parametrize("trait, said", [("rejects", "reject"), ("late", "approve"), ("long_address", "approve")])
async def test_buyer_answers_a_picture_once_in_his_own_way(house, http, stories, trait, said):
    story = next(story for story in stories if trait in story.traits)
    buyers = buyers_of(market([story], http, LoopClock()), http)
    parcels = [{"lpn": "PL2", "picture": "p2"}, {"lpn": "PL1", "picture": "p1", "answer_until": "soon"}]
    house.plans["/buyer/t"] = lambda request: Response.of_json({"parcels": parcels})
    house.plans["/buyer/t/answer"] = [Response(status=503), Response.of_json({"state": "done"})]
    job = asyncio.create_task(buyers.run())
    for _ in range(2):
        asked = received("parcel.approval_asked", story.id, "buyer", link=f"{house.url}/buyer/t", lpn="PL1", until="x")
        await buyers.hear(asked)
    await eventually(lambda: len(house.at("/buyer/t/answer")) == 2)
    job.cancel()

    assert {request.body for request in house.at("/buyer/t/answer")} == {
        json.dumps({"lpn": "PL1", "answer": said, "picture": "p1", "until": "soon"}, separators=(",", ":")).encode()
    }


@pytest.mark.wire
async def test_courier_tells_of_each_parcel_that_left_by_the_label_on_it(house, http, stage):
    carton = stage.carton("gate-1", ["TEA"], closed=True)
    label = stage.label(carton.lpn, on=carton)
    clock = LoopClock()
    courier = Courier(
        crew=stage.crew,
        truth=stage.truth,
        postman=Postman(http=http, secret=SECRET, clock=clock),
        name="kd",
        rng=random.Random(1),
    )
    stage.world.leave(carton)
    assert not courier.is_idle
    job = asyncio.create_task(courier.run())
    await eventually(lambda: courier.is_idle)
    stage.crew.recount.ordered += 1
    await eventually(lambda: len(house.at("/intake/couriers/kd")) == 2)
    job.cancel()

    request, again = house.at("/intake/couriers/kd")
    assert again.body == request.body
    assert json.loads(request.body)["data"]["sscc"] == label.sscc
    assert verify([SECRET], request.headers, request.body, clock.now()) == f"dlv_{label.sscc}"


# -- score -------------------------------------------------------------------------------------------------------------


async def test_order_is_over_when_its_pieces_left_and_everybody_was_told(stage, stories, http_less):
    story = stories[0]
    host = market([story], http_less, LoopClock())
    score = Score(
        accounts=host.accounts, truth=stage.truth, roles=frozenset({"merchant", "archive"}), recount=Recount()
    )
    for sku in story.skus:
        stage.world.shelf[sku] = 1
    carton = stage.carton("gate-1", story.skus, closed=True)
    host.accounts[story.id].posted = 1
    assert score.lost() == [story.id]

    stage.world.leave(carton)
    for role in ("merchant", "archive"):
        await score.hear(received("parcel.handed_over", story.id, role, lpn=carton.lpn))
    await score.hear(received("order.closed", story.id, "merchant"))
    assert (score.lost(), score.lost_events()) == ([story.id], 1)

    await score.hear(received("order.closed", story.id, "archive"))
    assert (score.lost(), score.lost_events()) == ([], 0)


async def test_order_that_is_told_closed_while_its_pieces_are_here_is_lost(stage, stories, http_less):
    host = market([stories[0]], http_less, LoopClock())
    score = Score(accounts=host.accounts, truth=stage.truth, roles=frozenset({"archive"}), recount=Recount())
    host.accounts[stories[0].id].posted = 1
    await score.hear(received("order.closed", stories[0].id, "archive"))

    assert score.lost() == [stories[0].id]


async def test_parcel_that_left_without_a_word_is_a_lost_event(stage, stories, http_less):
    host = market([stories[0]], http_less, LoopClock())
    score = Score(accounts=host.accounts, truth=stage.truth, roles=frozenset({"archive"}), recount=Recount())
    stage.world.leave(stage.carton("gate-1", ["TEA"], closed=True))

    assert score.lost_events() == 1


@pytest.fixture
async def http_less():
    async with httpx.AsyncClient(base_url="http://127.0.0.1:1") as client:
        yield client


# -- the browser -------------------------------------------------------------------------------------------------------


def picture(fresh=True, run="r1"):
    station = {
        "name": "induct-1",
        "kind": "turntable",
        "state": "idle",
        "next": {"key": "pick", "params": {"sku": "TEA"}},
        "tasks": [],
        "scans": [{"n": 3, "text": "x", "result": {"key": "done", "params": {}}}],
        "fault": {"code": 2001},
        "devices": [{"name": "table", "state": "Stopped", "inputs": {"a": 1}}],
    }
    return {"fresh": fresh, "run": {"id": run}, "stations": [station]}


@pytest.fixture
async def desk(house):
    house.plans["/api/login"] = lambda request: Response.of_json({"csrf": "token"})
    house.plans["/api/line"] = lambda request: Response.of_json(picture())
    async with httpx.AsyncClient(base_url=house.url, trust_env=False) as client:
        desk = HttpDesk(user="floor", password="secret", http=client, clock=LoopClock(), poll_s=0.005)
        job = asyncio.create_task(desk.run())
        await desk.is_known.wait()
        yield desk
        job.cancel()


@pytest.mark.wire
async def test_browser_signs_in_and_reads_the_screens(desk, house):
    view = desk.station("induct-1")

    assert view.next == say("pick", sku="TEA")
    assert (view.fault_code, view.machine_states, view.scans[0].n) == (2001, {"table": "Stopped"}, 3)
    assert json.loads(house.at("/api/login")[0].body) == {"user": "floor", "password": "secret"}
    assert house.at("/api/line")[0].headers["x-csrf-token"] == "token"


@pytest.mark.wire
async def test_browser_signs_in_again_when_the_web_has_forgotten_it(desk, house):
    house.plans["/api/line"] = [Response(status=401), *[Response.of_json(picture(run="r2")) for _ in range(500)]]
    await eventually(lambda: desk.run_id() == "r2")

    assert len(house.at("/api/login")) == 2


@pytest.mark.wire
@pytest.mark.parametrize("answer", [Response(status=502), Response(body=b"<html>"), Response.of_json(picture(False))])
async def test_browser_shows_nothing_while_the_picture_is_stale_or_broken(desk, house, answer):
    house.plans["/api/line"] = lambda request: answer
    await eventually(lambda: desk.station("induct-1") is None)
    assert desk.last("induct-1") is not None

    house.plans["/api/line"] = lambda request: Response.of_json(picture())
    await eventually(lambda: desk.station("induct-1") is not None)


@pytest.mark.wire
async def test_request_that_nobody_answers_is_called_unanswered(desk, house):
    house.plans["/api/requests"] = [
        Response(status=409, body=b'{"error": "stale"}'),
        Response.of_json({"state": "done"}),
    ]

    assert (await desk.request("scan", {}, "key-00001"))["state"] == "unanswered"
    assert (await desk.request("scan", {}, "key-00001"))["state"] == "done"
