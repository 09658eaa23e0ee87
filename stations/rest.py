"""What a station that has nothing to do waits for: an event that is none of this changes nothing for it."""

from __future__ import annotations

from collections.abc import Collection, Set
from dataclasses import dataclass, field

from packline.orders.lifecycle import TARGET
from packline.orders.model import Event

ORDER_KINDS = frozenset(kind for kind, target in TARGET.items() if target == "order")
UNIT_KINDS = frozenset(kind for kind, target in TARGET.items() if target == "unit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Left behind by a step that found nothing to do. Machines and scans end every rest; of the books these do:

    events about one of `orders`, events that put a parcel into one of `places`, and events of one of `kinds`.
    """

    places: Collection[str] = ()
    orders: Set[str] = field(default_factory=frozenset)
    kinds: Set[str] = field(default_factory=frozenset)

    def is_ended_by(self, event: Event) -> bool:
        """Tell whether the next step may find something to do after `event`."""
        return event.kind in self.kinds or event.order_id in self.orders or event.data.get("place") in self.places
