"""What an induct station is to fetch next, most urgent first."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from packline.orders.model import Purchase, Unit, UnitState
from stations.kit import Kit
from stations.screen import SEEN, Instruction, say

MOST_SHOWN = 12


class PickList:
    """The wanted units of the released orders, as they were when somebody last looked."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._wanted: list[Unit] = []
        self._since = kit.clock.now()

    async def look(self, shown: Collection[Instruction] = ()) -> list[Instruction]:
        """Read the books and give what a screen shows; an instruction that is `shown` already is not made anew."""
        live = [o.order_id for o in await self._kit.released() if o.content.purchase is not Purchase.CANCELLED]
        rank = {order_id: n for n, order_id in enumerate(live)}
        units = await self._kit.books.units(states={UnitState.WANTED}, released=True)
        before = self.first()
        self._wanted = sorted((u for u in units if u.order_id in rank), key=lambda u: (rank[u.order_id], u.unit_id))
        if before is None or before not in self._wanted[:1]:
            self._since = self._kit.clock.now()
        known = {task.params.get("unit"): task for task in shown if task.key == "pick"}
        return [known.get(u.unit_id) or await self._pick(u) for u in self._wanted[:MOST_SHOWN]]

    def first(self) -> Unit | None:
        """Give the unit that is to be fetched next."""
        return self._wanted[0] if self._wanted else None

    def was_seen(self, at: datetime) -> bool:
        """Tell whether somebody who speaks at `at` may have seen which unit is the first: a more urgent order may just have come."""
        return at >= self._since + SEEN

    def find(self, skus: Collection[str]) -> Unit | None:
        """Give the most urgent unit of one of these articles."""
        return next((unit for unit in self._wanted if unit.sku in skus), None)

    async def _pick(self, unit: Unit) -> Instruction:
        item = await self._kit.books.item(unit.sku)
        name, location = (item.name, item.location) if item else (unit.sku, "")
        return say("pick", sku=unit.sku, name=name, location=location, order=unit.order_id, unit=unit.unit_id)
