"""One process of `packline sim scaled`: the production code of the plant, the controller, the dashboard or the video server, at a pace."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from controller.commands.sim.pace import patched, run_paced
from controller.commands.sim.shift.parts import EPOCH
from controller.commands.sim.stretching import PatientClock, stretched
from controller.commands.twin.people import people_of
from controller.commands.twin.plant import plant_of
from controller.commands.twin.serving import leave_in_order, quiet
from controller.processes import Pace, run_controller
from controller.site_file import load_site
from controller.supervisor import die_with_supervisor
from controller.video import run_video
from controller.webprocess import run_web
from simulation.people.stage import Stage
from simulation.twin import Twin
from simulation.virtual.paced import PacedMotion
from simulation.virtual.sockets import PacedLoop
from simulation.virtual.wall import FastClock

LAG_FILE = "lag-{}.json"
TOLD_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What all processes of one scaled run have in common. `began` is the moment of `time.monotonic()` of its time zero."""

    site: Path
    data: Path
    factor: float
    began: float
    speed: float | None = None
    orders: int = 0
    seed: int = 1

    def word(self) -> str:
        """Give it as one word of a command line."""
        return json.dumps({field.name: _plain(getattr(self, field.name)) for field in fields(self)})

    @classmethod
    def read(cls, text: str) -> Play:
        """Read what `word` gave."""
        raw = json.loads(text)
        return cls(**{**raw, "site": Path(raw["site"]), "data": Path(raw["data"])})

    def clock(self, epoch: datetime = EPOCH) -> FastClock:
        """Give the clock that all of them share."""
        return FastClock(factor=self.factor, began=self.began, epoch=epoch)


def run_role(role: str, play: Play) -> int:
    """Run one process until SIGTERM."""
    return ROLES[role](play)


# -- the plant -----------------------------------------------------------------------------------------------------------


def _plant(play: Play) -> int:
    quiet()
    die_with_supervisor()
    site = load_site(play.site)
    spec = plant_of(site, play.site, play.speed)
    stock = tuple(replace(article, count=max(article.count, play.orders)) for article in spec.stock)
    spec = replace(spec, seed=play.seed, stock=stock)
    people = people_of(site, play.site, orders=play.orders, seed=play.seed, speed=spec.speed)

    async def serve() -> None:
        leave_in_order()
        loop, clock = _loop(), play.clock()
        with patched(loop, clock):
            twin = Twin(spec, clock=clock, motion=PacedMotion(loop))
            await twin.start()
            loop.most_lag_s = 0.0
            telling = asyncio.create_task(_tell_lag(play, "plant", loop))
            try:
                await Stage(twin, people, clock=clock).run()
            finally:
                telling.cancel()
                await twin.stop()

    run_paced(serve, factor=play.factor, speed=spec.speed, began=play.began)
    return 0


# -- the controller ------------------------------------------------------------------------------------------------------


def _controller(play: Play) -> int:
    def run(main: Coroutine[Any, Any, None]) -> None:
        async def paced() -> None:
            loop = _loop()
            with patched(loop, play.clock()):
                telling = asyncio.create_task(_tell_lag(play, "controller", loop))
                try:
                    await main
                finally:
                    telling.cancel()

        run_paced(paced, factor=play.factor, began=play.began)

    clock, patient = play.clock(), PatientClock(factor=play.factor, began=play.began, epoch=EPOCH)
    return run_controller(play.site, Pace(clock=clock, run=run, fit=lambda links: stretched(links, patient)))


def _web(play: Play) -> int:
    return run_web(play.site, play.clock())


def _video(play: Play) -> int:
    return run_video(play.site, play.clock())


ROLES: Mapping[str, Callable[[Play], int]] = {
    "plant": _plant,
    "controller": _controller,
    "web": _web,
    "video": _video,
}


async def _tell_lag(play: Play, who: str, loop: PacedLoop) -> None:
    """Write down now and then how far behind this process ever was."""
    while True:
        await play.clock().sleep(loop.wall(TOLD_S))
        file = play.data / LAG_FILE.format(who)
        part = file.with_suffix(".part")
        part.write_text(json.dumps({"most_lag_s": round(loop.most_lag_s, 4)}))
        part.replace(file)  # whoever reads it finds the whole of it


def _loop() -> PacedLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, PacedLoop)  # noqa: S101 - made by run_paced
    return loop


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


if __name__ == "__main__":  # `packline sim scaled` starts these, nobody types it
    sys.exit(run_role(sys.argv[1], Play.read(sys.argv[2])))
