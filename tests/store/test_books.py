import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError

from packline.core.effects import APPLY, PRINT, SEAL, Effect, EffectKind, EffectState
from packline.core.faults import Fault
from packline.core.pictures import Still
from packline.orders.model import Event, Item, OrderState, ParcelState, UnitState
from packline.orders.tracking import TRACKING
from packline.store import schema
from packline.store.figures import Figures
from packline.store.hot_views import MOST_ROWS
from packline.store.schema import delivery, journal, outbox

LPN = "PL0000000018"
S = EffectState


def on_parcel(kind: str, **data: object) -> Event:
    return Event(kind=kind, subject=LPN, order_id="market-HM-1", station="s-1", data=data)


def count(store, table) -> int:
    return store.writer.read_now(lambda db: db.execute(select(func.count()).select_from(table)).scalar_one())


@pytest.fixture
async def packed(store, received):
    """A parcel in a carton, taped shut."""
    await store.outbox.set_subscribers([("shop", "merchant"), ("app", "buyer"), ("archive", "archive")])
    await store.books.record(
        received(),
        Event(kind="OrderReleased", subject="market-HM-1"),
        on_parcel("ParcelOpened", place="induct-1", bench=True),
        on_parcel("ParcelCollected"),
        on_parcel("ParcelPacked", place="pack-1"),
    )
    return store


async def test_received_order_brings_one_unit_per_piece(store, received, place_order):
    await store.books.record(received(quantities=(2, 1)))

    order = await store.books.order("market-HM-1")
    units = await store.books.units(order_id="market-HM-1")
    assert order is not None
    assert order.content == place_order(quantities=(2, 1))
    assert order.state is OrderState.RECEIVED
    assert [(u.unit_id, u.sku, u.state) for u in units] == [
        ("market-HM-1.1.1", "SKU-1", UnitState.WANTED),
        ("market-HM-1.1.2", "SKU-1", UnitState.WANTED),
        ("market-HM-1.2.1", "SKU-2", UnitState.WANTED),
    ]


async def test_lines_of_an_order_that_nobody_touched_may_change(store, received, place_order):
    await store.books.record(received(quantities=(2, 1)))
    new = place_order(quantities=(1, 1, 1), version=2)

    await store.books.record(Event(kind="OrderChanged", subject=new.order_id, data={"content": new}))

    units = await store.books.units(order_id=new.order_id)
    assert [u.unit_id for u in units] == [f"{new.order_id}.{line}.1" for line in (1, 2, 3)]
    assert store.audit_now() == []


async def test_an_article_that_was_changed_before_the_release_is_the_one_that_is_fetched(store, received, place_order):
    await store.books.record(received(quantities=(2,)))
    new = place_order(quantities=(2,), version=2)
    new = replace(new, lines=(replace(new.lines[0], sku="SKU-9"),))

    await store.books.record(Event(kind="OrderChanged", subject=new.order_id, data={"content": new}))

    assert [u.sku for u in await store.books.units(order_id=new.order_id)] == ["SKU-9", "SKU-9"]
    assert store.audit_now() == []


async def test_content_of_a_released_order_changes_without_touching_its_units(store, received, place_order):
    await store.books.record(received(), Event(kind="OrderReleased", subject="market-HM-1"))
    before = await store.books.units(order_id="market-HM-1")
    new = place_order(paid=False, version=2)

    await store.books.record(Event(kind="OrderChanged", subject=new.order_id, data={"content": new}))

    order = await store.books.order(new.order_id)
    assert order is not None
    assert not order.content.paid
    assert await store.books.units(order_id=new.order_id) == before


async def test_units_of_orders_that_still_wait_are_left_out_where_those_on_the_floor_are_asked_for(
    store, received, place_order
):
    await store.books.record(received(quantities=(2, 1)), received(2))
    assert await store.books.units(states={UnitState.WANTED}, released=True) == []
    await store.books.record(Event(kind="OrderReleased", subject="market-HM-1"))
    wanted = await store.books.units(states={UnitState.WANTED}, released=True)
    assert [unit.unit_id for unit in wanted] == ["market-HM-1.1.1", "market-HM-1.1.2", "market-HM-1.2.1"]
    assert await store.books.units(states={UnitState.INDUCTED}, released=True) == []


async def test_events_change_the_parcel_by_the_table(packed):
    parcel = await packed.books.parcel(LPN)

    assert parcel is not None
    assert (parcel.state, parcel.place, parcel.bench) == (ParcelState.PACKED, "pack-1", True)
    assert await packed.books.parcels(place="pack-1", states=[ParcelState.PACKED]) == [parcel]
    assert await packed.books.parcels(states=[ParcelState.OPEN]) == []


async def test_event_that_the_table_refuses_takes_the_whole_record_with_it(packed):
    before = count(packed, journal), count(packed, outbox)

    with pytest.raises(Fault) as caught:
        await packed.books.record(on_parcel("ParcelHeld"), on_parcel("ParcelShipped"))

    parcel = await packed.books.parcel(LPN)
    assert caught.value.code == 5101
    assert parcel is not None
    assert not parcel.held
    assert (count(packed, journal), count(packed, outbox)) == before


@pytest.mark.parametrize(
    "event",
    [
        Event(kind="OrderReleased", subject="market-none"),
        Event(kind="UnitBoxed", subject="market-HM-1.9.9"),
        Event(kind="ParcelPacked", subject="PL0000000026"),
        Event(kind="ParcelOpened", subject="PL0000000026", order_id="market-none"),
        Event(kind="ParcelOpened", subject=LPN, order_id="market-HM-1"),
        Event(kind="OrderReceived", subject="market-HM-2"),
    ],
    ids=lambda event: f"{event.kind} {event.subject}",
)
async def test_event_of_something_that_is_not_there_or_there_already_changes_nothing(packed, event):
    before = count(packed, journal)

    with pytest.raises(Fault) as caught:
        await packed.books.record(event)

    assert caught.value.code == 5101
    assert count(packed, journal) == before


@pytest.mark.parametrize("table", [journal, outbox, delivery], ids=lambda table: table.name)
async def test_row_journal_and_outbox_are_one(packed, table):
    """Planted: the database refuses the journal row, the outbox row, the delivery row."""
    packed.writer.write_now(lambda db: [db.execute(text(s)).rowcount for s in refusing(db.dialect.name, table.name)])
    before = [count(packed, t) for t in (journal, outbox, delivery)]

    with pytest.raises(Fault):
        await packed.books.record(on_parcel("ParcelReturning"), on_parcel("ParcelReturned"))

    parcel = await packed.books.parcel(LPN)
    assert parcel is not None
    assert parcel.state is ParcelState.PACKED
    assert [count(packed, t) for t in (journal, outbox, delivery)] == before


def refusing(dialect: str, table: str) -> list[str]:
    """Give what makes a database refuse new rows of a table."""
    if dialect == "sqlite":
        return [f"CREATE TRIGGER planted BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'planted'); END"]
    body = "BEGIN RAISE EXCEPTION 'planted' USING ERRCODE = 'integrity_constraint_violation'; END"
    return [
        f"CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
        f"CREATE TRIGGER planted BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION planted()",
    ]


async def test_the_outbox_has_one_delivery_for_each_subscriber_that_hears(packed):
    await packed.books.record(
        on_parcel("LabelAssigned", sscc="0" * 18, print_number=1), on_parcel("LabelPrinted"), on_parcel("LabelApplied")
    )

    query = select(outbox.c.name, delivery.c.subscriber).join(delivery).where(outbox.c.name == "parcel.labelled")
    rows = packed.writer.read_now(lambda db: db.execute(query.order_by(delivery.c.subscriber)).all())
    assert rows == [("parcel.labelled", "archive"), ("parcel.labelled", "shop")]


async def test_news_carry_the_full_state_and_no_address(packed):
    query = select(outbox).where(outbox.c.name == "parcel.packed")
    row = packed.writer.read_now(lambda db: db.execute(query).one())

    assert row.subject == LPN
    assert row.body["order_id"] == "market-HM-1"
    assert row.body["external_id"] == "HM-1"
    assert row.body["merchant"] == "m-1"
    assert row.body["lpn"] == LPN
    assert row.body["state"] == "packed"
    assert "王小明" not in str(row.body)


async def test_every_event_that_the_world_hears_of_has_a_row_in_the_outbox(packed):
    kinds = packed.writer.read_now(lambda db: db.execute(select(journal.c.kind)).scalars().all())

    assert count(packed, outbox) == sum(kind in TRACKING for kind in kinds)


async def test_journal_is_append_only(packed):
    for statement in ("UPDATE journal SET kind = 'x'", "DELETE FROM journal"):
        with pytest.raises(IntegrityError, match="append-only"):
            packed.writer.write_now(lambda db, s=statement: db.execute(text(s)).rowcount)


async def test_audit_finds_a_changed_row_and_a_forged_journal(packed, clock):
    assert packed.audit_now() == []

    forged = {"seq": 99, "at": clock.now(), "kind": "ParcelShipped", "subject": LPN, "order_id": ""}
    forged |= {"station": "", "actor": "", "data": {}, "prev": "", "hash": "x"}
    packed.writer.write_now(lambda db: db.execute(text("UPDATE parcel SET place = 'elsewhere'")).rowcount)
    packed.writer.write_now(lambda db: db.execute(insert(journal), forged).rowcount)

    findings = "\n".join(packed.audit_now())
    assert "journal 99: number or hash does not follow" in findings
    assert "journal 99: ParcelShipped" in findings
    assert "parcel PL0000000018: row" in findings


async def test_label_numbers_are_kept_for_ever(packed):
    await packed.books.record(
        on_parcel("LabelAssigned", sscc="1" * 18, print_number=1),
        on_parcel("LabelPrinted"),
        on_parcel("LabelVoided", reason="half printed"),
        on_parcel("LabelAssigned", sscc="2" * 18, print_number=2),
        on_parcel("LabelAssigned", sscc="3" * 18, print_number=3),
    )

    states = {n: (await packed.books.label(n * 18)) for n in "123"}
    assert {n: label and (label.state, label.generation) for n, label in states.items()} == {
        "1": ("voided", 1),
        "2": ("voided", 2),
        "3": ("assigned", 3),
    }
    assert await packed.books.label("9" * 18) is None


DIED = asyncio.CancelledError()
SO_FAR: dict[EffectState, dict[str, Any]] = {
    S.INTENDED: {"send": DIED},
    S.SENT: {"inquire": DIED},
    S.UNKNOWN: {"inquire": S.UNKNOWN},
    S.CONFIRMED: {"inquire": S.CONFIRMED},
    S.FAILED: {"inquire": S.FAILED},
}


@pytest.mark.parametrize("over", ["LabelVoided", "LabelAssigned"])
@pytest.mark.parametrize("so_far", SO_FAR)
async def test_with_a_label_goes_all_that_was_done_for_it(packed, device, so_far, over):
    """In one transaction: there is no moment in which the print of a void label counts."""
    await packed.books.record(on_parcel("LabelAssigned", sscc="1" * 18, print_number=1))
    for kind in (PRINT, APPLY):
        with suppress(asyncio.CancelledError):
            await packed.ledger.perform(label_effect(kind), device(**SO_FAR[so_far]))
        row = await packed.ledger.find(kind, LPN, 1)
        assert row is not None and row.state is so_far

    data = {"sscc": "1" * 18} if over == "LabelVoided" else {"sscc": "2" * 18, "print_number": 2}
    await packed.books.record(on_parcel(over, **data))

    rows = [await packed.ledger.find(kind, LPN, 1) for kind in (PRINT, APPLY)]
    assert [row and row.state for row in rows] == [S.VOIDED, S.VOIDED]
    assert packed.audit_now() == []


async def test_what_was_not_done_for_a_label_stays_not_done_and_other_effects_stay_as_they_are(packed, device):
    await packed.books.record(on_parcel("LabelAssigned", sscc="1" * 18, print_number=1))
    await packed.ledger.perform(label_effect(PRINT), device(send=S.NOT_EXECUTED))
    await packed.ledger.perform(label_effect(SEAL), device())

    await packed.books.record(on_parcel("LabelVoided"))

    rows = [await packed.ledger.find(kind, LPN, 1) for kind in (PRINT, APPLY, SEAL)]
    assert [row and row.state for row in rows] == [S.NOT_EXECUTED, None, S.CONFIRMED]


async def test_a_label_whose_voiding_is_refused_keeps_what_was_done_for_it(packed, device):
    await packed.books.record(on_parcel("LabelAssigned", sscc="1" * 18, print_number=1))
    await packed.ledger.perform(label_effect(PRINT), device())

    with pytest.raises(Fault):
        await packed.books.record(on_parcel("LabelVoided"), on_parcel("ParcelDelivered"))

    row = await packed.ledger.find(PRINT, LPN, 1)
    assert row is not None and row.state is S.CONFIRMED


def label_effect(kind: EffectKind) -> Effect:
    return Effect(kind=kind, subject=LPN, generation=1, station="label-1")


async def test_label_number_is_never_assigned_twice(packed):
    await packed.books.record(on_parcel("LabelAssigned", sscc="1" * 18, print_number=1), on_parcel("LabelVoided"))

    with pytest.raises(Fault) as caught:
        await packed.books.record(on_parcel("LabelAssigned", sscc="1" * 18, print_number=2))

    assert caught.value.code == 5101


async def test_event_that_no_table_knows_is_a_plain_entry(packed):
    before = count(packed, journal)

    await packed.books.record(Event(kind="StationHeld", subject="pack-1", station="pack-1", actor="lin"))

    assert count(packed, journal) == before + 1


async def test_serials_start_at_one_and_never_repeat(store):
    assert [await store.books.serial("sscc") for _ in range(3)] == [1, 2, 3]
    assert await store.books.serial("print") == 1
    assert await store.meta.jump_serials({"sscc": 10_000, "job": 5}) == {"sscc": 10_003, "job": 5}
    assert await store.books.serial("sscc") == 10_004


async def test_item_is_found_by_every_barcode_and_by_several_merchants(store):
    cup = Item(sku="A", merchant="m-1", name="茶杯", barcodes=("4006381333931", "X1"), weight_g=300)
    other = Item(sku="B", merchant="m-2", name="cup", barcodes=("4006381333931",))
    await store.items.put([cup, other])

    assert await store.books.item("A") == cup
    assert await store.books.item_of("X1") == [cup]
    assert await store.books.item_of("4006381333931") == [cup, other]
    assert await store.books.item_of("nothing") == []
    assert await store.books.item("nothing") is None


async def test_item_written_anew_loses_its_old_barcodes(store):
    await store.items.put([Item(sku="A", merchant="m", name="x", barcodes=("1", "2"))])
    await store.items.put([Item(sku="A", merchant="m", name="y", barcodes=("3",))])

    assert await store.books.item_of("1") == []
    assert [item.name for item in await store.books.item_of("3")] == ["y"]


async def test_same_exception_is_opened_once_until_it_is_closed(packed):
    desk = packed.books
    first = await desk.open_exception(Fault(2104, where="arm"), station="label-1", subject=LPN, actions=["retry"])
    again = await desk.open_exception(Fault(2104, where="arm"), station="label-1", subject=LPN, actions=["retry"])
    other = await desk.open_exception(Fault(2105, where="arm"), station="label-1", subject=LPN, actions=["reprint"])

    await desk.close_exception(first, action="retry", actor="lin", note="stuck on now")
    await desk.close_exception(first, action="void", actor="mei")
    anew = await desk.open_exception(Fault(2104, where="arm"), station="label-1", subject=LPN, actions=["retry"])

    assert first == again
    assert len({first, other, anew}) == 3
    assert [row.exception_id for row in await desk.open_exceptions("label-1")] == [other, anew]
    closed = await packed.desk.exception(first)
    assert closed is not None
    assert closed.resolution == {"action": "retry", "actor": "lin", "note": "stuck on now"}
    with pytest.raises(Fault):
        await desk.close_exception("nothing", action="retry", actor="lin")


async def test_exception_that_holds_a_station_is_seen_behind_hundreds_that_can_wait(store):
    """Messages in quarantine, one row each, filled the page from its beginning."""
    for n in range(MOST_ROWS):
        await store.books.open_exception(Fault(4006, where="x"), station="market", subject=f"inbox:{n}", actions=[])
    await store.books.open_exception(Fault(3003, where="x"), station="label-1", subject=LPN, actions=[])

    seen = store.views.exceptions()
    assert (seen[0].code, len(seen)) == (3003, MOST_ROWS)


async def test_exceptions_are_told_on_the_page_of_their_order(packed):
    await packed.books.open_exception(Fault(2104, where="arm"), station="label-1", subject=LPN, actions=[])

    query = select(journal.c.kind).where(journal.c.order_id == "market-HM-1", journal.c.kind == "ExceptionOpened")
    assert packed.writer.read_now(lambda db: db.execute(query).scalar()) == "ExceptionOpened"


async def test_alarm_that_stands_only_counts(packed):
    for _ in range(3):
        await packed.books.raise_alarm(Fault(1001, where="arm-1"), source="arm-1")

    (alarm,) = await packed.desk.standing_alarms()
    assert alarm["count"] == 3
    entries = select(func.count()).where(journal.c.kind == "AlarmRaised")
    assert packed.writer.read_now(lambda db: db.execute(entries).scalar()) == 1

    assert await packed.desk.acknowledge_alarm(alarm["id"], actor="lin")
    assert not await packed.desk.acknowledge_alarm(alarm["id"], actor="mei")
    await packed.books.clear_alarm(1001, source="arm-1")
    await packed.books.clear_alarm(1001, source="arm-1")
    assert await packed.desk.standing_alarms() == []

    await packed.books.raise_alarm(Fault(1001, where="arm-1"), source="arm-1")
    assert [row["count"] for row in await packed.desk.standing_alarms()] == [1]


async def test_alarm_that_returns_unacknowledged_is_the_same_one_and_active_again(packed, clock):
    first = clock.now()
    for _ in range(3):
        await packed.books.raise_alarm(Fault(1001, where="arm-1"), source="arm-1")
        await packed.books.clear_alarm(1001, source="arm-1")
        clock.advance(30)
    await packed.books.raise_alarm(Fault(1001, where="arm-1"), source="arm-1")
    await packed.books.raise_alarm(Fault(1001, where="arm-2"), source="arm-2")

    (alarm, _) = await packed.desk.standing_alarms()
    assert (alarm["count"], alarm["raised_at"], alarm["last_at"]) == (4, first, clock.now())
    assert await packed.desk.counts() == (2, 0)
    entries = select(func.count()).where(journal.c.kind == "AlarmRaised")
    assert packed.writer.read_now(lambda db: db.execute(entries).scalar()) == 5


async def test_each_of_many_alarms_is_acknowledged_in_the_journal_by_who_did_it_and_once(packed):
    for code in (1001, 2007, 2101):
        await packed.books.raise_alarm(Fault(code, where="arm-1"), source="arm-1")
    one, two, _ = [row["id"] for row in await packed.desk.standing_alarms()]

    assert await packed.desk.acknowledge_alarms([one, two, 999], actor="lin") == 2
    assert await packed.desk.acknowledge_alarms([one, two], actor="mei") == 0
    said = select(journal.c.actor, journal.c.data).where(journal.c.kind == "AlarmAcknowledged").order_by(journal.c.seq)
    rows = packed.writer.read_now(lambda db: db.execute(said).all())
    assert [(row.actor, row.data["code"]) for row in rows] == [("lin", 1001), ("lin", 2007)]
    assert len(await packed.desk.standing_alarms()) == 3


async def test_picture_is_evidence(packed, clock):
    still = Still(jpeg=b"\xff\xd8jpeg", camera="cam-verify", frame=17, captured_at=clock.now())

    picture_id = await packed.books.keep_picture(still, kind="label", subject=LPN, order_id="market-HM-1")

    kept = await packed.pictures.picture(picture_id)
    assert kept is not None
    assert kept.intact
    assert (kept.jpeg, kept.camera, kept.captured_at) == (still.jpeg, "cam-verify", clock.now())
    packed.writer.write_now(lambda db: db.execute(schema.picture_blob.update(), {"jpeg": b"other"}).rowcount)
    changed = await packed.pictures.picture(picture_id)
    assert changed is not None
    assert not changed.intact


async def test_old_pictures_of_orders_that_are_over_lose_their_bytes_and_nothing_else(packed, received, clock):
    async def kept(order_id: str) -> str:
        still = Still(jpeg=b"\xff\xd8jpeg", camera="cam-verify", frame=17, captured_at=clock.now())
        return await packed.books.keep_picture(still, kind="label", subject=LPN, order_id=order_id)

    await packed.books.record(received(2))
    over, at_work = await kept("market-HM-2"), await kept("market-HM-1")
    clock.advance(3600)
    between = clock.now()
    young = await kept("market-HM-2")
    await packed.books.record(Event(kind="OrderCancelled", subject="market-HM-2"))

    assert await packed.pictures.forget(between) == 1
    assert await packed.pictures.forget(between) == 0
    assert await packed.pictures.picture(over) is None
    assert all([await packed.pictures.picture(other) for other in (at_work, young)])
    rows = packed.writer.read_now(
        lambda db: db.execute(select(schema.picture).order_by(schema.picture.c.picture_id)).all()
    )
    assert {row.picture_id: row.size_bytes > 0 for row in rows} == {over: False, at_work: True, young: True}
    assert len({row.sha256 for row in rows}) == 1


async def test_more_old_pictures_than_are_dropped_at_once_go_in_parts(packed, received, clock, monkeypatch):
    monkeypatch.setattr("packline.store.pictures.FORGOTTEN_AT_ONCE", 2)
    await packed.books.record(received(2), Event(kind="OrderCancelled", subject="market-HM-2"))
    for frame in range(5):
        still = Still(jpeg=b"\xff\xd8jpeg", camera="cam-verify", frame=frame, captured_at=clock.now())
        await packed.books.keep_picture(still, kind="label", subject=LPN, order_id="market-HM-2")
    clock.advance(3600)
    assert [await packed.pictures.forget(clock.now()) for _ in range(4)] == [2, 2, 1, 0]


async def test_figures_follow_what_leaves_as_if_they_counted_it_anew_each_time(packed, received, clock):
    """What is over is not counted again: the books keep it for years."""
    label = {"sscc": "395213210000000019", "print_number": 1}
    ways = (
        (on_parcel("LabelAssigned", **label), on_parcel("LabelPrinted"), on_parcel("LabelApplied")),
        (on_parcel("LabelVerified"), on_parcel("ParcelApproved")),
        (on_parcel("ParcelShipped"), Event(kind="OrderShipped", subject="market-HM-1")),
        (received(2), Event(kind="OrderCancelled", subject="market-HM-2")),
        (received(3), on_parcel("ParcelDelivered"), Event(kind="OrderClosed", subject="market-HM-1")),
        (
            received(4),
            Event(kind="OrderReleased", subject="market-HM-4"),
            Event(kind="OrderReturned", subject="market-HM-4"),
        ),
    )
    for events in ways:
        followed = await packed.figures.count(clock.now())
        await packed.books.record(*events)
        followed, anew = await packed.figures.count(clock.now()), await Figures(packed.writer).count(clock.now())
        assert followed == anew

    assert followed["orders"] == {"received": 1, "closed": 1, "cancelled": 1, "returned": 1}
    assert followed["parcels"] == {"delivered": 1}


async def test_figures_count_what_is_there(packed, clock):
    figures = await packed.figures.count(clock.now())

    assert figures["orders"] == {"released": 1}
    assert figures["parcels"] == {"packed": 1}
    assert figures["wip"] == 1
    assert figures["oldest_waiting_at"] == clock.now()
    assert figures["seq"] == count(packed, journal)
    assert [parcel["state"] for parcel in figures["floor"]["parcels"]] == ["packed"]
    assert figures["floor"]["cases"] == []


async def test_a_change_of_address_that_did_not_see_a_label_is_not_written_down(packed, place_order):
    """The feed looked, the line gave out a label number, the feed writes: the label would keep the old address."""
    await packed.books.record(on_parcel("LabelAssigned", sscc="395213210000000019", print_number=1))
    new = place_order(version=2)
    with pytest.raises(Fault) as fault:
        await packed.books.record(
            Event(kind="OrderChanged", subject="market-HM-1", data={"content": new, "labels": []})
        )
    assert fault.value.code == 5101
    seen = {"content": new, "labels": ["395213210000000019"]}
    await packed.books.record(Event(kind="OrderChanged", subject="market-HM-1", data=seen))
