"""An order that changes while its carton is labelled: the label of before is not believed any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from packline.core.effects import APPLY, PRINT, EffectState
from packline.orders.changes import changes
from packline.orders.model import Address, ParcelState, Purchase
from tests.stations.fakes import Paper
from tests.stations.line import ELSEWHERE, Life, content, trouble


def during(life: Life, act: str, change: Callable[[], Awaitable[None]]) -> None:
    """Let something happen in the books while a machine works."""
    device: Any = life.floor.printer if act == "print" else life.floor.arm
    plain = device.send

    async def send(effect: Any, ticket: Any) -> Any:
        evidence = await plain(effect, ticket)
        if effect.kind.name == act:
            device.send = plain
            await change()
        return evidence

    device.send = send


async def test_a_new_address_while_the_label_is_printed_throws_that_label_away(life: Life) -> None:
    lpn = await life.carton()
    during(life, "print", lambda: life.change(ship_to=ELSEWHERE))
    box = await life.label_all(lpn)
    first, second = life.floor.hall.printed
    assert life.floor.hall.thrown == [first] and box.labels == [second]
    assert (await life.parcel(lpn)).state is ParcelState.VERIFIED
    assert await life.kit.books.open_exceptions() == []


async def worked_out_early(life: Life, **changed: Any) -> Callable[[], Awaitable[None]]:
    """Work out what a change means now, as a feed does that is slow to book it; gives the booking.

    The books would refuse it for the label that they gave out meanwhile: the station does not rely on that.
    """
    new = content(1, version=2, digest="1" * 64, **changed)
    order = await life.the_order(new.order_id)
    units = await life.kit.books.units(order_id=new.order_id)
    events = changes(order, units, await life.kit.books.parcels(order_id=new.order_id), new)
    blind = [replace(e, data={k: v for k, v in e.data.items() if k != "labels"}) for e in events]
    return lambda: life.kit.record(*blind)


@pytest.mark.parametrize("act", ["print", "apply"])
@pytest.mark.parametrize("ship_to", [ELSEWHERE, None], ids=["another", "none"])
async def test_a_label_with_an_address_that_the_order_has_no_more_is_not_verified(
    life: Life, act: str, ship_to: Address | None
) -> None:
    """The change was worked out before the label's number was booked: it voids no label."""
    lpn = await life.carton(approval=False)
    during(life, act, await worked_out_early(life, approval=False, ship_to=ship_to))
    box = await life.label_all(lpn)
    parcel = await life.parcel(lpn)
    assert (parcel.state, parcel.reason, parcel.sscc) == (ParcelState.CLARIFY, "address_changed", "")
    assert life.floor.hall.lanes[3] == [box]
    assert await life.effect(PRINT, lpn, 1) is await life.effect(APPLY, lpn, 1) is EffectState.VOIDED


async def test_a_change_that_leaves_the_address_as_it_is_takes_no_label_back(life: Life) -> None:
    lpn = await life.carton()
    during(life, "print", await worked_out_early(life, buyer="another"))
    await life.label_all(lpn)
    assert (await life.parcel(lpn)).state is ParcelState.VERIFIED


async def test_the_label_carries_the_address_that_the_order_has_when_its_number_is_booked(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.peel = Paper(sscc="395213210000009999", lpn="PL0000000994", print_number=77)
    during(life, "discard", lambda: life.change(ship_to=ELSEWHERE))
    await life.label_all(lpn)
    row = await life.kit.ledger.find(PRINT, lpn, 1)
    assert row is not None and row.effect.parameters["ship_to"]["city"] == "北京"


async def test_an_order_cancelled_while_its_label_is_printed_goes_to_clarification_without_it(life: Life) -> None:
    lpn = await life.carton()
    during(life, "print", lambda: life.change(purchase=Purchase.CANCELLED))
    box = await life.label_all(lpn)
    assert box.labels == [] and life.floor.hall.lanes[3] == [box]
    nxt = await life.carton(2, 2)
    box = await life.label_all(nxt)
    assert [p.lpn for p in box.labels] == [nxt] and not life.floor.hall.wrong_labels()
    assert await life.kit.books.open_exceptions() == []


async def test_an_order_cancelled_while_the_label_is_put_on_is_not_approved(life: Life) -> None:
    lpn = await life.carton(approval=False)
    during(life, "apply", lambda: life.change(approval=False, purchase=Purchase.CANCELLED))
    box = await life.label_all(lpn)
    assert life.floor.hall.lanes[3] == [box] and (await life.parcel(lpn)).state is ParcelState.RETURNING


async def test_a_reprint_asked_for_while_the_label_is_printed_voids_only_that_label(life: Life) -> None:
    lpn = await life.carton()

    async def reprint() -> None:
        await life.resolver.parcel(lpn, "reprint", actor="lin", role="operator")

    during(life, "print", reprint)
    box = await life.label_all(lpn)
    assert len(life.floor.hall.printed) == 2 and len(box.labels) == 1
    assert (await life.parcel(lpn)).state is ParcelState.VERIFIED


async def test_reprint_voids_the_old_label_and_gives_new_numbers(life: Life) -> None:
    lpn = await life.carton()
    box = await life.label_all(lpn)
    before = await life.parcel(lpn)
    await life.resolver.parcel(lpn, "reprint", actor="lin", role="operator")
    assert await life.effect(PRINT, lpn, 1) is EffectState.VOIDED
    assert await life.effect(APPLY, lpn, 1) is EffectState.VOIDED
    box.labels.clear()
    life.floor.hall.stop = box
    await life.label_all(lpn)
    after = await life.parcel(lpn)
    assert after.sscc != before.sscc and after.print_number != before.print_number and after.generation == 2
    old = await life.kit.books.label(before.sscc)
    assert old is not None and old.state == "voided"


async def test_reprinted_parcel_that_still_shows_its_old_label_gets_no_second_one(life: Life) -> None:
    lpn = await life.carton()
    box = await life.label_all(lpn)
    await life.resolver.parcel(lpn, "reprint", actor="lin", role="operator")
    life.floor.hall.stop = box
    assert (await trouble(life.label.step())).fault.code == 3003
    assert len(life.floor.hall.printed) == 1
