"""What a fault can wait for, and what a campaign draws."""

import asyncio
from datetime import UTC, datetime

import pytest

from packline.core.clock import LoopClock
from simulation.plant.truth import Fact
from simulation.virtual.faults import COMMITS_PER_ORDER, FACTS, MOTION, WEIGHTS, Campaign, PlannedFault, When, swarm
from simulation.virtual.moments import Moments

KNOWN = {"arm-1": ["jam", "lost_answer"], "controller": ["kill", "kill_before_commit"], "hosts": ["forged"]}


def waits(device, happens, nth=2, fact=MOTION):
    """Tell whether a fault of `device` that waits for a motion is due after these motions."""

    async def whole():
        moments = Moments(LoopClock(), {"arm-1", "gate-1"})
        due = asyncio.ensure_future(moments.of(PlannedFault(device=device, fault="jam", when=When(fact=fact, nth=nth))))
        await asyncio.sleep(0)
        for machine, what in happens:
            moments.moved(machine, what)
        moments.hear(Fact(n=1, name="boxed", sim_s=1.0, at=datetime(2026, 1, 5, tzinfo=UTC), data={}))
        await asyncio.sleep(0)
        is_due = due.done()
        due.cancel()
        return is_due

    return asyncio.run(whole())


BOTH = [("gate-1", "begins"), ("gate-1", "ends"), ("arm-1", "begins")]


def test_a_machines_fault_waits_for_a_motion_of_its_own_and_everybody_elses_for_any():
    assert not waits("arm-1", BOTH)
    assert waits("arm-1", [*BOTH, ("arm-1", "begins")])
    assert waits("controller", BOTH)
    assert not waits("controller", BOTH[:2])
    assert waits("controller", [], nth=1, fact="boxed")


@pytest.mark.parametrize("orders", [1, 5])
def test_moments_are_drawn_within_a_shift_and_from_the_seed_alone(orders):
    drawn = [fault for seed in range(200) for fault in swarm(seed, KNOWN, orders, Campaign())]
    assert drawn == [fault for seed in range(200) for fault in swarm(seed, KNOWN, orders, Campaign())]
    waited = [fault.when for fault in drawn if fault.when is not None]
    assert {when.fact for when in waited if not when.commit} == set(FACTS)
    assert all(when.nth <= FACTS[when.fact] * orders for when in waited if not when.commit)
    assert all(when.commit <= COMMITS_PER_ORDER * orders for when in waited)


def test_more_goes_wrong_where_a_controller_is_tried_the_hardest():
    drawn = [fault for seed in range(400) for fault in swarm(seed, KNOWN, 1, Campaign(enabled=1.0))]
    share = sum(fault.device == "controller" for fault in drawn) / len(drawn)
    of_all = WEIGHTS["controller"] + WEIGHTS["machine"] + WEIGHTS["wire"] + 1  # hosts have no weight of their own
    assert share == pytest.approx(WEIGHTS["controller"] / of_all, abs=0.05)
