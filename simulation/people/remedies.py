"""What a shift leader does about an exception: looks at the things themselves, then picks one of the offered actions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from packline.core.identity import Lpn
from simulation.people.crew import Crew
from simulation.plant.things import GONE, HANDS, Carton

LAST_RESORT = ("dismiss", "retry", "release", "clarify", "wait")
MOST_RETRIES = 2
ABOUT = {3014: "release", 3017: "seal"}
"""What is asked about where no effect is named."""
CORRECTION_S = 25.0
"""Wall time that a host gets to correct a message before it is dismissed."""
PRINTS_ON_S = 1.0
"""Wall time in which a printer whose exit was just freed brings out the next label."""
COUNT_S = 12.0
"""Wall time that counting the floor takes before an order of an older book is let go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An open exception as the dashboard shows it; `age_s` is how long it has been seen, `tries` how often it was answered."""

    id: str
    code: int
    station: str
    subject: str
    actions: Sequence[str]
    seen: str
    where: str
    expected: str
    effect_kind: str
    effect_params: Mapping[str, Any] = field(default_factory=dict)
    age_s: float = 0.0
    tries: int = 0


Choice = str
"""An action, or "" to wait."""


class Remedies:
    """Knows the plant and the law of each code; changes labels with its own hands where the action says that they are gone."""

    def __init__(self, crew: Crew, cartons_of: Callable[[str], set[str]]) -> None:
        """`cartons_of` gives the plates that the host was told of for an order id."""
        self._crew, self._cartons_of = crew, cartons_of
        self._repeated: dict[tuple[int, str], int] = {}
        self._counted: set[str] = set()
        self._stations = frozenset(station.name for station in crew.plant.stations)
        self._by_code: Mapping[int, Callable[[Case], Awaitable[Choice]]] = {
            **dict.fromkeys((2004, 2005, 3014, 3017), self._say_what_happened),
            2103: self._say_whether_printed,
            **dict.fromkeys((1005, 2003, 2006), self._again),
            3001: self._no_read,
            2104: self._label_not_seen,
            **dict.fromkeys((2105, 3002, 3003, 3006), self._new_label),
            2107: self._free_the_peel,
            **dict.fromkeys((3005, 3015), self._delivered_unseen),
            3007: self._missing,
            **dict.fromkeys((3009, 3016), self._books_older),
            3011: self._offered("release"),
            3013: self._offered("ship_short"),
            **dict.fromkeys((4001, 4005, 4006), self._wait_for_correction),
        }

    async def choose(self, case: Case) -> Choice:
        """Give the action to take now; "" while it is better to wait."""
        remedy = self._by_code.get(case.code, self._offered("dismiss"))
        wish = await remedy(case)
        if not wish or wish in case.actions:
            return wish
        return next((action for action in LAST_RESORT if action in case.actions), "")

    def carton(self, subject: str) -> Carton | None:
        """Find the carton that an exception is about."""
        return self._crew.floor.carton(subject) if Lpn.is_lpn(subject) else None

    async def take_labels_off(self, carton: Carton) -> None:
        """Peel everything off a carton and throw it away."""
        while carton.place != GONE and carton.labels:
            label = await self._crew.floor.peel_off(carton)
            if label is not None:
                await self._crew.floor.discard(label)

    async def throw_away_label_at(self, station: str) -> bool:
        """Throw away what hangs at the printer of `station`; False when nothing does."""
        printer = self._crew.plant.printer_at(station)
        if printer is None or self._crew.floor.label_at(printer.name) is None:
            return False
        label = await self._crew.floor.take_label(printer.name)
        if label is not None:
            await self._crew.floor.discard(label)
        return label is not None

    # -- one for each kind of trouble ----------------------------------------------------------------------------------

    async def _say_what_happened(self, case: Case) -> Choice:
        look = self._witness.get(case.effect_kind or ABOUT.get(case.code, ""))
        carton = self.carton(case.subject)
        if look is None or (carton is None and case.effect_kind != "discard"):
            return "not_done"
        return "done" if look(self, case, carton) else "not_done"

    async def _say_whether_printed(self, case: Case) -> Choice:
        """A printer that waits for its exit prints on once that is free: what hangs there is taken away, and looked at again."""
        said = await self._say_what_happened(case)
        if said == "not_done" and await self.throw_away_label_at(case.station):
            await self._crew.clock.sleep(PRINTS_ON_S)
            said = await self._say_what_happened(case)
        return said

    async def _again(self, case: Case) -> Choice:
        carton = self.carton(case.subject)
        if case.effect_kind == "release" and carton is not None and carton.place == GONE:
            return "shipped"  # the gate says that it failed, and it did its work
        return "retry" if self._times(case) <= MOST_RETRIES else "clarify"

    async def _no_read(self, case: Case) -> Choice:
        gate = self._crew.station_of("courier_gate")
        here = self._crew.floor.cartons_at(gate) if case.station == gate else []
        if not here:
            return await self._again(case)
        wish = await self._again(replace(case, subject=here[0].lpn))
        if wish == "clarify":
            await self._relabel_round_by_clarification(here[0], case)
        return wish

    async def _relabel_round_by_clarification(self, carton: Carton, case: Case) -> None:
        """No scanner at the gate reads its label: it comes off, and another is asked for at the desk."""
        await self.take_labels_off(carton)
        await self._crew.desk.request("parcel", {"lpn": carton.lpn, "action": "reprint"}, f"unread-{case.id}")
        await self._crew.deliver(carton, self._crew.station_of("clarification"), wait=True)

    async def _label_not_seen(self, case: Case) -> Choice:
        carton = self.carton(case.subject)
        if carton is not None and _own_labels(carton) and self._times(case) <= MOST_RETRIES:
            return "retry"
        return await self._new_label(case)

    async def _new_label(self, case: Case) -> Choice:
        carton = self.carton(case.subject) or self._carton_with(case.subject)
        if carton is not None and carton.place == GONE:
            return "shipped"
        if carton is not None:
            await self.take_labels_off(carton)
        await self.throw_away_label_at(case.station)
        return "reprint"

    async def _free_the_peel(self, case: Case) -> Choice:
        await self.throw_away_label_at(case.station)
        return "retry"

    async def _missing(self, case: Case) -> Choice:
        """Find it, and carry it to where the books expect it; what is in somebody's hands is on its way."""
        carton = self.carton(case.subject)
        if carton is not None and carton.place == GONE:
            return "shipped"
        to = case.expected.removeprefix("at ")
        is_there = carton is None or carton.place in (to, self._crew.door_of(to), HANDS)
        if carton is not None and not is_there and to in self._stations:
            await self._crew.deliver(carton, to, wait=True)
        return "retry"

    async def _delivered_unseen(self, case: Case) -> Choice:
        """The courier has what the books have in the house: if it is gone, say so, and let the message be worked again."""
        lpn = case.where.removeprefix("parcel ")
        carton = self.carton(lpn)
        if carton is None or carton.place != GONE:
            return "dismiss"
        await self._crew.desk.request("parcel", {"lpn": lpn, "action": "shipped"}, f"gone-{case.id}")
        return "retry"

    async def _books_older(self, case: Case) -> Choice:
        """Have everything scanned; an order whose cartons never left may then be begun again from the shelf."""
        if case.id not in self._counted:
            self._counted.add(case.id)
            self._crew.recount.ordered += 1
        if "release" not in case.actions:
            return "dismiss"
        cartons = {*self._cartons_of(case.subject), *self._crew.recount.cartons.get(case.subject, ())}
        if gone := {lpn for lpn in cartons if self._left(lpn)}:
            self._crew.recount.called_shipped |= gone
            return "shipped"
        return "release" if case.age_s > COUNT_S else ""

    async def _wait_for_correction(self, case: Case) -> Choice:
        return "dismiss" if case.age_s > CORRECTION_S else ""

    def _offered(self, action: str) -> Callable[[Case], Awaitable[Choice]]:
        async def take(case: Case) -> Choice:
            return action

        return take

    # -- looking -------------------------------------------------------------------------------------------------------

    def _is_printed(self, case: Case, carton: Carton | None) -> bool:
        number = case.effect_params.get("print_number")
        printer = self._crew.plant.printer_at(case.station)
        at_peel = self._crew.floor.label_at(printer.name) if printer else None
        seen = [stuck.label for stuck in carton.labels] if carton else []
        return any(
            label.print_number == number and label.complete for label in [*seen, *([at_peel] if at_peel else [])]
        )

    def _is_applied(self, case: Case, carton: Carton | None) -> bool:
        return carton is not None and bool(_own_labels(carton))

    def _is_sealed(self, case: Case, carton: Carton | None) -> bool:
        return carton is not None and carton.closed

    def _is_ejected(self, case: Case, carton: Carton | None) -> bool:
        return carton is not None and carton.place != case.station

    def _has_left(self, case: Case, carton: Carton | None) -> bool:
        return carton is not None and carton.place == GONE

    def _is_discarded(self, case: Case, carton: Carton | None) -> bool:
        printer = self._crew.plant.printer_at(case.station)
        return printer is None or self._crew.floor.label_at(printer.name) is None

    _witness: Mapping[str, Callable[[Remedies, Case, Carton | None], bool]] = {
        "print": _is_printed,
        "apply": _is_applied,
        "seal": _is_sealed,
        "eject": _is_ejected,
        "release": _has_left,
        "discard": _is_discarded,
    }

    def _carton_with(self, sscc: str) -> Carton | None:
        """Find the carton that shows a code, at the gate or in somebody's hands."""
        for place in (self._crew.station_of("courier_gate"), self._crew.station_of("hold"), HANDS):
            for carton in self._crew.floor.cartons_at(place) if place else ():
                if any(stuck.label.sscc == sscc for stuck in carton.labels):
                    return carton
        return None

    def _left(self, lpn: str) -> bool:
        carton = self._crew.floor.carton(lpn)
        return carton is not None and carton.place == GONE and bool(carton.pieces)

    def _times(self, case: Case) -> int:
        key = (case.code, case.subject)
        self._repeated[key] = self._repeated.get(key, 0) + 1
        return self._repeated[key]


def _own_labels(carton: Carton) -> list[Any]:
    return [stuck.label for stuck in carton.labels if stuck.label.lpn == carton.lpn]
