"""The plan's page: said in both languages, told in parts, and the replay's buttons."""

import html
import re

import pytest
from flask import g

from packline.core.clock import ManualClock
from tests.web.stage import LOST, READY, START, WAITING, Stage, blank_books, furnished_stage, healthy, on_floor, wound
from web.doors import Visitor
from web.replay import Player, Recording
from web.stream import Reader


@pytest.fixture
def recorded(tmp_path):
    """Give a dashboard that shows the journal of a furnished stage to a guest."""
    (tmp_path / "books").mkdir()
    source = furnished_stage(tmp_path / "books")
    stations = [{**station, "devices": []} for station in healthy()["stations"]]
    player = Player(Recording(source.store.tape, stations), ManualClock(START), waits=False)
    (tmp_path / "shown").mkdir()
    stage = Stage(tmp_path / "shown", books=blank_books(), player=player, guest="replay")
    yield stage
    stage.close()
    source.close()


def middle(client, path="/plan", lang="en"):
    client.set_cookie("lang", lang)
    return html.unescape(client.get(path).text.partition("<main")[2].partition("</main>")[0])


@pytest.mark.parametrize("lang, words", [
    ("en", ("Camera table", "Goods in", f"Parcel {WAITING}: Collected, Packing", "running", "1 here", "Exceptions: 1", "Printer silent")),
    ("zh", ("拍照转台", "进货", f"包裹 {WAITING}：", "运行中", "在此 1 件", "异常：1", "打印机无应答")),
])  # fmt: skip
def test_the_plan_is_said_in_the_readers_language(furnished, lang, words):
    furnished.controller.snapshot = wound(furnished.controller.snapshot, "label-1", 2103, subject=LOST)
    furnished.hub.poll()
    said = middle(furnished.client("viewer"), lang=lang)

    assert [word for word in words if word not in said] == []


def test_a_station_and_a_parcel_lead_to_their_pages_in_both_drawings(furnished):
    said = middle(furnished.client("viewer"))

    assert len(re.findall(r'class="spot[^"]*"[^>]*href="/station/label-1"', said)) == 2
    assert len(re.findall(rf'class="box[^"]*"[^>]*href="/parcels/{READY}"', said)) == 2


def test_what_did_not_change_is_not_told_again(furnished):
    with furnished.app.test_request_context("/live?view=plan"):
        signed_in()
        reader = Reader(page="plan", here="plan.page")
        first = [message.event for message in reader.news(furnished.hub.view())]
        furnished.controller.snapshot["floor"]["parcels"][0] = on_floor(LOST, "printed", "label-1")
        then = [message.event for message in reader.news(furnished.hub.poll())]

    assert {"side", "view", "parcels", "words"} <= set(first) and then == ["parcels"]


def test_an_emergency_stop_stands_over_the_plan(furnished):
    furnished.controller.snapshot["stations"][2]["devices"][0]["faults"] = [2007]
    furnished.hub.poll()
    said = middle(furnished.client("viewer"))

    assert "Emergency stop." in said and "Safety circuit open at: Labelling." in said


def test_a_parcel_that_is_nowhere_is_named(furnished):
    furnished.controller.snapshot["floor"]["parcels"].append(on_floor("PL0000009999", "packed", ""))
    furnished.hub.poll()

    assert "Parcels at no station: " in middle(furnished.client("viewer")).replace("\n", " ")


def test_only_a_recording_can_be_played(furnished):
    client = furnished.client("admin")

    assert client.post("/plan/replay", data={"do": "play", "csrf": client.csrf}).status_code == 404


def test_a_guest_watches_a_recording_without_signing_in_and_may_do_nothing_else(recorded):
    recorded.hub.poll()
    client = recorded.client()
    page = client.get("/plan").text
    csrf = csrf_of(page)

    assert "Replay of a recorded journal" in page and "Recording" in page
    assert client.get("/users").status_code == 403
    assert client.post("/plan/replay", data={"do": "play"}).status_code == 403
    assert client.post("/plan/replay", data={"do": "play", "csrf": csrf}).status_code == 204
    assert client.post("/act", data={"action": "station", "csrf": csrf}).status_code == 403


def test_a_stations_page_of_a_recording_promises_no_next_step_and_no_devices(recorded):
    recorded.hub.poll()
    said = middle(recorded.client(), "/station/label-1")

    assert "<h2>" in said and "Next" not in said and "Devices" not in said


def test_the_line_of_a_recording_counts_no_devices(recorded):
    recorded.hub.poll()
    said = middle(recorded.client(), "/")

    assert "Oldest waiting" in said and "Devices" not in said


def test_its_buttons_move_its_time(recorded):
    client = recorded.client()
    csrf = csrf_of(client.get("/plan").text)
    player = recorded.settings.player

    for form, after in (({"part": 1000}, (1000, False, 5)), ({"factor": 60}, (1000, False, 60)), ({"factor": 61}, (0, True, 60)), ({"do": "pause"}, (0, False, 60))):  # fmt: skip
        client.post("/plan/replay", data={**form, "csrf": csrf})
        assert tuple(player.state()[name] for name in ("part", "playing", "factor")) == after
    client.post("/plan/replay", data={"part": 1000, "csrf": csrf})
    assert READY in middle(client)


def csrf_of(page):
    return re.findall(r'name="csrf" content="([^"]+)"', page)[0]


def signed_in():
    """Let whoever asks in this request be a viewer."""
    g.visitor = Visitor(name="viewer", role="viewer", csrf="")


def test_the_plan_counts_as_many_exceptions_as_the_menu(furnished):
    furnished.exception(3002, subject=LOST)
    client = furnished.client("viewer")
    figure = re.search(r"<dt>Exceptions</dt><dd>(\d+)", middle(client))
    menu = re.search(r'href="/exceptions"[^>]*>Exceptions <span class="count \w+">(\d+)', client.get("/plan").text)

    assert figure and menu and figure[1] == menu[1] == "2"
