"""The running hall as a test looks at it: screens, alarms and questions at every moment, and faults that are switched on."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from packline.core.local import ask
from tests.crash.hall import Hall, NotInTime, Run, open_hall

LOOK_S = 0.15
PATIENCE_S = 180.0
"""Everything that is waited for comes in a few seconds; a test box may be busy with other things."""
WELL_S = 0.6
IN_TROUBLE = frozenset({"offline", "held", "asking"})

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look: every station's part of the live picture, and what the books have of alarms, questions and effects."""

    stations: Mapping[str, Row]
    run_id: str = ""
    alarms: tuple[Row, ...] = ()
    questions: tuple[Row, ...] = ()
    done: Mapping[str, int] = field(default_factory=dict)
    """Confirmed effects by station."""

    def state(self, station: str) -> str:
        """Give what a station's screen says of itself."""
        return str(self.stations[station]["state"])

    def fault(self, station: str) -> int:
        """Give the fault on a station's screen, 0 for none."""
        return int((self.stations[station]["fault"] or {}).get("code", 0))

    def is_well(self, station: str) -> bool:
        """Tell whether a station works, waits or is idle, and rings nothing."""
        standing = [a for a in self.alarms if a["source"] == station and a["cleared_at"] is None]
        return self.state(station) not in IN_TROUBLE and not standing

    def rings(self, station: str, *codes: int) -> bool:
        """Tell whether an alarm of one of `codes` stands at a station."""
        return any(
            alarm["source"] == station and alarm["code"] in codes
            for alarm in self.alarms
            if alarm["cleared_at"] is None
        )

    def times(self, station: str, code: int) -> int:
        """Give how often an alarm was rung at a station so far."""
        counts = (a["count"] for a in self.alarms if a["source"] == station and a["code"] == code)
        return int(sum(counts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """One misbehaviour of one device from the moment it began until its station was well again, and what came of it."""

    device: str
    fault: str
    station: str
    held_by: frozenset[int]
    """Faults that stood on the station's screen."""
    alarms: tuple[Row, ...]
    questions: tuple[Row, ...]
    begun: datetime
    ended: datetime

    def codes(self) -> list[int]:
        """Give the codes of the alarms that it rang."""
        return [int(a["code"]) for a in self.alarms]

    def asked(self) -> list[int]:
        """Give the codes of the questions that it raised."""
        return [int(q["code"]) for q in self.questions]

    def __str__(self) -> str:
        what = {"screen": sorted(self.held_by), "alarms": self.codes(), "questions": self.asked()}
        return f"{self.device} {self.fault} at {self.station}: {what}"


class Floor:
    """A hall with a controller, watched all the time."""

    def __init__(self, hall: Hall, stations: Mapping[str, str]) -> None:
        """`stations` says at which station each device stands."""
        self.hall = hall
        self._at = stations
        self._stop = threading.Event()
        self._shown: dict[str, set[int]] = {}
        self._well_since: dict[str, float] = {}
        self.seen: Seen | None = None
        self.runs: list[Run] = []
        self._thread = threading.Thread(target=self._watch, name="floor watch", daemon=True)

    # -- looking -------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start a controller and wait for its first picture."""
        self.runs.append(self.hall.begin())
        before = self.seen.run_id if self.seen else ""
        if not self._thread.is_alive():
            self._thread.start()
        self.until(lambda seen: seen.run_id != before, "the controller answers")

    def kill(self) -> None:
        """Kill the controller as a power cut does."""
        self.hall.kill(self.runs[-1])

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        self._thread.join()

    def until(self, holds: Callable[[Seen], bool], what: str, within_s: float = PATIENCE_S) -> Seen:
        """Wait until a look satisfies `holds`."""

        def look() -> Seen | None:
            return self.seen if self.seen is not None and holds(self.seen) else None

        try:
            found = self.hall.until(look, what, within_s)
        except NotInTime as late:
            raise NotInTime(f"{late}; now {self.words()}") from None
        assert found is not None
        return found

    def words(self) -> str:
        """Say in a line what is on the screens."""
        if self.seen is None:
            return "nothing"
        return ", ".join(f"{name} {self.seen.state(name)} {self.seen.fault(name) or ''}" for name in self.seen.stations)

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                picture = ask(self.hall.data, {"do": "snapshot"}, timeout_s=10.0)
            except (OSError, ValueError):
                continue
            if "run" not in picture:
                continue
            stations = {s["name"]: s for s in picture["stations"]}
            self.seen = Seen(stations=stations, run_id=picture["run"]["id"], **self._books())
            for name in stations:
                self._note(name, self.seen)

    def _note(self, station: str, seen: Seen) -> None:
        if code := seen.fault(station):
            self._shown.setdefault(station, set()).add(code)
        if seen.is_well(station):
            self._well_since.setdefault(station, time.monotonic())
        else:
            self._well_since.pop(station, None)

    def _books(self) -> dict[str, Any]:
        done = self.rows("SELECT station, count(*) AS n FROM effect WHERE state = 'confirmed' GROUP BY station")
        return {
            "alarms": tuple(self.rows("SELECT * FROM alarm ORDER BY id")),
            "questions": tuple(self.rows("SELECT * FROM exception ORDER BY opened_at")),
            "done": {row["station"]: row["n"] for row in done},
        }

    def rung(self) -> list[Row]:
        """Give every alarm as often as it began to ring: one that returns unacknowledged is one row in its table."""
        rows = self.rows("SELECT at, subject AS source, data FROM journal WHERE kind = 'AlarmRaised' ORDER BY seq")
        return [{**row, "code": json.loads(row["data"])["code"]} for row in rows]

    def rows(self, query: str, *args: object) -> list[dict[str, Any]]:
        """Read the books, without a lock on them."""
        address = f"{self.hall.database.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=30.0)) as books:
            books.row_factory = sqlite3.Row
            return [dict(row) for row in books.execute(query, args)]

    # -- misbehaving ---------------------------------------------------------------------------------------------------

    @contextmanager
    def watched(self, device: str, fault: str, spells: list[Spell]) -> Iterator[None]:
        """Note what happens at a device's station from now on until the end of the block."""
        station = self._at[device]
        before = self.until(lambda seen: seen.is_well(station), f"{station} is well before {device} is {fault}")
        print(f"{time.monotonic() % 1000:6.1f} -> {device} {fault}", flush=True)
        rung, questions = len(self.rung()), {q["exception_id"] for q in before.questions}
        self._shown[station] = set()
        begun = datetime.now(UTC)
        yield
        seen = self.seen
        assert seen is not None
        spell = Spell(
            device=device,
            fault=fault,
            station=station,
            held_by=frozenset(self._shown[station]),
            alarms=tuple(a for a in self.rung()[rung:] if a["source"] == station),
            questions=tuple(
                q for q in seen.questions if q["station"] == station and q["exception_id"] not in questions
            ),
            begun=begun,
            ended=datetime.now(UTC),
        )
        spells.append(spell)
        print(f"{time.monotonic() % 1000:6.1f} {(spell.ended - begun).total_seconds():5.1f} s", spell, flush=True)

    def station_of(self, device: str) -> str:
        """Give the station at which a device stands."""
        return self._at[device]

    def rings(self, device: str, *codes: int) -> None:
        """Wait until a device's station shows one of `codes`, and rings it."""
        station = self._at[device]

        def is_held(seen: Seen) -> bool:
            return seen.fault(station) in codes and seen.rings(station, *codes)

        self.until(is_held, f"{station} is held by {codes} for {device}")

    def asks(self, device: str, *codes: int) -> None:
        """Wait until a device's station asks a person about one of `codes`."""
        station = self._at[device]
        before = len(self.questions(station, *codes))
        self.until(lambda _: len(self.questions(station, *codes)) > before, f"{station} asks {codes} for {device}")

    def questions(self, station: str, *codes: int) -> list[Row]:
        """Give the questions that a station ever asked about `codes`."""
        rows = self.seen.questions if self.seen else ()
        return [q for q in rows if q["station"] == station and q["code"] in codes]

    def recovers(self, device: str) -> None:
        """Wait until a device's station is well, and has been for a moment: a link that was cut shows it after a second."""
        station = self._at[device]
        asked = time.monotonic()

        def is_well(_: Seen) -> bool:
            since = max(asked, self._well_since.get(station, float("inf")))
            return time.monotonic() - since >= WELL_S

        self.until(is_well, f"{station} is well again after {device}")

    def works(self, station: str) -> None:
        """Wait until a station did one more thing in the world."""
        assert self.seen is not None
        before = self.seen.done.get(station, 0)
        self.until(lambda seen: seen.done.get(station, 0) > before, f"{station} works")

    def is_busy_soon(self, station: str, within_s: float = 1.0) -> None:
        """Give a station a moment to begin something, so that it is struck at work; an idle one is struck as it is."""
        due = time.monotonic() + within_s
        while time.monotonic() < due and self.seen is not None and self.seen.state(station) != "working":
            time.sleep(LOOK_S)


@contextmanager
def running(folder: Path, *, orders: int, seed: int = 3) -> Iterator[Floor]:
    """Give a hall that works."""
    # byte code is kept: a hall is many processes that import the same
    without = os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        with open_hall(folder, orders=orders, seed=seed) as hall:
            floor = Floor(hall, _stations(hall))
            floor.begin()
            try:
                yield floor
            finally:
                floor.close()
                (folder / "seen.json").write_text(json.dumps(_last(floor), indent=1, default=str), "utf-8")
    finally:
        if without is not None:
            os.environ["PYTHONDONTWRITEBYTECODE"] = without


def _stations(hall: Hall) -> dict[str, str]:
    at = {}
    for name, part in hall.site.stations.items():
        devices = (part.machine, part.printer, part.camera, *part.scanners)
        at.update({device: name for device in devices if device})
    return at


def _last(floor: Floor) -> dict[str, Any]:
    seen = floor.seen
    return {} if seen is None else {"stations": seen.stations, "alarms": seen.alarms, "questions": seen.questions}
