"""The quarantine can be emptied: what is of no use is dismissed with a note, by those who may."""

import json
import re

import pytest

from packline.core.faults import Fault
from tests.web.stage import START, run


def held(
    stage,
    number="msg-40",
    *,
    code=4001,
    seen='data.currency: "yuan"',
    channel="marketplace",
    kind="feed",
    body=b"{odd}",
):
    """Put a message into the quarantine; gives its number."""
    put = stage.store.inbox.put_now(channel, number, {}, body, START, kind=kind)
    fault = Fault(code, where=f"message {number}", seen=seen, expected="3 capital letters")
    run(stage.store.inbox.mark(put.id, "quarantined", fault.text(), fault.as_dict()))
    return put.id


def dismiss(stage, role, number, note="sent twice", **more):
    client = stage.client(role)
    page = client.get(f"/quarantine/{number}").text
    key = re.search(r'name="key" value="(\w+)"', page)
    data = {"csrf": client.csrf, "key": key[1] if key else "no-key-at-all", "note": note, **more}
    return client.post(f"/quarantine/{number}/dismiss", data=data)


def test_a_supervisor_dismisses_a_message_with_a_note(stage):
    number = held(stage)
    answer = dismiss(stage, "supervisor", number, " sent twice ")

    assert (answer.status_code, answer.location) == (303, "/quarantine")
    (asked,) = stage.controller.handled
    assert (asked.action, asked.actor) == ("dismiss", "supervisor")
    assert asked.args == {"inbox_id": number, "note": "sent twice"}


@pytest.mark.parametrize("role, status", [("", 303), ("viewer", 403), ("operator", 403)])
def test_nobody_below_dismisses_anything(stage, role, status):
    number = held(stage)

    assert dismiss(stage, role, number).status_code == status
    assert stage.controller.handled == []
    assert "/dismiss" not in stage.client("operator").get(f"/quarantine/{number}").text


def test_the_same_form_sent_twice_is_one_request(stage):
    number = held(stage)
    for _ in range(2):
        dismiss(stage, "supervisor", number, key="one-form-one-key")

    assert len(stage.controller.handled) == 1


def test_a_refusal_is_said_on_the_messages_own_page(stage):
    number = held(stage)
    stage.controller.verdict = ("refused", Fault(4301, where="inbox", seen="gone").as_dict())
    answer = dismiss(stage, "supervisor", number)

    assert answer.status_code == 200 and "Not allowed" in answer.text


def test_a_message_without_json_can_be_dismissed_and_not_tried_again(stage):
    number, other = (
        held(stage, seen="no JSON from line 1, character 2"),
        held(stage, "msg-41", code=4006, seen="LAMP-9"),
    )
    page = stage.client("supervisor").get("/quarantine").text

    assert f'href="/quarantine/{number}"' in page and f'href="/quarantine/{other}"' in page
    assert page.count("&#34;action&#34;: &#34;replay&#34;") == 1


def test_the_reason_is_said_in_the_readers_language_with_field_and_value(stage):
    held(stage)
    client = stage.client("operator")
    assert "data.currency: &#34;yuan&#34;" in client.get("/quarantine").text

    client.set_cookie("lang", "zh")
    assert "3 个大写字母" in client.get("/quarantine").text


def test_a_dismissed_message_says_who_dismissed_it_and_why(stage):
    number = held(stage)
    run(stage.store.inbox.dismiss(number, actor="lin", note="sent twice"))
    page = stage.client("supervisor").get(f"/quarantine/{number}").text

    assert "Dismissed" in page and "dismissed by lin: sent twice" in page and "/dismiss" not in page
    assert stage.client("supervisor").get("/quarantine/77").status_code == 404


def test_unreadable_messages_are_one_row_of_the_queue_with_a_count_and_without_a_second_try(stage):
    for n in range(10):
        held(stage, f"msg-{n}", seen=f"data.version: {-n}")
    held(stage, "kd-1", channel="kd", kind="courier")
    held(stage, "msg-60", code=4005)
    opened = Fault(4001, where="message msg-0", seen="data.version: 0", expected="a number")
    run(
        stage.store.books.open_exception(
            opened, station="marketplace", subject="unreadable:feed:marketplace", actions=("dismiss",)
        )
    )
    page = stage.client("supervisor").get("/exceptions").text

    assert "Unreadable messages: 10" in page and 'href="/quarantine"' in page
    assert "data.version: -9" in page and "data.version: 0" not in page
    assert "Try again" not in page and "Dismiss all unreadable messages of this sender?" in page


def test_a_row_about_one_message_leads_to_it(stage):
    number = held(stage, code=4005, seen="total_minor 1")
    stage.exception(4005, station="marketplace", subject=f"inbox:{number}", actions=("retry", "dismiss"))

    assert f'href="/quarantine/{number}"' in stage.client("operator").get("/exceptions").text
    assert f'href="/quarantine/{number}"' not in stage.client("viewer").get("/exceptions").text


ADDRESSED = {
    "type": "order.changed",
    "data": {
        "id": "HM-7", "merchant": {"id": "m-1", "name": "Harbour Tea"}, "buyer": {"id": "b-1", "name": "陈默"},
        "lines": [{"line": 1, "sku": "LAMP-9", "name": "Desk lamp", "qty": 1}], "note": "call 13900002222",
        "ship_to": {"recipient": "林小雨", "lines": ["软件园 18 号"], "city": "厦门", "country": "CN", "phone": "13800001234"},
    },
}  # fmt: skip
PERSONAL = ("林小雨", "软件园", "13800001234", "陈默", "13900002222")


def test_operators_see_what_a_message_is_about_and_only_supervisors_see_whom(stage):
    number = held(stage, code=4006, seen="LAMP-9", body=json.dumps(ADDRESSED, ensure_ascii=False).encode())
    for path in ("/quarantine", f"/quarantine/{number}"):
        operator, supervisor = (stage.client(role).get(path).text for role in ("operator", "supervisor"))
        assert all(word in operator for word in ("HM-7", "Harbour Tea", "LAMP-9", "Desk lamp", "厦门"))
        assert not any(word in operator for word in PERSONAL) and "Shown in full to supervisors" in operator
        assert all(word in supervisor for word in PERSONAL)


@pytest.mark.parametrize(
    "body", ['{"data": {"phone": "138', '["13800001234"]', '"13800001234"', "13800001234", "{" * 5000]
)
def test_a_message_that_cannot_be_read_tells_an_operator_nothing(stage, body):
    number = held(stage, body=body.encode())

    assert "138" not in stage.client("operator").get(f"/quarantine/{number}").text


@pytest.mark.parametrize("number", ["9223372036854775808", "9" * 23, "9" * 5000], ids=["one-more", "long", "endless"])
def test_a_number_that_the_books_cannot_hold_is_no_page(furnished, number):
    client = furnished.client("supervisor")
    answers = [
        client.get(f"/quarantine/{number}"),
        client.post(f"/quarantine/{number}/dismiss", data={"csrf": client.csrf, "key": "a-key-of-a-form"}),
    ]

    assert [answer.status_code for answer in answers] == [404, 404]


@pytest.mark.parametrize("action, args", [("alarm_ack", {"id": 2**63}), ("dismiss", {"inbox_id": 2**63, "note": ""}), ("replay", {"inbox_id": 2**63})])  # fmt: skip
def test_a_request_about_a_number_that_the_books_cannot_hold_is_unreadable(furnished, action, args):
    client = furnished.client("supervisor")
    answer = furnished.post(client, "/api/requests", {"action": action, "args": args, "key": "a-key-of-it"})

    assert answer.status_code == 400 and furnished.controller.handled == []
