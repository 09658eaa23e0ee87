"""The label station: right label, right parcel, once."""

from __future__ import annotations

from packline.orders.model import ParcelState
from tests.stations.line import Life


async def test_a_packed_carton_is_labelled_verified_and_sent_to_hold(life: Life) -> None:
    lpn = await life.carton()
    box = await life.label_all(lpn)
    parcel = await life.parcel(lpn)
    assert parcel.state is ParcelState.VERIFIED and parcel.approval == "asked"
    assert [(p.lpn, p.print_number) for p in box.labels] == [(lpn, parcel.print_number)]
    assert life.floor.hall.lanes[2] == [box] and parcel.place == "to:lane-hold"
