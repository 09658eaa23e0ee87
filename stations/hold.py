"""The hold place off the line: parcels wait in slots and are recalled by scan."""

from __future__ import annotations

from collections.abc import Sequence

from packline.core.faults import Fault
from packline.core.scans import Scan
from packline.orders.model import PARCEL_GONE, Order, Parcel, ParcelState
from scanning import gs1
from stations.in_hand import InHand
from stations.kit import Kit, plate_of
from stations.ports import Machinery
from stations.rest import Rest
from stations.screen import Instruction, Screen, say
from stations.slots import slot_names

_LIVE = frozenset(ParcelState) - PARCEL_GONE


class Hold:
    """A rack of slots H01.. with a hand scanner; nothing here ever blocks a machine."""

    kind = "hold"

    def __init__(self, *, name: str, kit: Kit, screen: Screen, slots: int) -> None:
        self.name = name
        self.screen = screen
        self.machines: Sequence[Machinery] = ()
        self.rest: Rest | None = None
        self._kit = kit
        self._in_hand = InHand(name)
        self._slots = slot_names(slots)

    async def step(self) -> None:
        """Work out which parcels in the rack are wanted elsewhere."""
        orders = {order.order_id: order for order in await self._kit.released()}
        here = await self._stored()
        stored = [parcel for parcel in here if parcel.order_id in orders]
        tasks = [task for parcel in stored if (task := await self._fetch(parcel, orders[parcel.order_id]))]
        self.screen.tasks = tasks
        self.screen.next = tasks[0] if tasks else say("idle")
        self.screen.state = "working" if tasks else "idle"
        self.rest = Rest(orders={parcel.order_id for parcel in here}, places=self._slots)

    async def scanned(self, scan: Scan) -> Instruction:
        """Answer a plate: the slot to put it in, or the place to take it to."""
        parsed = gs1.parse(scan.text, scan.symbology)
        if parsed.kind is gs1.Kind.SLOT:
            return await self._put(parsed.value, scan)
        parcel, order = await self._kit.known(plate_of(parsed, self.name), self.name)
        where, to = await self._kit.where_to(parcel, order)
        if where.kind == "gone":
            raise Fault(
                3004, where=self.name, seen=f"{parcel.lpn}, booked as {parcel.state}", expected="a parcel in work"
            )
        if where.kind != "hold":
            if parcel.place != f"to:{to}":
                await self._kit.moved(parcel, f"to:{to}", self.name, scan.actor or "operator")
            return say("take_to", lpn=parcel.lpn, to=to, kind=where.kind)
        slot = parcel.place if parcel.place in self._slots else await self._free_slot()
        if slot != parcel.place:
            await self._kit.moved(parcel, slot, self.name, scan.actor or "operator")
        self._in_hand.take(parcel.lpn, scan)
        return say("store", lpn=parcel.lpn, slot=slot)

    async def _put(self, slot: str, scan: Scan) -> Instruction:
        """A slot scanned after its plate: where the parcel really lies wins over where the screen sent it."""
        lpn = self._in_hand.meant_by(scan)
        if not lpn or slot not in self._slots:
            raise Fault(4101, where=self.name, seen=f"SLOT:{slot}", expected="a carton plate first, then its slot")
        parcel, _ = await self._kit.known(lpn, self.name)
        if slot != parcel.place:
            if any(p.place == slot for p in await self._stored()):
                raise Fault(3004, where=self.name, seen=f"{slot} is taken", expected=parcel.place)
            await self._kit.moved(parcel, slot, self.name, scan.actor or "operator")
        self._in_hand.put_down()
        return say("stored", lpn=parcel.lpn, slot=slot)

    async def _stored(self) -> list[Parcel]:
        live = await self._kit.books.parcels(states=_LIVE)
        return sorted((p for p in live if p.place in self._slots), key=lambda p: p.place)

    async def _fetch(self, parcel: Parcel, order: Order) -> Instruction | None:
        where, to = await self._kit.where_to(parcel, order)
        if where.kind == "hold":
            return None
        return say("fetch", lpn=parcel.lpn, slot=parcel.place, to=to, kind=where.kind)

    async def _free_slot(self) -> str:
        taken = {p.place for p in await self._stored()}
        for slot in self._slots:
            if slot not in taken:
                return slot
        raise Fault(
            3004, where=self.name, seen="no free slot", expected="a free slot", remedy="Fetch what is due first."
        )
