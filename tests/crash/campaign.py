"""One campaign: orders flow, controllers are killed at named points and at random moments, and in the end all must be well."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.crash.hall import Hall, NotInTime, Run
from tests.crash.judge import Books, Left, judge, judge_meanwhile
from tests.crash.nursery import ROOT
from tests.crash.points import AFTER, BEFORE, HALF, die_with_parent, passed

REFERENCE_S = 120.0
OVER_S = 240.0
QUIET_S = 75.0
"""A line on which nothing at all changes for this long stands still for ever."""
NOTED_S = 15.0
PATIENCE_S = 1.2
"""A run that reaches none of its points in so many seconds of its own on a processor is killed where it is: 2.5 s on an idle computer."""
TARGETS = 8
WATCH_S = 0.3
_OF_THE_START = re.compile(
    r"connecting|claim|STATE |first STATUS|STATUS (owner|state|boot)|epoch of|mark |subscriber|item(_alias)?$|HB "
)
"""What a run passes on its own way into the line, with or without parcels."""
OFTEN = 30
MUCH = 1 / 3
"""The share of points died at, from which on runs also die there again."""
LABEL_JOB = "label job sent to "


@dataclass(slots=True, kw_only=True)
class Catalogue:
    """Every point that any run has passed, and at which of them a run was already killed."""

    starting: set[str] = field(default_factory=set)
    way: set[str] = field(default_factory=set)
    often: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    """Point -> how many runs have passed it."""
    visited: set[str] = field(default_factory=set)

    def learn(self, run: Run) -> None:
        """Take up what a run passed."""
        points = passed(run.points)
        if not points:
            return
        self.runs.update({point for _, point in points})
        for _, point in points:
            if point.startswith("KILLED "):
                self.visited.add(point.removeprefix("KILLED "))
                continue
            self.often[point] += 1
            (self.starting if _OF_THE_START.search(point) else self.way).add(point)
            if point.startswith(f"{BEFORE} {LABEL_JOB}"):
                self.way.add(point.replace(BEFORE, HALF, 1))

    @property
    def names(self) -> set[str]:
        """Give the points without before and after."""
        phases = re.compile(f"^({BEFORE}|{AFTER}|{HALF}) ")
        return {phases.sub("", point) for point in self.starting | self.way}

    def left_out(self, least_runs: int) -> list[str]:
        """Give the points of a parcel's way at which no run has died, though at least `least_runs` have passed them."""
        return [point for point in self.open(self.way) if self.runs[point] >= least_runs]

    def open(self, of: set[str]) -> list[str]:
        """Give those of `of` at which no run was killed yet."""
        return sorted(of - self.visited)


@dataclass(slots=True, kw_only=True)
class Kill:
    """One death: at a point, or "" for a moment that chance chose."""

    run: int
    point: str
    planned: list[str] = field(default_factory=list)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S.%f} run {self.run}: {self.point or 'a random moment'}"


@dataclass(slots=True, kw_only=True)
class Campaign:
    """Kills controllers of one hall. `seed` chooses points and moments."""

    hall: Hall
    seed: int
    catalogue: Catalogue = field(default_factory=Catalogue)
    kills: list[Kill] = field(default_factory=list)
    starts: list[datetime] = field(default_factory=list)
    _rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._rng = random.Random(f"{self.seed}/kills")

    # -- runs ----------------------------------------------------------------------------------------------------------

    def refer(self) -> None:
        """Let parcels go their way unharmed, count what they pass, and kill that run at last."""
        self.kill_when(self._first_delivered)

    def kill_when(self, holds: Callable[[], object]) -> None:
        """Kill a run when something has become true of the hall."""
        run = self._begin({})
        self.hall.until(holds, "what the kill waits for", REFERENCE_S)
        self.hall.kill(run)
        self._note(run, [])

    def begin(self) -> Run:
        """Start a run that nobody kills."""
        return self._begin({})

    def kill_at_points(self, number: int, *, starting: bool = False) -> None:
        """Let `number` runs die, each at the first of a few points where none has died yet.

        The more of them are done, the more runs die where others did: one that comes to none of its points lives until the orders
        are over, and then no later one has anything to do.
        """
        for _ in range(number):
            known = self.catalogue.starting if starting else self.catalogue.way
            pool = self.catalogue.open(known)
            share = 1 - len(pool) / max(len(known), 1)
            if share > MUCH and self._rng.random() < share:
                pool = sorted(known & self.catalogue.visited)
            chosen = self._rng.sample(pool, min(TARGETS, len(pool)))
            self._die_at({point: self._occurrence(point) for point in chosen})

    def kill_at(self, point: str, *, occurrence: int = 1, within_s: float = REFERENCE_S) -> None:
        """Let one run die at `point`; fails as soon as something is wrong, or if the run does not come there."""
        run = self._begin({point: occurrence})
        due = time.monotonic() + within_s
        while not self.hall.ended(run, WATCH_S):
            self.demand_nothing_wrong_yet()
            if time.monotonic() > due:
                self.hall.kill(run)
                raise NotInTime(f"run {run.number} did not come to {point!r} within {within_s:.0f} s")
        self._note(run, [point])
        self.demand_nothing_wrong_yet()

    def kill_at_random(self, number: int, most_s: float = 2.0) -> None:
        """Kill `number` runs from outside, each at a moment that chance chooses."""
        for _ in range(number):
            run = self._begin({})
            moment_s = self._rng.uniform(0.02, most_s)
            if not self.hall.ended(run, moment_s):
                self.hall.kill(run)
            self._note(run, [])

    def kill_everything(self, number: int) -> None:
        """Kill `number` whole `packline up` at once: supervisor, controller, dashboard and video."""
        for n in range(number):
            with self._up() as up:
                if n % 3:
                    self.hall.until(self.hall.answers, "`up` answers")
                self.hall.ended_within(up, self._rng.uniform(0.1, 2.0))
            self.kills.append(Kill(run=0, point="", planned=["packline up"]))

    def end_with_up(self) -> None:
        """Let a whole `packline up` bring everything to its end."""
        with self._up():
            self._until_over()
            self.hall.keep()

    def end(self, run: Run | None = None, *, watching: bool = False, within_s: float = OVER_S) -> None:
        """Let one run (a new one, if none is given) bring everything to its end, and stop it cleanly.

        `watching` fails as soon as something is wrong. What is not over `within_s` is for the judge.
        """
        run = run or self.begin()
        self._until_over(self.demand_nothing_wrong_yet if watching else lambda: None, within_s)
        self.hall.keep()
        self.hall.stop(run)
        self.catalogue.learn(run)

    def _occurrence(self, point: str) -> int:
        times = self.catalogue.often[point] // max(len(self.hall.runs), 1)
        return self._rng.randint(1, max(1, times // 2)) if times > OFTEN else 1

    def _die_at(self, ends_at: dict[str, int]) -> None:
        run, due = self._begin(ends_at), time.monotonic() + REFERENCE_S
        while not self.hall.ended(run, WATCH_S):
            if run.child.worked_s() > PATIENCE_S or time.monotonic() > due:
                self.hall.kill(run)
        self._note(run, list(ends_at))

    def _begin(self, ends_at: dict[str, int]) -> Run:
        self.starts.append(datetime.now(UTC))
        return self.hall.begin(ends_at)

    def _note(self, run: Run, planned: list[str]) -> None:
        assert run.code == -signal.SIGKILL, f"run {run.number} ended by itself with {run.code}"
        self.catalogue.learn(run)
        died = [text for _, text in passed(run.points) if text.startswith("KILLED ")]
        point = died[-1].removeprefix("KILLED ") if died else ""
        self.kills.append(Kill(run=run.number, point=point, planned=planned))

    def _first_delivered(self) -> bool:
        return any(event["name"] == "parcel.delivered" for event in self.hall.events())

    @contextlib.contextmanager
    def _up(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run `packline up` in a process group of its own, which is killed at the end."""
        self.starts.append(datetime.now(UTC))
        env = {**os.environ, "PACKLINE_DATA": str(self.hall.data), "PYTHONPATH": str(ROOT)}
        with (self.hall.folder / "up.log").open("ab") as log:
            up = subprocess.Popen(
                [sys.executable, "-m", "controller", "up", str(self.hall.path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                cwd=ROOT,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        try:
            yield up
        finally:
            os.killpg(up.pid, signal.SIGKILL)
            up.wait()

    # -- the end -------------------------------------------------------------------------------------------------------

    def _until_over(self, look: Callable[[], None] = lambda: None, within_s: float = OVER_S) -> None:
        due, moved_at = time.monotonic() + within_s, time.monotonic()
        last: dict[str, Any] = {}
        while not (stage := self.hall.stage())["over"]:
            now = time.monotonic()
            if stage["progress"] != last:
                last, moved_at = stage["progress"], now
            if now > due or now - moved_at > QUIET_S:
                return  # the judge says what is missing
            look()
            time.sleep(0.2)
        # an event is heard before the books note it as told
        with contextlib.suppress(NotInTime):
            self.hall.until(self._is_all_told, "every delivery is noted", NOTED_S)

    def _is_all_told(self) -> bool:
        with closing(sqlite3.connect(f"{self.hall.database.resolve().as_uri()}?mode=ro", uri=True)) as books:
            return not books.execute("SELECT 1 FROM delivery WHERE state = 'pending'").fetchone()

    def demand_nothing_wrong_yet(self) -> None:
        """Fail with what is wrong already; the line may run meanwhile."""
        books = Books.read(self.hall.database)
        hall = self.hall
        left = Left(
            database=hall.database,
            stage=hall.stage(),
            truth=hall.truth(),
            facts=hall.facts(),
            events=hall.events(),
            roles={},
            starts=self.starts,
            is_over=False,
        )
        if complaints := judge_meanwhile(books, left):
            self.hall.keep()
            pytest.fail("\n".join(complaints), pytrace=False)

    def left(self, *, is_restored: bool = False) -> Left:
        """Give what is left, as it was written down at the end."""
        kept = {name: json.loads((self.hall.folder / f"{name}.json").read_text("utf-8")) for name in KEPT}
        return Left(
            database=self.hall.database,
            roles={name: part.role for name, part in self.hall.site.subscribers.items()},
            starts=self.starts,
            is_restored=is_restored,
            **kept,
        )

    def verdict(self, *, is_restored: bool = False) -> str:
        """Say everything that is wrong, with what is needed to see why; "" when all is well."""
        complaints = judge(self.left(is_restored=is_restored))
        if not complaints:
            return ""
        (self.hall.folder / "timeline.txt").write_text("\n".join(self.timeline()), "utf-8")
        about = {word.strip(",:;'") for text in complaints for word in text.split()}
        subjects = [word for word in about if word.startswith(("PL", "marketplace-", "HM-"))]
        lines = [*complaints, "", f"seed {self.seed}, {len(self.kills)} kills:", *(str(kill) for kill in self.kills)]
        lines += ["", "timeline of what is complained about:", *self.timeline(subjects)]
        return "\n".join([*lines, "", f"everything is kept in {self.hall.folder}"])

    def demand_well(self, *, is_restored: bool = False) -> None:
        """Fail with the whole verdict unless all is well."""
        if verdict := self.verdict(is_restored=is_restored):
            pytest.fail(verdict, pytrace=False)

    def timeline(self, subjects: Sequence[str] = ()) -> list[str]:
        """Tell kills, journal and truth in the order of the clock; of `subjects` only, if there are any."""
        lines = [(kill.at, f"KILL     {kill.point or 'a random moment'}") for kill in self.kills]
        lines += [(at, "START") for at in self.starts]
        lines += [line for line in self._told() if not subjects or any(word in line[1] for word in subjects)]
        return [f"{at:%H:%M:%S.%f} {text}" for at, text in sorted(lines, key=lambda line: line[0])]

    def _told(self) -> Iterator[tuple[datetime, str]]:
        for fact in json.loads((self.hall.folder / "facts.json").read_text("utf-8")):
            rest = {name: value for name, value in fact.items() if name not in ("n", "name", "sim_s", "at")}
            yield datetime.fromisoformat(fact["at"]), f"PLANT    {fact['name']} {_short(rest)}"
        with closing(sqlite3.connect(f"{self.hall.database.resolve().as_uri()}?mode=ro", uri=True)) as books:
            for at, kind, subject, order, data in books.execute(
                "SELECT at, kind, subject, order_id, data FROM journal ORDER BY seq"
            ):
                text = f"JOURNAL  {kind} {subject} {order} {_short(json.loads(data))}"
                yield datetime.fromisoformat(at), text


KEPT = ("stage", "truth", "facts", "events")
_DULL = frozenset({"effect_id", "content", "sha256", "picture_id"})


def _short(data: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in data.items() if name not in _DULL and value not in ("", None))[
        :200
    ]


def spare(folder: Path) -> None:
    """Throw away the large files of a campaign that went well."""
    for name in ("data/packline.db", "data/packline.db-wal", "facts.json"):
        (folder / name).unlink(missing_ok=True)
