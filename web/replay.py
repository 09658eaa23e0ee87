"""Shows a recorded journal as if it happened now: the books' rows up to a moving time, as a snapshot of the line."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.orders.lifecycle import TARGET, parcel_after
from packline.orders.model import PARCEL_GONE, Event, Parcel
from packline.orders.policy import Reaction, rule_for
from packline.store.figures import MOST_CASES, MOST_PARCELS
from packline.store.parcels import opened
from packline.store.tape import TapeRow

FACTORS = (1, 5, 20, 60, 300)
"""How many seconds of the journal a second of the wall may show."""
CHUNK = 500
KEYFRAME_ROWS = 2000
MOST_ROWS_A_LOOK = 100_000
"""A leap further than this takes several looks, so that no page waits for one."""
HOUR = timedelta(hours=1)
START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Floor:
    """What the journal says of the hall after row `seq`. Parcels that moved last stand last."""

    seq: int = 0
    at: datetime = START
    parcels: dict[str, Parcel] = field(default_factory=dict)
    cases: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    alarms: dict[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)
    unseen: set[tuple[str, int]] = field(default_factory=set)
    last: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    shipped: deque[datetime] = field(default_factory=deque)

    def copy(self) -> Floor:
        """Give another one that goes on from here; what is in the tables is never changed in place."""
        tables = {name: type(table)(table) for name, table in self._tables().items()}
        return replace(self, **tables)

    def _tables(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("parcels", "cases", "alarms", "unseen", "last", "shipped")}

    def take(self, row: TapeRow) -> None:
        """Go on by one row. One that the tables of the lifecycle do not know changes nothing: it is from another release."""
        self.seq, self.at = row.seq, row.at
        if TARGET.get(row.kind) == "parcel":
            self._take_parcel(row)
        elif row.kind == "ExceptionOpened":
            code, fault = int(row.data.get("code", 5001)), row.data.get("fault") or {}
            self.cases[str(row.data.get("exception_id"))] = {"code": code, "station": row.station, "subject": row.subject, "fault": fault}  # fmt: skip
        elif row.kind == "ExceptionClosed":
            self.cases.pop(str(row.data.get("exception_id")), None)
        elif row.kind == "AlarmRaised":
            self.alarms[_rung(row)] = row.data.get("fault") or {}
            self.unseen.add(_rung(row))  # one that returns unacknowledged is still the same alarm
        elif row.kind == "AlarmCleared":
            self.alarms.pop(_rung(row), None)
        elif row.kind == "AlarmAcknowledged":
            self.unseen.discard(_rung(row))

    def _take_parcel(self, row: TapeRow) -> None:
        try:
            after = _parcel_after(self.parcels.get(row.subject), row)
        except (Fault, KeyError, TypeError, ValueError):
            return
        self.parcels.pop(row.subject, None)
        if after and after.state not in PARCEL_GONE:
            self.parcels[row.subject] = after
        if row.station:
            self.last[row.station] = {"key": "recorded", "params": {"event": row.kind, "lpn": row.subject}}
        if row.kind == "ParcelShipped":
            self.shipped.append(row.at)
        while self.shipped and row.at - self.shipped[0] > HOUR:
            self.shipped.popleft()


def _rung(row: TapeRow) -> tuple[str, int]:
    return row.subject, int(row.data.get("code", 0))


def _parcel_after(before: Parcel | None, row: TapeRow) -> Parcel | None:
    event = Event(kind=row.kind, subject=row.subject, order_id=row.order_id, station=row.station, data=row.data)
    if row.kind == "ParcelOpened":
        return opened(row.subject, row.order_id, row.data)
    return parcel_after(before, event) if before else None


class Rows(Protocol):
    """Where the rows of a journal come from: `packline.store.tape.Tape`, or a few made by hand."""

    def span(self) -> tuple[datetime, datetime, int] | None:
        """Give when the first and the last row were written, and how many there are; None without any."""
        ...

    def after(self, seq: int, most: int) -> list[TapeRow]:
        """Give at most `most` rows with numbers above `seq`, in their order."""
        ...


class Recording:
    """A journal that can be looked at as of any time; it reads only as far as somebody looks."""

    def __init__(
        self, tape: Rows, stations: Sequence[Mapping[str, Any]], *, keyframe_rows: int = KEYFRAME_ROWS
    ) -> None:
        """Take the journal, and the stations of its site as a snapshot has them; a way back starts at most `keyframe_rows` before."""
        self._keyframe_rows = keyframe_rows
        span = tape.span()
        self._tape, self._stations = tape, stations
        self.begin, self.end, self.rows = span or (START, START, 0)
        self._now = Floor(at=self.begin)
        self._ahead: deque[TapeRow] = deque()
        self._kept = [self._now.copy()]

    def floor(self, at: datetime) -> Floor:
        """Give the hall as it was at `at`; a leap of more than MOST_ROWS_A_LOOK rows arrives later."""
        if at < self._now.at:
            found = bisect_right(self._kept, at, key=lambda floor: floor.at) - 1
            self._now = self._kept[max(0, found)].copy()
            self._ahead.clear()
        for _ in range(MOST_ROWS_A_LOOK):
            if not self._ahead:
                self._ahead.extend(self._tape.after(self._now.seq, CHUNK))
            if not self._ahead or self._ahead[0].at > at:
                break
            self._now.take(self._ahead.popleft())
            if self._now.seq - self._kept[-1].seq >= self._keyframe_rows:
                self._kept.append(self._now.copy())
        return self._now

    def snapshot(self, at: datetime) -> dict[str, Any]:
        """Give the line as of `at`, as a controller tells of it; of machines the journal knows only what rang."""
        floor = self.floor(at)
        parcels = [
            {"lpn": p.lpn, "state": p.state.value, "place": p.place, "held": p.held} for p in floor.parcels.values()
        ]
        cases = [{name: case[name] for name in ("code", "station", "subject")} for case in floor.cases.values()]
        stations = [self._station(station, floor) for station in self._stations]
        is_held = any(station["state"] in ("held", "offline", "asking") for station in stations)
        return {
            "seq": floor.seq,
            "run": {"id": "replay", "recovered": None},
            "line": {"state": "holding" if is_held else "running", "wip": len({p.order_id for p in floor.parcels.values()}), "per_hour": len(floor.shipped)},
            "stations": stations,
            "devices": [],
            "floor": {"parcels": parcels[: -MOST_PARCELS - 1 : -1], "cases": cases[: -MOST_CASES - 1 : -1]},
            "alarms": len(floor.unseen),
            "exceptions": len(cases),
        }  # fmt: skip

    def _station(self, station: Mapping[str, Any], floor: Floor) -> dict[str, Any]:
        name = station["name"]
        here = next((p for p in reversed(floor.parcels.values()) if p.place == name), None)
        shown = {**deepcopy(dict(station)), "next": floor.last.get(name, {"key": "idle", "params": {}})}
        if here:
            shown.update(state="working", parcel=here.lpn, order=here.order_id)
        rings = next((fault for (source, _), fault in floor.alarms.items() if source == name), None)
        if rings:
            shown.update(state="offline" if int(rings.get("code", 0)) < 2000 else "held", fault=rings)
        asks = next((c for c in floor.cases.values() if c["station"] == name and _stops(c["code"])), None)
        if asks:
            shown.update(state="asking", fault={"code": asks["code"], **asks["fault"]})
        return shown


def _stops(code: int) -> bool:
    return rule_for(code).reaction is not Reaction.NOTE


class Player:
    """Lets the time of a recording go on from the first look at it, and answers as a controller does. Safe in several threads."""

    def __init__(self, recording: Recording, clock: Clock, factor: float = 5.0, *, waits: bool = True) -> None:
        """Take a recording; `waits`: it stands still until somebody looks, else until somebody plays it."""
        self._recording = recording
        self._clock = clock
        self._lock = threading.RLock()
        self._factor = factor
        self._playing = False
        self._waits = waits
        self._at = recording.begin
        self._since = clock.monotonic()

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Answer `{"do": "snapshot"}`, with the state of the replay in it; nothing else can be asked of a recording."""
        if question.get("do") != "snapshot":
            return {"ok": False}
        with self._lock:
            self._move()
            shot = self._recording.snapshot(self._at)
            return {**shot, "at": self._clock.now().isoformat(), "replay": self.state()}

    def state(self) -> dict[str, Any]:
        """Say where the replay is: times as text, `part` of a thousand."""
        whole = (self._recording.end - self._recording.begin).total_seconds()
        gone = (self._at - self._recording.begin).total_seconds()
        return {
            "at": self._at.isoformat(),
            "begin": self._recording.begin.isoformat(),
            "end": self._recording.end.isoformat(),
            "part": round(1000 * gone / whole) if whole else 1000,
            "playing": self._playing,
            "factor": self._factor,
        }

    def look(self) -> None:
        """Begin, if nobody looked before."""
        with self._lock:
            if self._waits:
                self.play()

    def play(self) -> None:
        """Go on; from the end, from the beginning again."""
        with self._lock:
            self._move()
            if self._at >= self._recording.end:
                self._at = self._recording.begin
            self._playing, self._waits = True, False

    def pause(self) -> None:
        """Stand still."""
        with self._lock:
            self._move()
            self._playing = False

    def seek(self, part: int) -> None:
        """Go to `part` of a thousand of the whole time."""
        with self._lock:
            self._move()
            whole = self._recording.end - self._recording.begin
            self._at = self._recording.begin + whole * min(1000, max(0, part)) / 1000

    def speed(self, factor: float) -> None:
        """Show `factor` seconds of the journal in each second."""
        with self._lock:
            self._move()
            self._factor = factor

    def _move(self) -> None:
        now = self._clock.monotonic()
        if self._playing:
            self._at = min(self._recording.end, self._at + timedelta(seconds=(now - self._since) * self._factor))
            self._playing = self._at < self._recording.end
        self._since = now
