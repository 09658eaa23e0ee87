"""Scan anywhere: a step of the work at a station, a page elsewhere."""

import pytest

from tests.web.stage import READY, SSCC, Stage, furnished_stage, say


@pytest.mark.parametrize(
    "text, url",
    [
        (READY, f"/parcels/{READY}"),
        (SSCC, f"/parcels/{READY}"),
        (f"00{SSCC}", f"/parcels/{READY}"),
        (f"(00){SSCC}", f"/parcels/{READY}"),
        ("HM-10026", "/orders/marketplace-HM-10026"),
        ("marketplace-HM-10024", "/orders/marketplace-HM-10024"),
        ("6901234567892", "/items?q=TEA-250"),
        ("CUP-BL", "/items?q=CUP-BL"),
    ],
)
def test_a_scan_elsewhere_opens_what_it_names(furnished, text, url):
    answer = scan(furnished, text)

    assert (answer["ok"], answer["url"]) == (True, url)


@pytest.mark.parametrize("text", ["PL0000000000", "no such thing", "DO:DONE", "", "%' OR 1=1 --", "\x00"])
def test_a_scan_that_names_nothing_says_so_and_asks_nobody(furnished, text):
    answer = scan(furnished, text)

    assert (answer["ok"], answer["url"]) == (False, "") and answer["text"]
    assert furnished.controller.handled == []


def test_a_scan_on_a_stations_page_goes_to_the_station(furnished):
    scan(furnished, READY, station="hold-1")

    row = furnished.controller.handled[0]
    assert (row.action, row.args, row.actor) == ("scan", {"station": "hold-1", "text": READY}, "operator")


def test_what_the_station_answers_is_what_the_person_reads(furnished):
    furnished.controller.verdict = ("done", say("store", lpn=READY, slot="H03"))

    answer = scan(furnished, READY, station="hold-1")
    assert (answer["ok"], answer["text"]) == (True, f"Put {READY} into slot H03 and scan the slot.")


@pytest.mark.parametrize(
    "result, ok, words",
    [
        (say("store", lpn=READY, slot="H03"), True, f"Put {READY} into slot H03 and scan the slot."),
        (
            say("refused", code=4101, name="not a carton plate"),
            False,
            "Refused: Not a carton plate. Scan the carton's PL number.",
        ),
        (say("place_first", unit="u", sku="CUP", name="Cup"), False, "Not yet: put Cup on the table first."),
        (say("finish_first", unit="u-1"), False, "Finish u-1 first."),
    ],
)
def test_what_the_stations_screen_answers_a_moment_later_is_what_the_person_reads(tmp_path, result, ok, words):
    stage: Stage = furnished_stage(tmp_path, pause=lambda seconds: answer_on_the_screen(stage, seconds, result))
    try:
        answer = scan(stage, READY, station="induct-1")
        assert (answer["ok"], answer["text"]) == (ok, words)
    finally:
        stage.close()


def answer_on_the_screen(stage, seconds, result):
    stage.clock.advance(seconds)
    scans = stage.controller.snapshot["stations"][0]["scans"]
    if scans[0]["n"] == 2:
        scans.insert(0, {"n": 3, "at": stage.clock.now().isoformat(), "text": READY, "result": result})
    stage.hub.poll()


def test_a_viewers_scan_at_a_station_is_refused(furnished):
    answer = scan(furnished, READY, station="hold-1", role="viewer")

    assert not answer["ok"] and furnished.controller.handled == []


def test_a_scan_while_the_screen_is_old_moves_nothing(furnished):
    client = furnished.client("operator")
    furnished.controller.is_alive = False
    furnished.clock.advance(6)

    answer = furnished.post(client, "/scan", {"text": READY, "station": "hold-1", "key": "k" * 12}).json
    assert not answer["ok"] and furnished.controller.handled == []


def scan(stage, text, station="", role="operator"):
    answer = stage.post(stage.client(role), "/scan", {"text": text, "station": station, "key": "key-of-a-scan"})
    assert answer.status_code == 200
    return answer.json


def test_a_label_whose_two_symbols_were_read_at_once_is_told_once(stage):
    gate = next(s for s in stage.controller.snapshot["stations"] if s["name"] == "gate-1")
    told = {"text": SSCC, "result": say("label_ok", lpn=READY)}
    moments = ("09:00:30", "09:00:02.300", "09:00:02.100", "09:00:00.900")
    gate["scans"] = [{"n": 4 - n, "at": f"2026-11-21T{at}+00:00", **told} for n, at in enumerate(moments)]
    stage.hub.poll()

    assert stage.client("viewer").get("/station/gate-1").text.count('class="code"') == 3
