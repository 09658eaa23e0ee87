from datetime import timedelta

import pytest
from sqlalchemy import select

from packline.core.clock import ManualClock
from packline.core.faults import Fault
from packline.store.requests import Requests
from packline.store.schema import journal

HEADERS = {"webhook-id": "msg-1"}


async def test_message_is_kept_byte_for_byte_and_once(store, clock):
    first = store.inbox.put_now("market", "msg-1", HEADERS, b"\xff\x00{", clock.now())
    again = store.inbox.put_now("market", "msg-1", HEADERS, b"\xff\x00{", clock.now())
    other = await store.inbox.put("market", "msg-1", HEADERS, b"{}", clock.now())
    courier = store.inbox.put_now("market", "msg-1", HEADERS, b"{}", clock.now(), kind="courier")

    assert (first.is_new, first.same_body) == (True, True)
    assert (again.id, again.is_new, again.same_body) == (first.id, False, True)
    assert (other.id, other.is_new, other.same_body) == (first.id, False, False)
    assert courier.is_new
    rows = await store.inbox.pending()
    assert await store.inbox.pending(10, rows[0].id) == rows[1:]
    assert [(row.kind, row.body, row.headers, row.received_at) for row in rows] == [
        ("feed", b"\xff\x00{", HEADERS, clock.now()),
        ("courier", b"{}", HEADERS, clock.now()),
    ]


async def test_settled_message_is_not_pending_and_a_quarantined_one_can_be_replayed(store, clock):
    ids = [store.inbox.put_now("market", f"msg-{n}", {}, b"", clock.now()).id for n in range(3)]
    for message, state in zip(ids, ("done", "quarantined", "ignored"), strict=True):
        await store.inbox.mark(message, state, "4005 order contradicts itself")
    assert await store.inbox.pending() == []

    await store.inbox.replay(ids[1])

    assert [row.id for row in await store.inbox.pending()] == [ids[1]]
    with pytest.raises(Fault):
        await store.inbox.replay(ids[0])
    with pytest.raises(ValueError, match="perhaps"):
        await store.inbox.mark(ids[0], "perhaps")
    row = await store.inbox.row(ids[2])
    assert row is not None
    assert row.reason == "4005 order contradicts itself"


async def test_dismissed_messages_are_kept_with_a_line_in_the_journal_and_can_still_be_replayed(store, clock):
    ids = [store.inbox.put_now("market", f"msg-{n}", {}, b"{", clock.now()).id for n in range(3)]
    fault = Fault(4001, where="order market-1 version 1", seen="data.id: 5", expected="text")
    for message in ids[:2]:
        await store.inbox.mark(message, "quarantined", fault.text(), fault.as_dict())
    assert [held.fault["code"] for held in await store.inbox.quarantined("order market-1 ")] == [4001, 4001]
    assert await store.inbox.quarantined("order market-1_version") == []

    assert await store.inbox.dismiss(*ids, actor="lin", note="sent twice") == 2
    assert await store.inbox.quarantined() == []
    page = store.views.message(ids[0])
    assert (page.state, page.reason, page.fault) == ("dismissed", "dismissed by lin: sent twice", fault.as_dict())
    query = select(journal.c.subject, journal.c.actor, journal.c.data).where(journal.c.kind == "MessageDismissed")
    lines = store.writer.read_now(lambda db: [tuple(row) for row in db.execute(query)])
    note = {"code": 4001, "note": "sent twice"}
    assert lines == [(f"inbox:{n}", "lin", note) for n in ids[:2]]

    await store.inbox.replay(ids[0])
    (again, never_worked) = await store.inbox.pending()
    assert (again.id, again.fault["code"], never_worked.fault) == (ids[0], 4001, {})


def ask(store, key: str = "k-1", action: str = "scan", **changes):
    return store.requests.put_now(
        key=key, action=action, args={"station": "s"}, actor="lin", role="operator", **changes
    )


async def test_same_key_gives_the_first_request_and_its_answer(store):
    first = ask(store)
    (pending,) = await store.requests.pending()
    await store.requests.finish(pending.id, {"key": "store", "params": {}})

    again = ask(store, action="button")

    assert (again.id, again.action, again.state) == (first.id, "scan", "done")
    assert again.result == {"key": "store", "params": {}}
    assert await store.requests.pending() == []


async def test_first_answer_stands(store):
    row = ask(store)
    await store.requests.finish(row.id, {"n": 1}, state="refused")
    await store.requests.finish(row.id, {"n": 2})

    found = await store.requests.get(row.id)
    assert found is not None
    assert (found.state, found.result) == ("refused", {"n": 1})
    with pytest.raises(ValueError, match="perhaps"):
        await store.requests.finish(row.id, {}, state="perhaps")


async def test_click_of_an_outage_never_moves_a_machine_later(store, clock):
    click = ask(store)
    answer = ask(store, "k-2", "answer")
    clock.advance(5)

    assert [row.id for row in await store.requests.pending()] == [answer.id]
    late = store.requests.get_now(click.id)
    assert late is not None
    assert late.state == "expired"
    assert late.result["code"] == 5102
    await store.requests.finish(click.id, {"n": 1})
    assert store.requests.get_now(click.id) == late


async def test_click_moves_no_machine_later_when_the_clock_is_put_back(store, clock):
    clock.advance(7200)
    click = ask(store)
    answer = ask(store, key="a2", action="answer")
    an_hour_ago = Requests(store.writer, ManualClock(clock.now() - timedelta(hours=1)))

    assert [row.id for row in await an_hour_ago.pending()] == [answer.id]
    late = store.requests.get_now(click.id)
    assert late is not None and (late.state, late.result["code"]) == ("expired", 5102)


async def test_click_is_taken_when_the_clock_is_put_right_by_a_second(store, clock):
    clock.advance(10)
    click = ask(store)
    a_second_ago = Requests(store.writer, ManualClock(clock.now() - timedelta(seconds=1)))

    assert [row.id for row in await a_second_ago.pending()] == [click.id]


async def test_caller_may_say_how_long_a_request_waits(store, clock):
    ask(store, expires_s=60)
    clock.advance(59)

    assert len(await store.requests.pending()) == 1


def test_unknown_request_is_none(store):
    assert store.requests.get_now(99) is None


async def test_small_facts_are_kept(store):
    await store.meta.put("running", "yes")
    store.meta.put_now("running", {"run": "01"})

    assert await store.meta.get("running") == {"run": "01"}
    assert store.meta.get_now("nothing", 7) == 7
