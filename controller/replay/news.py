"""What the world was told: one event outside for each that is to be told, about the thing as it was then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from controller.replay.moment import Finding, Moment
from packline.orders.lifecycle import TARGET
from packline.orders.tracking import TRACKING
from packline.store.recorded import Recorded


class News:
    """Reads the outbox beside the journal."""

    def __init__(self, recorded: Recorded) -> None:
        self._rows = recorded.news()
        self._next: Mapping[str, Any] | None = next(self._rows, None)
        self.has_outbox = self._next is not None

    def judge(self, moment: Moment) -> Iterator[Finding]:
        """Look at what was told of a row, after it was applied."""
        seq, name = moment.row["seq"], TRACKING.get(moment.event.kind)
        told = self._at(seq)
        if not self.has_outbox:
            return
        if (told["name"] if told else None) != name:
            yield Finding(
                rule="tracking", seen=str(told["name"] if told else "nothing told"), expected=name or "nothing"
            )
        elif told is not None:
            yield from _body(told, moment)

    def _at(self, seq: int) -> Mapping[str, Any] | None:
        while self._next is not None and self._next["seq"] < seq:
            self._next = next(self._rows, None)
        return self._next if self._next is not None and self._next["seq"] == seq else None


def _body(told: Mapping[str, Any], moment: Moment) -> Iterator[Finding]:
    body, expected = {**told["body"], "subject": told["subject"]}, _expected(moment)
    for name, value in expected.items():
        if body.get(name) != value:
            yield Finding(rule="tracking", seen=f"{name} {body.get(name)!r}", expected=f"{name} {value!r}")
            return


def _expected(moment: Moment) -> dict[str, Any]:
    world, subject, target = moment.world, moment.event.subject, TARGET.get(moment.event.kind)
    said: dict[str, Any] = {"subject": subject}
    if target == "parcel":
        parcel = world.parcels[subject]
        order = world.orders[parcel.order_id]
        said |= {"lpn": parcel.lpn, "sscc": parcel.sscc, "state": parcel.state.value, "generation": parcel.generation}
    elif target == "unit":
        unit = world.unit(subject)
        order = world.orders[unit.order_id]
        said |= {"unit": unit.unit_id, "sku": unit.sku, "state": unit.state.value}
    else:
        order = world.orders[subject]
        said |= {"state": order.state.value}
    content = order.content
    return said | {"order_id": order.order_id, "order_state": order.state.value, "external_id": content.external_id}
