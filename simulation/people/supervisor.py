"""The shift leader: works the exception queue, frees stations that hold, decides what lies at clarification."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from simulation.people.crew import Crew
from simulation.people.desk import StationView
from simulation.people.remedies import Case, Remedies
from simulation.plant.things import CannotDo

log = logging.getLogger(__name__)

ROUND_S = 0.4
REACTION_S = 1.5
"""Wall time before somebody looks at a new exception: machines come to rest first."""
ANSWER_SHOWS_S = 3.0
"""Wall time after an answer before a row that still stands is answered again."""
HELD_S = 2.5
PANEL = {"Aborted": 9, "Stopped": 1, "Held": 5}
"""PackML commands on a machine's panel by state: Clear, Reset, Unhold (ANSI/ISA-TR88.00.02, CntrlCmd)."""
STOPS = frozenset({1101, 2001, 2002, 2007})
NO_PAPER = 2101


class Supervisor:
    """One person with the supervisor's rights; every choice follows a look at the floor."""

    def __init__(
        self, crew: Crew, remedies: Remedies, *, reaction_s: float = REACTION_S, again_s: float = ANSWER_SHOWS_S
    ) -> None:
        """`crew.desk` must be signed in as a supervisor."""
        self._crew, self._remedies, self._reaction_s, self._again_s = crew, remedies, reaction_s, again_s
        self.held_s = HELD_S
        self._first_seen: dict[str, float] = {}
        self._answered: dict[str, float] = {}
        self._tries: dict[str, int] = {}
        self._requests = 0
        self.opened: dict[str, int] = {}
        """Exceptions that were seen open, also those that ended without an answer, with their codes."""
        self.handled: dict[str, int] = {}
        """Exceptions that an answer was accepted for, with their codes."""

    async def run(self) -> None:
        """Make rounds for ever."""
        while True:
            try:
                await self.round()
            except CannotDo as refusal:
                log.info("shift leader: %s", refusal)
            await self._crew.clock.sleep(ROUND_S)

    async def round(self) -> None:
        """Look at everything once."""
        rows = await self._crew.desk.exceptions()
        for row in rows:
            await self._serve(row)
        for station in self._crew.plant.stations:
            view = self._crew.desk.station(station.name)
            if view is not None:
                await self._free(view)
                await self._decide(view, {str(row["subject"]) for row in rows})

    # -- exceptions ----------------------------------------------------------------------------------------------------

    async def _serve(self, row: Mapping[str, Any]) -> None:
        case = self._case(row)
        self.opened[case.id] = case.code
        if not self._is_due(case.id):
            return
        action = await self._remedies.choose(case)
        if not action:
            return
        self._answered[case.id] = self._crew.clock.monotonic()
        self._tries[case.id] = case.tries + 1
        said = await self._ask("exception", {"id": case.id, "action": action, "note": "looked at it"}, case.id)
        log.info("%s %s: %s -> %s", case.code, case.subject, action, said)
        if said == "done":
            self.handled[case.id] = case.code

    def _case(self, row: Mapping[str, Any]) -> Case:
        now = self._crew.clock.monotonic()
        number, effect, fault = str(row["id"]), row.get("effect") or {}, row.get("fault") or {}
        return Case(
            id=number,
            code=int(row["code"]),
            station=str(row["station"]),
            subject=str(row["subject"]),
            actions=list(row["actions"]),
            seen=str(fault.get("seen", "")),
            where=str(fault.get("where", "")),
            expected=str(fault.get("expected", "")),
            effect_kind=str(effect.get("kind", "")),
            effect_params=effect.get("params") or {},
            age_s=now - self._first_seen.setdefault(number, now),
            tries=self._tries.get(number, 0),
        )

    def _is_due(self, number: str) -> bool:
        now = self._crew.clock.monotonic()
        is_seen = now - self._first_seen[number] >= self._reaction_s
        return is_seen and now - self._answered.get(number, -1e9) >= self._again_s

    # -- stations that hold, parcels that wait for a word -----------------------------------------------------------------

    async def _free(self, view: StationView) -> None:
        """Clear the cause at the machine itself, then let the station go on."""
        holds = (
            view.hold_by == "software" or view.taken or (view.state == "held" and view.fault_code in (*STOPS, NO_PAPER))
        )
        key = f"held {view.name}"
        if not holds:
            self._first_seen.pop(key, None)
            return
        now = self._crew.clock.monotonic()
        if now - self._first_seen.setdefault(key, now) < self.held_s:
            return
        self._first_seen.pop(key)
        if view.fault_code == NO_PAPER:
            await self._load_paper(view.name)
            return
        for machine, state in view.machine_states.items():
            if state in PANEL:
                await self._crew.floor.press(machine, PANEL[state])
        await self._ask("station", {"station": view.name, "action": "release"}, view.name)

    async def _load_paper(self, station: str) -> None:
        printer = self._crew.plant.printer_at(station)
        if printer is not None:
            await self._crew.floor.load_paper(printer.name)

    async def _decide(self, view: StationView, asked: set[str]) -> None:
        """Say how a parcel at clarification goes on, unless a row of the queue asks for it anyway."""
        for task in view.tasks:
            lpn = task["lpn"]
            if task.key != "decide" or lpn in asked or not self._may_decide(lpn, view.name):
                continue
            carton = self._remedies.carton(lpn)
            if carton is None or carton.place != view.name:
                continue
            self._answered[lpn] = self._crew.clock.monotonic()
            await self._remedies.take_labels_off(carton)
            wishes = ("reprint", "release") if carton.closed else ("release",)
            for wish in wishes:  # a closed carton that the books have for open gets no label before it was packed again
                if await self._ask("parcel", {"lpn": lpn, "action": wish}, lpn) != "refused":
                    break

    def _may_decide(self, lpn: str, station: str) -> bool:
        now = self._crew.clock.monotonic()
        return now - self._answered.get(lpn, -1e9) >= self._again_s

    async def _ask(self, action: str, args: Mapping[str, Any], about: str) -> str:
        """Ask under a key of its own: one that expired in an outage would stay expired for ever."""
        self._requests += 1
        key = f"shift-{self._crew.clock.now():%Y%m%d%H%M%S}-{self._requests}-{about}"[:100]
        return str((await self._crew.desk.request(action, args, key)).get("state", ""))
