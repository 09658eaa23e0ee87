"""Whoever tests a line without virtual people moves things over the truth channel, and only as physics allows."""

import httpx
import pytest

from packline.core.identity import Lpn
from simulation.hands import VERBS, Hands, HandsOrder
from simulation.plant.things import CannotDo

pytestmark = pytest.mark.wire

PLATE = Lpn.number(1000).text


@pytest.fixture
def hands(served):
    return Hands(served.floor, served.twin.spec)


@pytest.fixture
async def channel(served):
    """Ask the truth channel; gives status and what it said."""
    async with httpx.AsyncClient(base_url=served.twin.truth_address, trust_env=False) as client:

        async def ask(method, path, body=None):
            answer = await client.request(method, path, json=body)
            return answer.status_code, answer.json() if answer.status_code == 200 else answer.text

        yield ask


async def do(hands, verb, **words):
    return await hands.work(HandsOrder(do=verb, **words))


async def test_a_piece_walks_from_the_shelf_over_the_table_into_a_sealed_carton(served, hands, wait_until):
    assert (await do(hands, "take_piece", sku="MUG-1"))["pieces"] == ["MUG-1"]
    await do(hands, "put_on_table", station="induct-1")
    assert served.floor.table("induct-1").sku == "MUG-1"
    await do(hands, "take_from_table", station="induct-1")
    assert (await do(hands, "take_carton"))["cartons"] == [PLATE]
    await do(hands, "box", lpn=PLATE)
    await do(hands, "close", lpn=PLATE)
    assert (await do(hands, "move", lpn=PLATE, to="bench-1"))["cartons"] == []
    carton = served.floor.carton(PLATE)
    await wait_until(lambda: carton.place == "bench-1")
    assert (carton.closed, [piece.sku for piece in carton.pieces]) == (True, ["MUG-1"])
    await do(hands, "unpack", lpn=PLATE)
    assert hands.held() == {"pieces": [], "cartons": [], "labels": []}


async def test_a_carton_for_a_station_with_a_belt_goes_onto_the_belt(served, hands, wait_until):
    await do(hands, "take_carton")
    await do(hands, "move", lpn=PLATE, to="label-1")
    await wait_until(lambda: served.floor.carton(PLATE).place == "label-1")


@pytest.mark.parametrize(
    "verb, words",
    [
        ("take_piece", {"sku": "NO-SUCH"}),
        ("put_on_table", {"station": "induct-1"}),
        ("box", {"lpn": PLATE}),
        ("move", {"lpn": PLATE, "to": "pack-1"}),
        ("stick", {"lpn": PLATE}),
        ("throw_label", {}),
        ("load_paper", {"printer": "printer-9"}),
        ("scan", {"scanner": "scan-9", "text": "DO:DONE"}),
    ],
)
async def test_what_is_not_there_cannot_be_moved(hands, verb, words):
    with pytest.raises(CannotDo):
        await do(hands, verb, **words)


@pytest.mark.parametrize("verb", [verb for verb, (words, _) in VERBS.items() if words])
async def test_a_verb_without_its_words_names_what_it_lacks(hands, verb):
    with pytest.raises(ValueError, match=VERBS[verb][0][0]):
        await do(hands, verb)


async def test_hands_are_reached_over_the_truth_channel(served, channel):
    status, told = await channel("GET", "/hands")
    assert (status, set(told["verbs"])) == (200, set(VERBS))
    assert await channel("POST", "/hands", {"do": "take_piece", "sku": "MUG-1"}) == (
        200,
        {"held": {"pieces": ["MUG-1"], "cartons": [], "labels": []}},
    )
    assert (await channel("POST", "/hands", {"do": "box", "lpn": PLATE}))[0] == 409
    assert (await channel("POST", "/hands", {"do": "juggle"}))[0] == 400
    status, told = await channel("POST", "/hands", {"do": "box", "colour": "red"})
    assert (status, told.partition(":")[0]) == (400, "colour")


async def test_what_is_no_json_is_told_with_what_would_be(channel):
    status, told = await channel("POST", "/fault")
    assert status == 400
    assert '{"device": "arm-1", "fault": "jam"}' in told
