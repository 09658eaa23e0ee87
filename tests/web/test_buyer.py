"""The buyer's link: this order, these pictures, one answer, and the table only while the item is on it."""

from datetime import datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from controller.site import Policy
from packline.core.tokens import sign
from packline.orders.model import Event
from tests.web.stage import LOST, READY, SECRET, furnished_stage
from web.words import load

ORDER = "marketplace-HM-10023"
UNIT = f"{ORDER}.1.1"
JSON = {"Accept": "application/json"}


def link(stage, order_id=ORDER, hours=1.0, secret=SECRET):
    return "/buyer/" + sign(secret, {"o": order_id}, stage.clock.now() + timedelta(hours=hours))


def shown(stage):
    """Give what the page shows of the parcel and sends along with the answer."""
    (parcel,) = stage.app.test_client().get(link(stage), headers=JSON).json["parcels"]
    return {"picture": parcel["picture"], "until": parcel["answer_until"]}


def test_a_link_shows_the_order_without_a_sign_in(furnished):
    seen = furnished.app.test_client().get(link(furnished), headers=JSON).json

    assert seen["order"] == "HM-10023"
    assert [len(unit["pictures"]) for unit in seen["units"]] == [4, 4]
    assert [(p["lpn"], p["approval"], len(p["pictures"])) for p in seen["parcels"]] == [(READY, "asked", 1)]


def test_the_page_says_nothing_of_addresses(furnished):
    client = furnished.app.test_client()

    for text in (client.get(link(furnished)).text, client.get(link(furnished), headers=JSON).text):
        assert "13800001234" not in text and "软件园" not in text and "林小雨" not in text


@pytest.mark.parametrize("change", ["expired", "forged", "truncated", "other order", "garbage"])
def test_a_link_that_is_not_good_shows_nothing(furnished, change):
    url = {
        "expired": link(furnished, hours=-0.1),
        "forged": link(furnished, secret=b"another secret of thirty-two byte"),
        "truncated": link(furnished)[:-2],
        "other order": link(furnished, "marketplace-HM-0"),
        "garbage": "/buyer/abc.def",
    }[change]
    client = furnished.app.test_client()

    assert client.get(url, headers=JSON).status_code == 404
    assert client.get(url).status_code == 404
    assert client.post(f"{url}/answer", json={"lpn": READY, "answer": "approve"}).status_code == 404
    assert furnished.controller.handled == []


def test_a_link_ends_at_its_hour(furnished):
    url, client = link(furnished), furnished.app.test_client()
    furnished.clock.advance(3601)

    assert client.get(url, headers=JSON).status_code == 404


def test_pictures_of_other_orders_stay_closed(furnished):
    client = furnished.app.test_client()
    mine = client.get(link(furnished), headers=JSON).json["units"][0]["pictures"][0]
    theirs = client.get(link(furnished, "marketplace-HM-10024"), headers=JSON).json["units"][0]["pictures"][0]

    assert client.get(mine).mimetype == "image/jpeg"
    assert client.get(mine.rsplit("/", 1)[0] + "/" + theirs.rsplit("/", 1)[1]).status_code == 404


def test_an_answer_becomes_one_request_that_may_wait_a_day(furnished):
    furnished.controller.verdict = None
    client, url, seen = furnished.app.test_client(), f"{link(furnished)}/answer", shown(furnished)

    first, second = (client.post(url, json={"lpn": READY, "answer": "approve", **seen}) for _ in range(2))

    assert first.status_code == 202 and first.json["id"] == second.json["id"]
    furnished.clock.advance(23 * 3600)
    furnished.controller.verdict = ("done", {})
    furnished.controller.work()
    row = furnished.controller.handled[0]
    assert (row.args["lpn"], row.args["answer"], row.actor) == (READY, "approve", "buyer b-771")


def test_a_buyer_answers_even_while_the_controller_is_away(furnished):
    furnished.controller.is_alive = False
    furnished.clock.advance(60)

    said = {"lpn": READY, "answer": "reject", **shown(furnished)}
    answer = furnished.app.test_client().post(f"{link(furnished)}/answer", json=said)
    assert answer.status_code == 202


@pytest.mark.parametrize(
    "body", [{"lpn": LOST, "answer": "approve", "picture": "01J"}, {"answer": "approve"}, {}, None, []]
)
def test_an_answer_for_another_parcel_is_refused(furnished, body):
    assert furnished.app.test_client().post(f"{link(furnished)}/answer", json=body).status_code == 404


def test_an_answer_that_is_neither_yes_nor_no_is_refused(furnished):
    url = f"{link(furnished)}/answer"

    assert (
        furnished.app.test_client().post(url, json={"lpn": READY, "answer": "maybe", **shown(furnished)}).status_code
        == 400
    )


def test_the_answer_carries_the_picture_that_the_page_showed_and_a_newer_picture_is_another_question(furnished):
    furnished.controller.verdict = None
    client, url = furnished.app.test_client(), link(furnished)
    first = shown(furnished)
    page = client.get(url).text
    assert f'data-picture="{first["picture"]}"' in page and f"/pictures/{first['picture']}" in page

    reprinted = furnished.picture("label", READY, ORDER, "the newer label", frame=901)
    of = {"subject": READY, "order_id": ORDER, "station": "label-1"}
    for kind, data in (
        ("LabelVoided", {}),
        ("LabelAssigned", {"sscc": "395213210000000990", "print_number": 99}),
        ("LabelPrinted", {}),
        ("LabelApplied", {}),
        ("LabelVerified", {"picture": reprinted}),
        ("ApprovalAsked", {"until": first["until"]}),
    ):
        furnished.record(Event(kind=kind, data=data, **of))
    second = shown(furnished)
    assert second["picture"] == reprinted != first["picture"]

    answers = [
        client.post(f"{url}/answer", json={"lpn": READY, "answer": "approve", **seen}) for seen in (first, second)
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json["id"] != answers[1].json["id"]
    furnished.controller.verdict = ("done", {})
    furnished.controller.work()
    assert [row.args["picture"] for row in furnished.controller.handled] == [first["picture"], reprinted]


def test_an_answer_that_names_no_picture_is_refused(furnished):
    answer = furnished.app.test_client().post(f"{link(furnished)}/answer", json={"lpn": READY, "answer": "approve"})
    assert answer.status_code == 400 and furnished.controller.handled == []


@pytest.mark.parametrize(
    "policy, english, chinese",
    [
        ("ship", "the parcel is sent", "包裹会按照片所示发出"),
        ("ask", "the shop decides", "由商家决定"),
        ("return", "it is unpacked", "它会被拆开"),
    ],
)
def test_the_buyer_is_told_until_when_to_answer_and_what_silence_means(tmp_path, policy, english, chinese):
    stage = furnished_stage(tmp_path, no_answer=policy, zone=ZoneInfo("Asia/Shanghai"))
    client = stage.app.test_client()
    page = client.get(link(stage)).text

    assert english in page and "21 Nov 2026, 18:00 (UTC+08:00)" in page and "left." in page
    in_chinese = client.get(f"{link(stage)}?lang=zh").text
    assert chinese in in_chinese and "2026年11月21日 18:00 (UTC+08:00)" in in_chinese
    stage.close()


def test_every_rule_for_a_silent_buyer_has_its_sentence():
    rules = get_args(Policy.model_fields["no_answer"].annotation)

    assert {f"buyer.silence_{rule}" for rule in rules} == {
        key for key in load("en") if key.startswith("buyer.silence_")
    }


def test_the_time_left_goes_down_in_steps_and_ends_at_nothing(furnished):
    def left():
        (parcel,) = furnished.app.test_client().get(link(furnished), headers=JSON).json["parcels"]
        return parcel["left_s"]

    (parcel,) = furnished.app.test_client().get(link(furnished), headers=JSON).json["parcels"]
    until = datetime.fromisoformat(parcel["answer_until"])
    seen = []
    for before_s in (125.5, 119, 7, 0, -5):
        furnished.clock.advance((until - furnished.clock.now()).total_seconds() - before_s)
        seen.append(left())

    assert seen == [120, 115, 5, 0, 0]
    assert "The time to answer is over." in furnished.app.test_client().get(link(furnished)).text


def test_the_buyer_chooses_the_language_and_the_browser_keeps_it(furnished):
    client, url = furnished.app.test_client(), link(furnished)
    assert f'href="{url}?lang=zh"' in client.get(url).text

    assert '<html lang="zh-Hans"' in client.get(f"{url}?lang=zh").text
    assert '<html lang="zh-Hans"' in client.get(url).text
    assert '<html lang="en"' in furnished.app.test_client().get(f"{url}?lang=xx").text


def test_the_language_of_a_buyers_page_is_not_that_of_the_dashboard(furnished):
    client, url = furnished.client("operator"), link(furnished)
    assert '<html lang="zh-Hans"' in client.get(f"{url}?lang=zh").text

    assert '<html lang="en"' in client.get("/").text
    assert '<html lang="zh-Hans"' in client.get(url).text


def test_the_picture_says_whose_parcel_it_is(furnished):
    page = furnished.app.test_client().get(link(furnished)).text

    assert "Harbour Tea · order HM-10023" in page and "Sold by Harbour Tea" in page


def on_stage(stage, unit=UNIT):
    stage.controller.snapshot["stations"][0].update(order=ORDER, unit=unit)
    stage.hub.poll()


def test_the_table_turns_only_while_the_item_is_on_it(furnished):
    client, url = furnished.app.test_client(), f"{link(furnished)}/turn"
    away = client.post(url, json={"unit": UNIT, "step_deg": 30})
    on_stage(furnished)
    there = client.post(url, json={"unit": UNIT, "step_deg": 30})

    assert (away.status_code, there.status_code) == (409, 200)
    assert furnished.controller.handled[0].args == {"order_id": ORDER, "unit": UNIT, "step_deg": 30}
    assert client.get(link(furnished), headers=JSON).json["units"][0]["on_stage"]


def test_the_table_turns_twice_a_second_at_most(furnished):
    on_stage(furnished)
    client, url = furnished.app.test_client(), f"{link(furnished)}/turn"
    turn = {"unit": UNIT, "step_deg": 30}

    statuses = [client.post(url, json=turn).status_code for _ in range(3)]
    furnished.clock.advance(0.5)

    assert statuses == [200, 429, 429] and client.post(url, json=turn).status_code == 200


@pytest.mark.parametrize("step", [360, 1, 0, "30; drop", None])
def test_the_table_turns_by_known_steps_only(furnished, step):
    on_stage(furnished)

    answer = furnished.app.test_client().post(f"{link(furnished)}/turn", json={"unit": UNIT, "step_deg": step})
    assert answer.status_code == 400 and furnished.controller.handled == []


def test_another_sites_form_cannot_answer_for_the_buyer_without_the_link(furnished):
    answer = furnished.app.test_client().post("/buyer/x/answer", json={"lpn": READY, "answer": "approve"})

    assert answer.status_code == 404
