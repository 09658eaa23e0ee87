"""Plays one shift, or the same line without our controller, in a process of its own: `python -m tests.bench.shift_run WAY ORDERS`.

The last line says seconds on the wall and of the processor, parcels that left the door, and the most memory that the process had, in MB. Ways: `memory` and `disk`
(the real controller, its books there), `bare` (SimPy and a state machine), `timeouts` (SimPy alone), `heap` (no SimPy).
"""

from __future__ import annotations

import heapq
import json
import resource
import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from time import perf_counter, process_time

import simpy

SITE = Path(__file__).parents[2] / "sites" / "demo.toml"
WARM_ORDERS = 3
TABLE = {
    "induct": (("take", 2.0), ("place", 1.0), *(("turn", 1.0), ("still", 0.1)) * 4, ("box", 1.0), ("carry", 2.0)),
    "pack": (("convey", 1.5), ("read", 0.1), ("seal", 5.0), ("convey", 1.5)),
    "label": (("look", 0.1), ("print", 3.0), ("apply", 2.5), ("verify", 0.1), ("eject", 1.5)),
    "hold": (("store", 2.0), ("approve", 5.0), ("fetch", 2.0)),
    "gate": (("scan", 0.1), ("light", 0.1), ("open", 1.0), ("pass", 2.0)),
}
"""What happens to a parcel at each station, and how many simulated seconds it takes: the demo's line."""
EVENTS = sum(len(steps) + 1 for steps in TABLE.values())


def by_controller(url: str, orders: int) -> Callable[[], int]:
    """Give a shift of the shipped line by the real controller and its books."""
    from controller.commands.sim.shift.parts import Shift
    from controller.commands.sim.shift.playing import play
    from controller.site_file import load_site

    def run(folder: Path, count: int) -> int:
        where = f"sqlite:///{folder / 'books.db'}" if url == "disk" else "sqlite://"
        shift = Shift(site=load_site(SITE), path=SITE, folder=folder, url=where, orders=count, keeps_facts=False)
        return int(play(shift).figures["parcels_shipped"])

    def whole() -> int:
        with tempfile.TemporaryDirectory() as folder:
            return run(Path(folder), orders)

    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), WARM_ORDERS)
    return whole


def bare(parcels: int) -> int:
    """Run the same line by a state machine at each station, in bare SimPy: no protocol, no books, no doubt."""
    env = simpy.Environment()
    queues = {name: simpy.Store(env) for name in TABLE}
    names = [*TABLE, "gone"]
    queues["gone"] = simpy.Store(env)

    def station(name: str, then: str) -> Generator[simpy.Event, object, None]:
        while True:
            parcel = yield queues[name].get()
            state = 0
            while state < len(TABLE[name]):
                yield env.timeout(TABLE[name][state][1])
                state += 1
            yield queues[then].put(parcel)

    for name, then in zip(names, names[1:], strict=False):
        env.process(station(name, then))
    for number in range(parcels):
        queues["induct"].put(number)
    env.run()
    return len(queues["gone"].items)


def timeouts(parcels: int) -> int:
    """Let SimPy pass as many timeouts as the line has events, and do nothing with them."""
    env = simpy.Environment()

    def tick() -> Generator[simpy.Event, object, None]:
        for _ in range(parcels * EVENTS):
            yield env.timeout(1.0)

    env.process(tick())
    env.run()
    return parcels


def heap(parcels: int) -> int:
    """Do the same in a loop over a heap, written by hand."""
    queue: list[tuple[float, int]] = [(0.0, 0)]
    push, pop, left = heapq.heappush, heapq.heappop, parcels * EVENTS
    while left:
        now, number = pop(queue)
        push(queue, (now + 1.0, number + 1))
        left -= 1
    return parcels


def main(way: str, count: int) -> None:
    """Run one way and say what it took."""
    bares = {"bare": bare, "timeouts": timeouts, "heap": heap}
    work = (lambda: bares[way](count)) if way in bares else by_controller(way, count)
    begun, busy = perf_counter(), process_time()
    parcels = work()
    seconds, busy_s = perf_counter() - begun, process_time() - busy
    most_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "busy_s": busy_s, "parcels": parcels, "most_mb": most_mb}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
