"""One click, one request, one answer; and no machine moves on an old picture."""

import pytest

from packline.core.faults import Fault
from tests.web.stage import READY
from web.acting import KINDS, PATIENCE_S
from web.live import STALE_S

HOLD = {"action": "station", "args": {"station": "label-1", "action": "hold"}, "key": "key-of-one-click"}


def test_a_click_becomes_one_request_with_who_and_why(stage):
    answer = stage.post(stage.client("operator"), "/api/requests", HOLD)

    row = stage.controller.handled[0]
    assert (answer.status_code, answer.json["state"]) == (200, "done")
    assert (row.action, row.args, row.actor, row.role) == ("station", HOLD["args"], "operator", "operator")


def test_the_same_key_gives_the_first_answer_and_is_done_once(stage):
    client = stage.client("operator")

    first, second = (stage.post(client, "/api/requests", HOLD) for _ in range(2))

    assert first.json == second.json
    assert len(stage.controller.handled) == 1


def test_an_unanswered_request_says_so_after_a_moment(stage):
    stage.controller.verdict = None
    before = stage.clock.monotonic()

    answer = stage.post(stage.client("operator"), "/api/requests", HOLD)

    assert (answer.status_code, answer.json["state"]) == (202, "new")
    assert stage.clock.monotonic() - before == pytest.approx(PATIENCE_S, abs=0.1)


def test_a_refusal_of_the_controller_is_told_with_its_reason(stage):
    fault = Fault(4301, where="label-1", seen="HOLD", expected="the next step")
    stage.controller.verdict = ("refused", fault.as_dict())

    answer = stage.post(stage.client("operator"), "/api/requests", HOLD)

    assert (answer.json["state"], answer.json["result"]["code"]) == ("refused", 4301)


@pytest.mark.parametrize("how", ["dead", "frozen"])
def test_actuation_is_refused_while_the_controllers_picture_is_old(stage, how):
    client = stage.client("operator")
    stage.controller.is_alive, stage.controller.is_frozen = how != "dead", how == "frozen"
    stage.hub.poll()
    stage.clock.advance(5.0)
    stage.hub.poll()

    answer = stage.post(client, "/api/requests", HOLD)

    assert (answer.status_code, answer.json) == (409, {"error": "stale"})
    assert stage.controller.handled == []


def test_a_picture_that_is_just_not_old_still_serves(stage):
    client = stage.client("operator")
    stage.hub.poll()
    stage.controller.is_frozen = True
    stage.clock.advance(STALE_S - 0.1)

    assert stage.post(client, "/api/requests", HOLD).status_code == 200


def test_what_moves_nothing_waits_for_the_controller_instead(stage):
    stage.controller.is_alive = False
    stage.clock.advance(60)
    stage.hub.poll()

    answer = stage.post(
        stage.client("operator"), "/api/requests", {"action": "alarm_ack", "args": {"id": 1}, "key": "ack-1-1-1"}
    )

    assert (answer.status_code, answer.json["state"]) == (202, "new")


def test_a_click_expires_before_an_outage_can_keep_it(stage):
    stage.controller.verdict = None
    stage.post(stage.client("operator"), "/api/requests", HOLD)
    stage.clock.advance(10)
    stage.controller.verdict = ("done", {})
    stage.controller.work()

    assert stage.controller.handled == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**HOLD, "action": "dance"},
        {**HOLD, "key": ""},
        {**HOLD, "key": "k" * 500},
        {**HOLD, "args": {"station": "label-1", "action": "explode"}},
        {**HOLD, "args": {"station": "label-1", "action": "hold", "extra": 1}},
        {**HOLD, "args": None},
        {"action": "turn", "args": {"order_id": "o", "unit": "u", "step_deg": 7}, "key": "k" * 12},
    ],
)
def test_what_cannot_be_read_is_400_and_reaches_nobody(stage, body):
    assert stage.post(stage.client("admin"), "/api/requests", body).status_code == 400
    assert stage.controller.handled == []


@pytest.mark.parametrize(
    "role, action, args, status",
    [
        ("operator", "parcel", {"lpn": READY, "action": "hold"}, 200),
        ("operator", "parcel", {"lpn": READY, "action": "void"}, 403),
        ("supervisor", "parcel", {"lpn": READY, "action": "void"}, 200),
        ("operator", "replay", {"inbox_id": 1}, 403),
        ("supervisor", "replay", {"inbox_id": 1}, 200),
        ("operator", "answer", {"lpn": READY, "answer": "approve", "picture": "01J", "by": "operator"}, 403),
        ("integrator", "station", {"station": "label-1", "action": "release"}, 200),
    ],
)
def test_roles_may_do_what_the_table_says(stage, role, action, args, status):
    answer = stage.post(stage.client(role), "/api/requests", {"action": action, "args": args, "key": "k" * 12})

    assert answer.status_code == status


def test_every_kind_that_moves_a_machine_expires_within_seconds():
    assert all(kind.lives_s <= 5 for kind in KINDS.values() if kind.moves)


def test_a_button_on_a_page_answers_with_one_line(stage):
    form = {"action": "station", "args": '{"station": "label-1", "action": "hold"}'}
    headers = {"X-Request-Key": "key-of-a-press", "HX-Request": "true"}
    client = stage.client("operator")

    answer = client.post("/act", data=form, headers={**headers, "X-CSRF-Token": client.csrf})

    assert answer.status_code == 200 and 'class="toast' in answer.text and "<html" not in answer.text


def test_a_release_that_an_open_safety_circuit_refuses_is_shown_with_its_remedy(furnished):
    furnished.controller.verdict = ("refused", Fault(2007, where="arm-1", seen="an open safety circuit").as_dict())
    client = furnished.client("operator")
    said = client.post(
        "/act",
        data={"action": "station", "args": '{"station": "label-1", "action": "release"}'},
        headers={"X-CSRF-Token": client.csrf, "X-Request-Key": "a-key-of-a-click"},
    ).text

    assert "Refused: Interlock or e-stop" in said and "reset the safety circuit at the machine" in said
