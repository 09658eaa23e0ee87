"""What a customer costs in the blocks and in bare SimPy; and the textbook cases, run longer than the suite has time for."""

import random
from collections.abc import Callable, Generator

import pytest
import simpy

from simulation.blocks.conduct import Conduct
from simulation.blocks.draws import Exponential
from simulation.blocks.floor import Floor
from simulation.blocks.server import Server
from simulation.blocks.sources import Demand, Source
from simulation.validation.suite import check_all, exact, most_outside
from tests.bench.gauge import Figure, blocking, figure, in_turns

pytestmark = pytest.mark.bench

Tell = Callable[[Figure], None]
CUSTOMERS = 20_000
MEAN_S = 1.25
SCALE = 2.0


def by_blocks() -> float:
    """M/M/1 with load 0.8, every customer's wait kept."""
    floor = Floor(seed="bench")
    source = Source(floor, "in", Demand(every=Exponential(MEAN_S), most=CUSTOMERS))
    desk = Server(floor, "desk", Conduct(service=Exponential(1.0)))
    source.next = desk
    source.start()
    floor.run(CUSTOMERS * MEAN_S * 2)
    return desk.wait.mean()


def by_simpy() -> float:
    """The same as every SimPy tutorial writes it: one process a customer, one Resource."""
    env, rng, waits = simpy.Environment(), random.Random("bench"), []
    desk = simpy.Resource(env)

    def customer() -> Generator[simpy.Event, None, None]:
        came = env.now
        with desk.request() as turn:
            yield turn
            waits.append(env.now - came)
            yield env.timeout(rng.expovariate(1.0))

    def arrivals() -> Generator[simpy.Event, None, None]:
        for _ in range(CUSTOMERS):
            yield env.timeout(rng.expovariate(1 / MEAN_S))
            env.process(customer())

    env.process(arrivals())
    env.run()
    return sum(waits) / len(waits)


async def test_a_customer_through_one_desk(tell: Tell):
    found: dict[str, float] = {}
    ours, peer = await in_turns(
        blocking(lambda: found.update(ours=by_blocks())),
        blocking(lambda: found.update(peer=by_simpy())),
        things=CUSTOMERS,
        rounds=5,
    )
    assert 3 < found["ours"] < 5
    assert 3 < found["peer"] < 5
    tell(
        figure(
            "one customer through M/M/1 of blocks",
            ours=ours,
            peer=peer,
            peer_name="SimPy: a process and a Resource",
            unit="us/customer",
        )
    )


def test_textbook_cases_run_long():
    done = check_all(scale=SCALE)
    random_ = [finding for checked in done for finding in checked.findings if not exact(finding)]
    assert not [f"{f.case}: {f.figure}" for checked in done for f in checked.findings if not f.is_believable]
    assert not [checked.findings[0].case for checked in done if not checked.is_right]
    assert sum(not finding.is_inside for finding in random_) <= most_outside(len(random_))
