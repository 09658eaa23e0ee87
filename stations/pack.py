"""The packing station: the carton that its own plate names is sealed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packline.core.effects import OPEN_STATES, SEAL, Effect, EffectState
from packline.core.faults import Fault
from packline.core.identity import Lpn
from packline.core.scans import Scan, Scanner
from packline.orders.model import Event, Item, Order, Parcel
from packline.orders.policy import UNPROVED_SEAL
from stations.brake import Braked
from stations.kit import Kit, Trouble, require_good, sensors, trouble_of
from stations.ports import Machinery
from stations.reading import FixedReader
from stations.rest import Rest
from stations.screen import Instruction, Screen, say

CLOSED = "carton_closed"
PADDING_MM = 30
LEAST_MM = (80, 60, 20)
MOST_MM = (1200, 800, 800)


class Pack:
    """A packaging machine with a fixed scanner at its infeed."""

    kind = "pack"

    def __init__(
        self, *, name: str, kit: Kit, screen: Screen, packer: Machinery, scanner: Scanner, next_station: str
    ) -> None:
        self.name = name
        self.screen = screen
        self.machines: Sequence[Machinery] = (packer,)
        self.rest: Rest | None = None
        self._kit = kit
        self._packer = packer
        self._hands = Braked(packer.device(), screen)
        self._reader = FixedReader(scanner, name, kit)
        self._next = next_station
        self._sealed = ""
        self._asked: set[str] = set()

    async def step(self) -> None:
        """Serve the carton at the infeed, if there is one."""
        require_good(self._packer.view(), self._packer.name)
        await self._packer.make_ready()
        inputs = sensors(self._packer)
        if not inputs["carton_present"]:
            self.screen.about()
            self.screen.state, self.screen.next = "idle", say("wait_carton")
            await self._ask_after_those_that_left()
            self.rest = Rest(places=(self.name,))
            return
        if inputs["outfeed_full"]:
            self.screen.state, self.screen.next = "waiting", say("lane_full", lane=self._next)
            return
        parcel, order = await self._who(await self._reader.read("a carton plate"))
        if not await self._is_still_there(inputs):
            return
        self.screen.about(parcel=parcel.lpn, order=order.order_id)
        where, to = await self._kit.where_to(parcel, order)
        if to == self.name and where.kind == "pack":
            await self._close(await self._kit.arrive(parcel, self.name), is_closed=bool(inputs.get(CLOSED)))
        elif to == self._next and (inputs.get(CLOSED) or parcel.lpn == self._sealed):
            self.screen.state, self.screen.next = "working", say("sealing", lpn=parcel.lpn)  # the belt takes it on
        else:
            self.screen.state = "waiting"
            self.screen.next = say("take_to", lpn=parcel.lpn, to=to, kind=where.kind)

    async def scanned(self, scan: Scan) -> Instruction:
        """Take the plate that the fixed scanner reads; tell anybody else where the scanned parcel belongs."""
        lpn = Lpn.parse(scan.text).text
        if self._reader.is_by(scan):
            self._reader.hear(scan, lpn)
            return say("carton_ok", lpn=lpn)
        parcel, order = await self._kit.known(lpn, self.name)
        where, to = await self._kit.where_to(parcel, order)
        return say("take_to", lpn=lpn, to=to, kind=where.kind)

    async def _who(self, lpn: str) -> tuple[Parcel, Order]:
        try:
            return await self._kit.known(lpn, self.name)
        except Fault as fault:
            to = self._kit.places.get("clarify", "")
            self.screen.state, self.screen.next = "waiting", say("take_to", lpn=lpn, to=to, kind="clarify")
            raise Trouble(fault, subject=lpn) from fault

    async def _is_still_there(self, before: Mapping[str, int]) -> bool:
        """Tell whether what was seen before the plate was read stands there after it: the same carton, open or closed.

        The outfeed takes a closed carton off by itself, at any moment; what stands there then may be the next one.
        """
        await self._packer.look()
        now = sensors(self._packer)
        return bool(now["carton_present"]) and now.get(CLOSED) == before.get(CLOSED)

    async def _close(self, parcel: Parcel, *, is_closed: bool) -> None:
        if not is_closed:
            await self._seal(parcel)
            return
        # whatever the books say, a closed carton is never taped again
        row = await self._kit.ledger.find(SEAL, parcel.lpn, 1)
        if row is None:
            await self._packed(parcel, {"witness": "flap sensor"})  # sealed in a time that these books have lost
            return
        outcome = await self._kit.ledger.ask(row.effect, self._hands)
        if outcome.ok:
            await self._packed(parcel, {})
        elif outcome.state in OPEN_STATES:
            raise trouble_of(outcome, where=f"{self.name} parcel {parcel.lpn}", subject=parcel.lpn)
        else:
            raise is_it_sealed(parcel, f"closed flaps, seal {outcome.state}", self.name, row.effect_id)

    async def _seal(self, parcel: Parcel) -> None:
        self.screen.state, self.screen.next = "working", say("sealing", lpn=parcel.lpn)
        effect = Effect(
            kind=SEAL, subject=parcel.lpn, generation=1, station=self.name, parameters=await self._size(parcel)
        )
        outcome = await self._kit.ledger.perform(effect, self._hands)
        if outcome.ok:
            await self._packed(parcel, {})
            return
        if outcome.state is EffectState.UNKNOWN and not sensors(self._packer)["carton_present"]:
            return  # it left: the station behind the packer asks about it
        raise trouble_of(outcome, where=f"{self.name} parcel {parcel.lpn}", subject=parcel.lpn)

    async def _ask_after_those_that_left(self) -> None:
        """A carton may leave before its seal is told (a lost line): the machine's word is asked for once more."""
        for row in await self._kit.ledger.open_effects(self.name):
            if row.effect.kind is SEAL and row.effect_id not in self._asked:
                self._asked.add(row.effect_id)
                await self._kit.ledger.ask(row.effect, self._hands)

    async def _packed(self, parcel: Parcel, data: dict[str, str]) -> None:
        place = {"place": f"to:{self._next}", **data}
        event = Event(kind="ParcelPacked", subject=parcel.lpn, order_id=parcel.order_id, station=self.name, data=place)
        await self._kit.follow(parcel, event)
        self._sealed = parcel.lpn

    async def _size(self, parcel: Parcel) -> dict[str, int]:
        units = await self._kit.books.units(lpn=parcel.lpn)
        items = [item for unit in units if (item := await self._kit.books.item(unit.sku))]
        return carton_size(items)


def is_it_sealed(parcel: Parcel, seen: str, station: str, effect_id: str = "") -> Trouble:
    """Ask a person about a carton that the books do not have as sealed, and whose machine cannot tell."""
    fault = Fault(UNPROVED_SEAL, where=f"{station} parcel {parcel.lpn}", seen=seen, expected="a carton known as sealed")
    return Trouble(fault, subject=parcel.lpn, effect_id=effect_id)


def carton_size(items: list[Item]) -> dict[str, int]:
    """Give length, width, height in mm of a carton for `items` stacked on each other, with padding."""
    length = max((i.length_mm for i in items), default=0)
    width = max((i.width_mm for i in items), default=0)
    height = sum(i.height_mm for i in items)
    sizes = (length, width, height)
    names = ("length_mm", "width_mm", "height_mm")
    limits = zip(names, sizes, LEAST_MM, MOST_MM, strict=True)
    return {name: max(least, min(most, size + PADDING_MM)) for name, size, least, most in limits}
