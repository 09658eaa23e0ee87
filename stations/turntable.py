"""The induct station: scan an item, photograph it on the turntable, let its buyer turn it, put it into its carton."""

from __future__ import annotations

from collections.abc import Sequence

from packline.core.effects import TURN, Device, Effect
from packline.core.faults import Fault
from packline.core.identity import Lpn
from packline.core.scans import Scan
from packline.orders.model import (
    Event,
    Order,
    Parcel,
    ParcelState,
    Purchase,
    Unit,
    UnitState,
)
from packline.orders.policy import Action, actions_for
from scanning import gs1
from stations.brake import Braked
from stations.cartoning import STILL_TO_BOX, Cartoning
from stations.kit import Kit, require_good, sensors, trouble_of
from stations.live_stage import LiveStage
from stations.looking import Eye
from stations.person import PersonDevice
from stations.pick_list import PickList
from stations.ports import Machinery
from stations.rest import ORDER_KINDS, UNIT_KINDS, Rest
from stations.screen import Instruction, Screen, say

FULL_TURN_DEG = 360
MOST_TRIES = 3
NOT_TO_BE_HAD = 3013


class Turntable:
    """One item at a time; the books remember which, so a restart goes on with it."""

    kind = "turntable"

    def __init__(
        self, *, name: str, kit: Kit, screen: Screen, table: Machinery | None, hands: Device, eye: Eye
    ) -> None:
        self.name = name
        self.screen = screen
        self.machines: Sequence[Machinery] = (table,) if table else ()
        self.rest: Rest | None = None
        self._places = (name, f"to:{name}")
        self._standing: frozenset[str] = frozenset()
        self._kit = kit
        self._table = table
        self._hands = hands
        self._braked = Braked(hands, screen)
        self._eye = eye
        self._cartons = Cartoning(name, kit)
        self._picks = PickList(kit)
        self._stage = LiveStage(kit)
        self._angle = 0.0

    async def step(self) -> None:
        """Photograph the item on the table, serve its buyer, or show what to pick next."""
        if self._table is not None:
            require_good(self._table.view(), self._table.name)
            await self._table.make_ready()
        await self._complete()
        await self._list_tasks()
        unit = await self._current()
        if unit is None:
            self._idle()
            return
        order = await self._order(unit)
        self.screen.about(order=order.order_id, unit=unit.unit_id, parcel=unit.lpn)
        self.screen.state = "working"
        if order.content.purchase is Purchase.CANCELLED:
            self.screen.next = say("put_back", unit=unit.unit_id, sku=unit.sku)
            self.rest = self._rest()
        elif unit.state is UnitState.INDUCTED:
            await self._photograph(unit, order)
        else:
            await self._show_box(unit, order)

    async def scanned(self, scan: Scan) -> Instruction:
        """Take an item barcode, a carton plate, or a word."""
        parsed = gs1.parse(scan.text, scan.symbology)
        unit = await self._current()
        actor = scan.actor or "operator"
        if parsed.kind is gs1.Kind.LPN:
            return await self._box(unit, Lpn.parse(parsed.value), actor)
        if parsed.kind is gs1.Kind.ACTION:
            return await self._word(parsed.value, scan)
        return await self._induct(parsed.value, unit, actor)

    async def turn(self, unit_id: str, step_deg: float) -> None:
        """A buyer turns the item by `step_deg` while it is on stage; raises Fault 4301 when it is not."""
        if not self.is_on_stage(unit_id):
            raise Fault(4301, where=self.name, seen=f"{unit_id} is not on stage", expected="the item on the table")
        self._stage.ask(step_deg)

    def is_on_stage(self, unit_id: str) -> bool:
        """Tell whether a buyer may turn `unit_id` now."""
        return self._stage.has(unit_id)

    # -- pick and scan ------------------------------------------------------------------------------------------

    async def _complete(self) -> None:
        here = await self._here_or_coming()
        self._standing = frozenset(carton.order_id for carton in here)
        await self._cartons.complete(here)

    async def _list_tasks(self) -> None:
        picks = await self._picks.look(self.screen.tasks)
        waiting = [parcel for parcel in await self._here_or_coming() if parcel.state is not ParcelState.OPEN]
        here = [await self._send_on(parcel) for parcel in waiting if parcel.place == self.name]
        coming = [await self._send_on(parcel) for parcel in waiting if parcel.place != self.name]
        self.screen.tasks = [*here, *picks, *coming]

    async def _here_or_coming(self) -> list[Parcel]:
        """Give the cartons that stand here, and those that somebody brings back: they may stand here already."""
        return [parcel for place in self._places for parcel in await self._kit.books.parcels(place=place)]

    async def _send_on(self, parcel: Parcel) -> Instruction:
        """Ask for a carton to be sent on into which nothing more goes (completed by a short or in another carton, cancelled)."""
        _, to = await self._kit.where_to(parcel, await self._kit.order_of(parcel))
        return say("send_on", lpn=parcel.lpn, to=to)

    def _idle(self) -> None:
        self.screen.about()
        self.screen.next = self.screen.tasks[0] if self.screen.tasks else say("idle")
        self.screen.state = "waiting" if self.screen.tasks else "idle"
        self._stage.close()
        self.rest = self._rest()

    def _rest(self, *orders: str) -> Rest:
        """Wait for hands, or for the books to change the pick list or where a carton here goes."""
        return Rest(places=self._places, orders=self._standing.union(orders), kinds=ORDER_KINDS | UNIT_KINDS)

    async def _induct(self, barcode: str, current: Unit | None, actor: str) -> Instruction:
        items = await self._kit.books.item_of(barcode)
        skus = {item.sku for item in items}
        if not skus:
            raise Fault(4103, where=self.name, seen=barcode, expected="an item of the master")
        if current is not None:
            if current.sku in skus:
                return self._say_current(current)
            return say("finish_first", unit=current.unit_id)
        await self._list_tasks()
        unit = self._picks.find(skus)
        if unit is None:
            raise Fault(4104, where=self.name, seen=barcode, expected="an item of the pick list")
        event = Event(kind="UnitInducted", subject=unit.unit_id, order_id=unit.order_id, station=self.name, actor=actor)
        await self._kit.record(event)
        await self._found(unit, actor)
        return await self._place(unit)

    async def _found(self, unit: Unit, actor: str) -> None:
        """Nobody is asked any more what becomes of an order whose piece was not to be had."""
        for row in await self._kit.books.open_exceptions(self.name):
            if row.code == NOT_TO_BE_HAD and row.subject == unit.unit_id:
                await self._kit.books.close_exception(row.exception_id, action=Action.RETRY, actor=actor, note="found")

    async def _too_early(self, unit: Unit) -> Instruction:
        """Answer a plate that nothing can go into yet: the wrong scan is not taken for the next instruction."""
        asked = await self._place(unit)
        is_missing = self._table is not None and not self._is_on_table()
        return say("place_first" if is_missing else "pictures_first", **asked.params)

    def _say_current(self, unit: Unit) -> Instruction:
        if unit.state is UnitState.INDUCTED:
            return say("place_on_table", unit=unit.unit_id, sku=unit.sku, name=unit.sku)
        return say("box", unit=unit.unit_id, lpn="")

    async def _place(self, unit: Unit) -> Instruction:
        item = await self._kit.books.item(unit.sku)
        return say("place_on_table", unit=unit.unit_id, sku=unit.sku, name=item.name if item else unit.sku)

    async def _current(self) -> Unit | None:
        here = await self._kit.books.units(station=self.name, states=STILL_TO_BOX)
        return here[0] if here else None

    async def _order(self, unit: Unit) -> Order:
        order = await self._kit.books.order(unit.order_id)
        if order is None:
            raise Fault(5101, where=unit.unit_id, seen=f"no order {unit.order_id}")
        return order

    # -- photograph and show ------------------------------------------------------------------------------------

    def _is_on_table(self) -> bool:
        return self._table is None or bool(sensors(self._table)["item_present"])

    async def _photograph(self, unit: Unit, order: Order) -> None:
        if not self._is_on_table():
            self.screen.next = await self._place(unit)
            self.rest = self._rest()
            return
        pictures = []
        for n in range(self._kit.rules.stills):
            angle = n * FULL_TURN_DEG / self._kit.rules.stills
            self.screen.next = say("photographing", unit=unit.unit_id, angle=round(angle))
            if not await self._turn_to(unit, angle):
                return
            look = await self._eye.shoot()
            if not self._is_on_table() or not await self._is_still_here(unit):
                return  # taken off in between: the next step asks for it again
            picture = await self._eye.keep(
                look, kind="inspection", subject=unit.unit_id, order_id=order.order_id, note=f"{angle:.0f}"
            )
            pictures.append(picture)
        event = self._event("UnitInspected", unit.unit_id, order, "controller", {"pictures": pictures})
        try:
            await self._kit.record(event)
        except Fault as fault:
            if fault.code != 5101 or await self._is_still_here(unit):
                raise
            return  # put back in this very moment
        self._stage.open(unit, order)

    async def _is_still_here(self, unit: Unit) -> bool:
        now = await self._current()
        return now is not None and (now.unit_id, now.state) == (unit.unit_id, unit.state)

    async def _turn_to(self, unit: Unit, angle: float) -> bool:
        """Turn the item to `angle`; False when it was put back meanwhile.

        Every turn is a new one: after a stop or a second visit the table stands anywhere, whatever was turned before.
        """
        effect = Effect(
            kind=TURN,
            subject=unit.unit_id,
            generation=await self._kit.books.serial("turn"),
            station=self.name,
            parameters={"angle_deg": angle % FULL_TURN_DEG},
        )
        # an angle is absolute, so a turn that is in doubt may be asked for again
        for _ in range(MOST_TRIES):
            outcome = await self._kit.ledger.perform(effect, self._braked)
            if outcome.ok:
                self._angle = angle % FULL_TURN_DEG
                return True
            if not await self._is_still_here(unit):
                return False
        raise trouble_of(outcome, where=f"{self.name} turn", subject=unit.unit_id)

    async def _show_box(self, unit: Unit, order: Order) -> None:
        if await self._serve_buyer(unit, order):
            return
        self._stage.close()
        carton = await self._cartons.open_carton(order)
        self.screen.next = say("box", unit=unit.unit_id, lpn=carton.lpn if carton else "")
        self.rest = self._rest(order.order_id)

    async def _serve_buyer(self, unit: Unit, order: Order) -> bool:
        """Keep the item on stage for its buyer while there is time for it."""
        left_s = self._stage.left_s(unit, order)
        if left_s <= 0 or not self._is_on_table():
            return False
        self.screen.next = say("buyer_inspects", unit=unit.unit_id, seconds=round(left_s))
        step_deg = self._stage.next_turn()
        if step_deg is not None:
            await self._turn_to(unit, self._angle + step_deg)
            self._stage.go_on()
        return True

    # -- into the carton ----------------------------------------------------------------------------------------

    async def _box(self, unit: Unit | None, lpn: Lpn, actor: str) -> Instruction:
        parcel = await self._kit.books.parcel(lpn.text)
        if unit is None or (parcel is not None and await self._cartons.holds(lpn, unit)):
            return await self._where(lpn.text, parcel)
        if unit.state is UnitState.INDUCTED:
            return await self._too_early(unit)
        async with self._kit.lock:
            await self._cartons.put_in(unit, await self._order(unit), lpn, actor)
        self._stage.close()
        return await self._where(lpn.text, await self._kit.books.parcel(lpn.text))

    async def _where(self, lpn: str, parcel: Parcel | None) -> Instruction:
        if parcel is None:
            raise Fault(4106, where=self.name, seen=lpn, expected="a carton of this station")
        if parcel.state is ParcelState.OPEN:
            if parcel.place != self.name:
                await self._kit.moved(parcel, self.name, self.name)
            return say("carton_ok", lpn=lpn)
        _, to = await self._kit.where_to(parcel, await self._kit.order_of(parcel))
        if parcel.place in self._places:
            await self._kit.moved(parcel, f"to:{to}", self.name)
        return say("send_on", lpn=lpn, to=to)

    # -- words --------------------------------------------------------------------------------------------------

    async def _word(self, word: str, scan: Scan) -> Instruction:
        current, actor = await self._current(), scan.actor or "operator"
        if word in ("OK", "DONE") and self._turned_by_hand(True, actor, word):
            return say("done", lpn="")
        if current is not None and word in ("NOTDONE", "DONE"):
            return await self._put_back(current, word, actor)
        unit = self._picks.first()
        if word != "SHORT" or current is not None or unit is None:
            raise Fault(4304, where=self.name, seen=f"DO:{word}", expected="DO:SHORT while an item is to be picked")
        if not self._picks.was_seen(scan.at):
            raise Fault(
                4304, where=self.name, seen=f"another item first: {unit.sku}", expected="a look at the screen first"
            )
        order = await self._order(unit)
        if not order.content.short_allowed:
            fault = Fault(NOT_TO_BE_HAD, where=self.name, seen=unit.sku, expected="an order that allows short delivery")
            actions = [action.value for action in actions_for(fault.code)]
            await self._kit.books.open_exception(fault, station=self.name, subject=unit.unit_id, actions=actions)
            raise fault
        await self.short(unit, order, actor)
        return say("done", lpn=unit.unit_id)

    def _turned_by_hand(self, done: bool, actor: str, word: str) -> bool:
        """Where a person turns the table, the word is the evidence."""
        return isinstance(self._hands, PersonDevice) and self._hands.answer(done, actor, f"DO:{word}")

    async def _put_back(self, unit: Unit, word: str, actor: str) -> Instruction:
        """NOTDONE: the item goes back and stays wanted. DONE: the order is cancelled and the item is on its shelf."""
        order = await self._order(unit)
        is_cancelled = order.content.purchase is Purchase.CANCELLED
        if (word == "DONE") != is_cancelled:
            raise Fault(4304, where=self.name, seen=f"DO:{word}", expected="the next step on the screen")
        kind = "UnitReturned" if is_cancelled else "UnitPutBack"
        await self._kit.finish(order.order_id, self._event(kind, unit.unit_id, order, actor, {}))
        self._stage.close()
        self._turned_by_hand(False, actor, word)
        return say("done", lpn=unit.unit_id)

    async def short(self, unit: Unit, order: Order, actor: str) -> None:
        """Book a unit as not to be had and complete the order's cartons without it, in one step."""
        async with self._kit.lock:
            collected = await self._cartons.collected(order, unit, "", actor)
            data: dict[str, object] = {
                "sku": unit.sku,
                "was": unit.state.value,
            }  # a hand may scan it before this is written down
            event = self._event("UnitShort", unit.unit_id, order, actor, data)
            await self._kit.finish_locked(order.order_id, event, *collected)
        await self._list_tasks()

    def _event(self, kind: str, subject: str, order: Order, actor: str, data: dict[str, object]) -> Event:
        return Event(kind=kind, subject=subject, order_id=order.order_id, station=self.name, actor=actor, data=data)
