"""Whatever the world posts: the right status, nothing lost, never a 500."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from packline.core.faults import Fault
from packline.feeds.signing import sign
from tests.web.stage import COURIER_SECRET, FEED_SECRET, START, run
from web.intake import MOST_BYTES

BODY = json.dumps({"type": "order.changed", "data": {"id": "HM-1"}}).encode()


def send(stage, body=BODY, *, path="/intake/marketplace", secret=FEED_SECRET, message="msg-1", at=START, **changes):
    headers = {**sign(secret, message, at, body), "Content-Type": "application/json", **changes}
    return stage.app.test_client().post(path, data=body, headers=headers)


def kept(stage):
    return run(stage.store.inbox.pending())


def test_a_signed_message_is_kept_byte_for_byte_before_it_is_accepted(stage):
    answer = send(stage)

    assert answer.status_code == 202
    assert [(row.id, row.kind, row.channel, row.delivery_id, row.body) for row in kept(stage)] == [
        (answer.json["id"], "feed", "marketplace", "msg-1", BODY)
    ]


def test_a_couriers_message_is_kept_as_a_couriers(stage):
    answer = send(stage, path="/intake/couriers/kd", secret=COURIER_SECRET)

    assert answer.status_code == 202 and kept(stage)[0].kind == "courier"


def test_a_replayed_message_is_kept_once(stage):
    assert [send(stage).status_code for _ in range(3)] == [202, 200, 200]
    assert len(kept(stage)) == 1


def test_another_body_under_a_known_id_is_a_conflict(stage):
    send(stage)

    assert send(stage, BODY + b" ").status_code == 409
    assert len(kept(stage)) == 1


@pytest.mark.parametrize(
    "changes, status",
    [
        ({"secret": COURIER_SECRET}, 401),
        ({"webhook-signature": "v1,AAAA"}, 401),
        ({"webhook-signature": ""}, 401),
        ({"webhook-id": "msg-2"}, 401),
        ({"webhook-id": ""}, 400),
        ({"webhook-timestamp": "now"}, 401),
        ({"path": "/intake/nobody"}, 404),
        ({"path": "/intake/couriers/nobody"}, 404),
        ({"path": "/intake/kd"}, 404),
        ({"body": b"\xff\xfe{}"}, 400),
    ],
)
def test_forged_and_malformed_messages_get_their_status_and_are_not_kept(stage, changes, status):
    assert send(stage, **changes).status_code == status
    assert kept(stage) == []


@pytest.mark.parametrize("off_s, status", [(-301, 401), (301, 401), (-299, 202), (299, 202)])
def test_messages_older_or_newer_than_five_minutes_are_refused(stage, off_s, status):
    from datetime import timedelta

    assert send(stage, at=START + timedelta(seconds=off_s)).status_code == status


def test_a_message_above_one_mebibyte_is_refused_by_its_announced_length(stage):
    assert send(stage, b"x" * (MOST_BYTES + 1)).status_code == 413
    assert send(stage, b"x" * MOST_BYTES, message="msg-2").status_code == 202


def test_a_chunked_message_above_one_mebibyte_is_refused_too(stage):
    import io

    body = b"x" * (MOST_BYTES + 1)
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    headers = sign(FEED_SECRET, "msg-1", START, body)

    answer = stage.app.test_client().post(
        "/intake/marketplace", input_stream=io.BytesIO(body), environ_overrides=environ, headers=headers
    )

    assert answer.status_code == 413 and kept(stage) == []


def test_old_and_new_secret_both_open_while_one_is_replaced(tmp_path):
    from tests.web.stage import Stage

    stage = Stage(tmp_path, feeds={"marketplace": [FEED_SECRET, COURIER_SECRET]})
    try:
        assert send(stage).status_code == 202
        assert send(stage, secret=COURIER_SECRET, message="msg-2").status_code == 202
    finally:
        stage.close()


def test_a_database_in_trouble_asks_the_sender_to_come_again(stage, monkeypatch):
    def full(*_args, **_kwargs):
        raise Fault(5002, where="database", seen="disk full")

    monkeypatch.setattr(stage.store.inbox, "put_now", full)
    answer = send(stage)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_a_dead_controller_does_not_keep_orders_out(stage):
    stage.controller.is_alive = False

    assert send(stage).status_code == 202


def test_only_post_is_answered(stage):
    assert stage.app.test_client().get("/intake/marketplace").status_code == 405


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=300),
    headers=st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "content-length"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60),
        max_size=5,
    ),
)
def test_no_message_whatever_makes_the_intake_stumble(stage, body, headers):
    answer = stage.app.test_client().post("/intake/marketplace", data=body, headers=headers)

    assert answer.status_code in (400, 401, 413)
