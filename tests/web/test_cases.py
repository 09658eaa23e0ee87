"""The exception queue says what happened and offers only what is legal for whoever looks."""

import json
import re
from html import unescape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from packline.core.faults import FAULTS, urgency
from packline.orders.policy import ROLES, Action, may, rule_for
from tests.web.stage import LOST, READY

ASKS = sorted(code for code in FAULTS if rule_for(code).actions)


@pytest.mark.parametrize("role", ["viewer", "operator", "supervisor"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(code=st.sampled_from(ASKS))
def test_a_row_offers_exactly_the_legal_actions_that_the_role_may_take(stage, role, code):
    rule = rule_for(code)
    with stage.app.test_request_context():
        from flask import g

        from web.cases import case
        from web.doors import Visitor

        g.visitor = Visitor(name="x", role=role, csrf="x")
        stage.exception(code, actions=rule.actions)
        row = next(row for row in stage.store.views.exceptions() if row.code == code)
        shown = case(row, None)

    assert set(shown.offered) == {action for action in rule.actions if may(role, action)}
    assert not set(shown.withheld) & set(shown.offered)


def test_buttons_on_the_page_are_the_offered_ones(stage):
    stage.exception(3002, actions=rule_for(3002).actions)
    stage.hub.poll()

    assert buttons(stage, "operator") == {"reprint", "clarify"}
    assert buttons(stage, "supervisor") == {"reprint", "clarify", "void"}
    assert buttons(stage, "viewer") == set()


def test_an_action_that_is_not_offered_is_refused_even_when_posted(stage):
    row = stage.exception(2103, actions=("done", "not_done"))
    client = stage.client("admin")

    def post(action):
        body = {"action": "exception", "args": {"id": row, "action": action}, "key": f"key-{action}"}
        return stage.post(client, "/api/requests", body).status_code

    assert (post("void"), post("done")) == (403, 200)


@pytest.mark.parametrize("action", list(Action))
def test_the_role_table_of_the_policy_is_the_one_that_is_kept(stage, action):
    row = stage.exception(3002, actions=tuple(Action))
    statuses = {}
    for role in ROLES[1:3]:
        body = {"action": "exception", "args": {"id": row, "action": action.value}, "key": f"key-{role}-{action}"}
        statuses[role] = stage.post(stage.client(role), "/api/requests", body).status_code

    assert statuses == {role: 200 if may(role, action) else 403 for role in ROLES[1:3]}


def test_the_queue_is_sorted_by_urgency_then_age(stage):
    for code in (3013, 2103, 3002, 2105, 3006):
        stage.exception(code, subject=f"s-{code}")
        stage.clock.advance(1)

    codes = [row["code"] for row in stage.client("viewer").get("/api/exceptions").json["rows"]]

    assert codes == [3002, 3006, 2103, 2105, 3013]
    assert codes == sorted(codes, key=urgency)


def test_a_row_says_what_happened_what_it_means_and_what_to_do(furnished):
    page = furnished.client("operator").get("/exceptions").text

    for text in (
        "no answer within 3 s",
        FAULTS[2103].meaning,
        FAULTS[2103].remedy.replace("'", "&#39;"),
        LOST,
        "Print label",
    ):
        assert text in page


def test_programs_get_the_effect_in_doubt_with_its_row(furnished):
    row = next(r for r in furnished.client("operator").get("/api/exceptions").json["rows"] if r["code"] == 2103)

    assert row["actions"] == ["done", "not_done", "clarify"]
    assert row["effect"]["kind"] == "print" and row["fault"]["remedy"]


def test_what_cannot_be_undone_asks_once_more_or_for_a_scan_of_the_parcel(stage):
    stage.exception(3002, subject=READY, actions=("reprint", "clarify"))
    page = stage.client("operator").get("/exceptions").text

    reprint = next(
        button
        for button in re.findall(r"<button.*?</button>", page, re.DOTALL)
        if "reprint" in button and "data-acts" in button
    )
    clarify = next(
        button for button in re.findall(r"<button.*?</button>", page, re.DOTALL) if "To clarification" in button
    )
    assert f'data-confirm-scan="{READY}"' in reprint and "data-confirm=" in reprint
    assert "data-confirm" not in clarify


def test_the_station_page_offers_the_decision_itself(furnished):
    from tests.web.stage import wound

    row = next(row for row in furnished.store.views.exceptions() if row.code == 2103)
    furnished.controller.snapshot = wound(furnished.controller.snapshot, "label-1", 2103, exception=row.exception_id)
    furnished.hub.poll()

    page = furnished.client("operator").get("/station/label-1").text
    assert "It was done" in page and "It was not done" in page


def buttons(stage, role):
    page = stage.client(role).get("/exceptions").text
    values = [json.loads(unescape(value)) for value in re.findall(r'hx-vals="(.*?)"', page)]
    return {json.loads(value["args"])["action"] for value in values}


@pytest.mark.parametrize(
    "station, subject, shown, hidden",
    [
        ("desk", "marketplace-HM-10026", "HM-10026", "desk"),
        ("induct-1", "marketplace-HM-10026.1.1", "HM-10026", "HM-10026.1.1"),
        ("line", "recovery", "Recovery", ">recovery<"),
        ("kd", "outbox:kd", "kd", "outbox"),
        ("gate-1", "gate-9", "gate-9", 'href="/orders/gate'),
    ],
)
def test_a_row_says_in_peoples_words_what_it_is_about(furnished, station, subject, shown, hidden):
    row = furnished.exception(3012, station=station, subject=subject, actions=("dismiss",))
    page = furnished.client("operator").get("/exceptions").text
    case = page.partition(f'id="{row}"')[2].partition("<dl>")[0]

    assert shown in case and hidden not in case


def test_a_queue_that_is_longer_than_a_page_says_how_many_more_wait(stage):
    for n in range(503):
        stage.exception(3001, station=f"s-{n}", subject=READY)
    page = stage.client("operator").get("/exceptions").text

    assert page.count("<article") == 500 and "3 more wait" in page
