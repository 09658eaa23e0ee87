"""Looks at every fact and every motion of the plant as it happens, at little cost, and remembers what must not have been."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulation.plant.things import GONE, HANDS
from simulation.plant.truth import Fact
from simulation.plant.world import World
from simulation.virtual.breakages import CONSERVATION, EMERGENCY_STOP, LABEL, RECORD, RESTART, SECOND_MASTER, SHIP_EVENT

MOST_FOUND = 40
"""More of it says nothing more."""
ONCE = {"sealed": "cut_open", "label_applied": "label_removed"}
"""What must not happen twice to a carton, and what allows it again."""
INF = float("inf")
ANYBODYS_S = 20.0
"""Simulated seconds in which a controller that begins may not have claimed every machine yet."""
HANDED_OVER, VERIFIED = "parcel.handed_over", "parcel.verified"

Data = Mapping[str, Any]


class Watch:
    """`hear` takes facts, `moved` what machines do and have done to them, `told` events that a subscriber hears, `died` the
    deaths of the controller.

    With a `world` things are compared with it at every fact: what was told of a carton must be where it is.
    """

    def __init__(self, world: World | None = None) -> None:
        self.found: list[str] = []
        self.glued: dict[str, tuple[str, int]] = {}
        """The label with which a carton left, by plate: SSCC and print number."""
        self.sent_to: dict[str, str] = {}
        """A word for the address on that label, by plate; "" where it cannot be told."""
        self.left_s: dict[str, float] = {}
        """When a carton left, by plate, in simulated seconds."""
        self._world = world
        self._cartons: dict[str, str] = {}
        self._past_door: set[str] = set()
        self._worn: set[int] = set()
        """Hashes of plate and SSCC of every label that was ever put on: a long shift has very many."""
        self._taken = self._gone = self._scrapped = 0
        self._pieces: dict[int, str] = {}
        self._pieces_taken = self._pieces_gone = self._pieces_back = 0
        self._labels: dict[int, str] = {}
        self._on: dict[str, list[Data]] = {}
        self._once: dict[tuple[str, str], int] = {}
        self._prints: dict[tuple[str, int], int] = {}
        self._deaths, self._begun_s = 0, INF
        self._lost: set[str] = set()
        self._open: dict[str, float] = {}
        self._unreset: set[str] = set()
        self._hears: Mapping[str, Callable[[Fact, Data], None]] = {
            "piece_taken": self._piece_taken,
            "piece_put_back": self._piece_back,
            "boxed": self._boxed,
            "taken_out": self._taken_out,
            "carton_taken": self._carton_taken,
            "moved": self._moved,
            "sealed": self._done_to_carton,
            "cut_open": self._undone,
            "left_door": self._left,
            "returned_to_shelf": self._returned,
            "label_printed": self._printed,
            "label_applied": self._applied,
            "label_removed": self._removed,
            "label_discarded": self._thrown,
            "label_lost": self._thrown,
        }

    def hear(self, fact: Fact) -> None:
        """Take a fact in the moment in which it happens."""
        hears = self._hears.get(fact.name)
        if hears is not None:
            hears(fact, fact.data)
            self._count(fact)
        begun = self._open.get(str(fact.data.get("by", "")))
        if begun is not None and fact.sim_s > begun:
            self._say(f"{EMERGENCY_STOP}: {fact.data['by']} went on, {fact.name} at {fact.sim_s:.2f} s")

    def told(self, role: str, name: str, lpn: str, sscc: str = "") -> None:
        """Take an event that a subscriber hears for the first time: nobody hears of what has not happened yet."""
        if name == HANDED_OVER and lpn not in self._past_door:
            self._say(f"{SHIP_EVENT}: {role} heard that {lpn} was handed over, and it had not left")
        if name == VERIFIED and hash((lpn, sscc)) not in self._worn:
            self._say(f"{RECORD}: {role} heard that label {sscc} of {lpn} was verified, and it was never on it")

    def died(self) -> None:
        """Take note that the controller died; the next one knows of no second master."""
        self._deaths += 1
        self._begun_s = INF
        self._lost.clear()

    def begun(self, sim_s: float) -> None:
        """Take note that a controller begins."""
        self._begun_s = sim_s

    # -- emergency stops -------------------------------------------------------------------------------------------------

    def moved(self, machine: str, what: str, sim_s: float) -> None:
        """Take what happens at a machine: its circuit is "stopped" or "closed", its panel "pressed", a motion "begins" or "ends"."""
        if what == "stopped":
            self._open[machine] = sim_s
            self._unreset.add(machine)
        elif what == "closed":
            self._open.pop(machine, None)
        elif what == "pressed" and machine not in self._open:
            self._unreset.discard(machine)
        elif what == "begins":
            self._begins(machine, sim_s)
        elif what == "ends" and machine in self._open and sim_s > self._open[machine]:
            self._say(f"{EMERGENCY_STOP}: {machine} finished a motion at {sim_s:.2f} s with its circuit open")

    def _begins(self, machine: str, sim_s: float) -> None:
        if machine in self._unreset:
            self._say(f"{EMERGENCY_STOP}: {machine} moved at {sim_s:.2f} s, and nobody has reset it")
        if machine in self._lost:
            self._say(f"{SECOND_MASTER}: {machine} moved at {sim_s:.2f} s for the one that had lost it")

    def is_stopped(self, machine: str) -> bool:
        """Tell whether the circuit of a machine is open."""
        return machine in self._open

    # -- a second master ---------------------------------------------------------------------------------------------------

    def claimed(self, machine: str, sim_s: float) -> None:
        """Take note that a second master claimed a machine; one that the controller does not have yet is anybody's."""
        if sim_s - self._begun_s > ANYBODYS_S:
            self._lost.add(machine)

    def led_on(self) -> None:
        """Take a person's word that the line may go on, by which the controller may claim a machine again."""
        self._lost.clear()

    # -- in = out + scrap + work in progress -------------------------------------------------------------------------------

    def _count(self, fact: Fact) -> None:
        """Compare what came in with what went out, what was thrown away, and what is there."""
        if self._taken != self._gone + self._scrapped + len(self._cartons):
            self._say(f"{CONSERVATION}: {self._taken} cartons in, {len(self._cartons)} here at fact {fact.n}")
        if self._pieces_taken != self._pieces_gone + self._pieces_back + len(self._pieces):
            self._say(f"{CONSERVATION}: {self._pieces_taken} pieces in, {len(self._pieces)} here at fact {fact.n}")
        lpn = fact.data.get("lpn")
        if self._world is not None and lpn is not None:
            self._compare(self._world, str(lpn), fact)

    def _compare(self, world: World, lpn: str, fact: Fact) -> None:
        carton, place = world.cartons.get(lpn), self._cartons.get(lpn, GONE)
        is_there = carton is not None and carton.place == place
        if not is_there or (place != GONE and carton not in world.places[place].cartons):
            self._say(f"{CONSERVATION}: {lpn} is not where fact {fact.n} {fact.name} leaves it, at {place}")
        if len(world.cartons) != self._taken:
            self._say(f"{CONSERVATION}: {len(world.cartons)} cartons in the hall, {self._taken} were taken")

    def _carton_taken(self, fact: Fact, data: Data) -> None:
        if data["lpn"] in self._cartons:
            self._say(f"{CONSERVATION}: {data['lpn']} was taken twice")
        self._cartons[data["lpn"]] = HANDS
        self._taken += 1

    def _moved(self, fact: Fact, data: Data) -> None:
        lpn = data["lpn"]
        if lpn not in self._cartons:
            self._say(f"{CONSERVATION}: {lpn} moved at {fact.sim_s:.2f} s and is not in the hall")
        elif data["to"] == GONE:  # what it is called when it leaves, told next
            del self._cartons[lpn]
            self._gone += 1
        else:
            self._cartons[lpn] = data["to"]

    def _returned(self, fact: Fact, data: Data) -> None:
        lpn = data["lpn"]
        if self._cartons.pop(lpn, None) is None:
            self._say(f"{CONSERVATION}: {lpn} was unpacked at {fact.sim_s:.2f} s and is not in the hall")
        else:
            self._scrapped += 1
        self._pieces_back += self._empty(lpn)
        for label in self._on.pop(lpn, ()):
            self._labels[label["label"]] = GONE

    def _empty(self, lpn: str) -> int:
        inside = [number for number, place in self._pieces.items() if place == lpn]
        for number in inside:
            del self._pieces[number]
        return len(inside)

    def _piece_taken(self, fact: Fact, data: Data) -> None:
        if data["piece"] in self._pieces:
            self._say(f"{CONSERVATION}: piece {data['piece']} was taken twice")
        self._pieces[data["piece"]] = HANDS
        self._pieces_taken += 1

    def _piece_back(self, fact: Fact, data: Data) -> None:
        self._from(data["piece"], HANDS, fact)
        if self._pieces.pop(data["piece"], None) is not None:
            self._pieces_back += 1

    def _boxed(self, fact: Fact, data: Data) -> None:
        self._from(data["piece"], HANDS, fact)
        self._pieces[data["piece"]] = data["lpn"]

    def _taken_out(self, fact: Fact, data: Data) -> None:
        self._from(data["piece"], data["lpn"], fact)
        self._pieces[data["piece"]] = HANDS

    def _from(self, piece: int, place: str, fact: Fact) -> None:
        if self._pieces.get(piece) != place:
            seen = self._pieces.get(piece, "nowhere")
            self._say(f"{CONSERVATION}: piece {piece} was {seen}, and {fact.name} takes it from {place}")

    # -- labels ------------------------------------------------------------------------------------------------------------

    def _printed(self, fact: Fact, data: Data) -> None:
        if data["label"] in self._labels:
            self._say(f"{CONSERVATION}: label {data['label']} came out twice")
        self._labels[data["label"]] = HANDS
        if "copy" in data or not data.get("complete") or not data["sscc"]:
            return
        key = (data["sscc"], data["print_number"])
        if self._prints.setdefault(key, self._deaths) < self._deaths:
            self._say(f"{RESTART}: {key[0]} print {key[1]} was printed again by a later controller")

    def _applied(self, fact: Fact, data: Data) -> None:
        lpn, label = data["lpn"], data["label"]
        if self._labels.get(label) != HANDS:
            self._say(
                f"{CONSERVATION}: label {label} was {self._labels.get(label, 'nowhere')} when it was put on {lpn}"
            )
        self._labels[label] = lpn
        self._on.setdefault(lpn, []).append(data)
        self._worn.add(hash((lpn, data["sscc"])))
        if "copy" not in data:
            self._done_to_carton(fact, data)

    def _removed(self, fact: Fact, data: Data) -> None:
        lpn, label = data["lpn"], data["label"]
        if self._labels.get(label) != lpn:
            self._say(f"{CONSERVATION}: label {label} was taken off {lpn} and was not on it")
        self._labels[label] = HANDS
        self._on[lpn] = [one for one in self._on.get(lpn, ()) if one["label"] != label]
        self._once.pop(("label_applied", lpn), None)

    def _thrown(self, fact: Fact, data: Data) -> None:
        if self._labels.get(data["label"]) != HANDS:
            self._say(f"{CONSERVATION}: label {data['label']} was thrown away and not held")
        self._labels[data["label"]] = GONE

    def _left(self, fact: Fact, data: Data) -> None:
        lpn = data["lpn"]
        for done in ONCE:  # whatever is done to it now is done to a carton that is not in the hall
            self._once.pop((done, lpn), None)
        self._past_door.add(lpn)
        self.left_s[lpn] = fact.sim_s
        self._pieces_gone += self._empty(lpn)
        labels = self._on.pop(lpn, [])
        if len(labels) != 1:
            self._say(f"{LABEL}: {lpn} left with {len(labels)} labels")
        for label in labels:
            if label["label_lpn"] != lpn:
                self._say(f"{LABEL}: {lpn} left with a label that names {label['label_lpn'] or 'nobody'}")
            if not label["complete"]:
                self._say(f"{LABEL}: {lpn} left with half a label")
            self.glued[lpn] = (label["sscc"], label["print_number"])
            self.sent_to[lpn] = label.get("to", "")

    # -- a restart repeats nothing -----------------------------------------------------------------------------------------

    def _done_to_carton(self, fact: Fact, data: Data) -> None:
        life = self._once.setdefault((fact.name, data["lpn"]), self._deaths)
        if life < self._deaths:
            self._say(f"{RESTART}: {data['lpn']} was {fact.name} again by a later controller")

    def _undone(self, fact: Fact, data: Data) -> None:
        self._once.pop(("sealed", data["lpn"]), None)

    def _say(self, what: str) -> None:
        if len(self.found) < MOST_FOUND:
            self.found.append(what)
