"""Short scenes of the crash harness, for the mutants that it must see: `python -m tests.mutants.crashes SCENE FOLDER`.

A scene is a few orders, one kill at the point that tells, and a second run. It plays in a process of its own, in the mutant's
tree, and prints what the harness's judge complains of as JSON.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.crash.hall import Hall, NotInTime, Run, open_hall
from tests.crash.judge import Left, judge

SEED = 1
LOOK_S = 0.5
PATIENCE_S = 60.0
"""How long each run has to come to its point."""


def _nothing(_: Hall) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A kill `at` a point and the `complaint` (a pattern) that the second run must lead to.

    `during` happens to the plant while the first run works, `between` while nobody does.
    """

    at: str
    complaint: str
    orders: int = 1
    during: Callable[[Hall], None] = _nothing
    between: Callable[[Hall], None] = _nothing


def _let_cartons_queue(hall: Hall) -> None:
    """Keep the first carton at the label station until another one waits behind it."""
    hall.misbehave(device="printer-1", fault="unplugged")
    hall.until(lambda: "infeed:label-1" in _places(hall), "a second carton before the label station", PATIENCE_S)
    hall.mend(device="printer-1")


def _let_the_next_carton_come(hall: Hall) -> None:
    hall.until(lambda: "label-1" in _places(hall), "the second carton at the stop", PATIENCE_S)


def _freeze_the_camera(hall: Hall) -> None:
    hall.misbehave(device="cam-verify", fault="frozen")


def _places(hall: Hall) -> set[str]:
    return {parcel["place"] for parcel in hall.truth()["parcels"].values()}


SCENES: Mapping[str, Scene] = {
    "printed-and-not-meant": Scene(
        at="after label job sent to printer-1", complaint=r"the plant counts 1 double_prints"
    ),
    "done-and-not-told": Scene(
        at="after commit of ParcelPacked", complaint=r"was never told that \w+ was .*parcel\.packed"
    ),
    "meant-and-not-done": Scene(
        at="after commit of EffectIntended print",
        complaint=r"print of \w+, generation 1 is confirmed and happened 0 times",
    ),
    "done-and-not-heard": Scene(
        at="after CMD eject written to arm-1",
        complaint=r"eject of \w+ is confirmed 0 times and happened 1 times",
        orders=3,
        during=_let_cartons_queue,
        between=_let_the_next_carton_come,
    ),
    "seen-and-not-written": Scene(
        at="before commit of LabelVerified",
        complaint=r"\w+ is verified by a picture older than the run that judged it",
        between=_freeze_the_camera,
    ),
}


@dataclass(slots=True, kw_only=True)
class Play:
    """One scene on its hall."""

    hall: Hall
    starts: list[datetime] = field(default_factory=list)

    def begin(self, ends_at: Mapping[str, int]) -> Run:
        """Start a run."""
        self.starts.append(datetime.now(UTC))
        return self.hall.begin(ends_at)

    def act(self, scene: Scene) -> list[str]:
        """Play both runs; gives the last complaints, as soon as the one that is waited for is among them."""
        run = self.begin({scene.at: 1})
        scene.during(self.hall)
        if not self.hall.ended(run, PATIENCE_S):
            raise NotInTime(f"no run passed {scene.at!r}")
        scene.between(self.hall)
        self.begin({})
        due = time.monotonic() + PATIENCE_S
        while True:
            found = self.complaints()
            if time.monotonic() > due or any(re.search(scene.complaint, text) for text in found):
                return found
            time.sleep(LOOK_S)

    def complaints(self) -> list[str]:
        """Say what the harness's judge has against the line as it stands now."""
        hall = self.hall
        roles = {name: part.role for name, part in hall.site.subscribers.items()}
        stage, events, facts, truth = hall.stage(), hall.events(), hall.facts(), hall.truth()
        left = Left(
            database=hall.database,
            stage=stage,
            truth=truth,
            facts=facts,
            events=events,
            roles=roles,
            starts=self.starts,
        )
        return judge(left)


def main(name: str, folder: str) -> None:
    """Play the scene `name` and print what was complained of."""
    complaints: list[str] = []
    scene = SCENES[name]
    with open_hall(Path(folder), orders=scene.orders, seed=SEED) as hall, suppress(NotInTime):
        complaints = Play(hall=hall).act(scene)
    print(json.dumps(complaints, ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
