"""Shifts in which whatever the catalogue has goes wrong, each from its seed: nothing is doubled, wrong or lost in any of them.

`make crash` plays SEEDS_IN_A_CAMPAIGN; here are the first of them, with fewer orders.
"""

import logging
from pathlib import Path

import pytest

from controller.commands.sim.qa import attempt, of_seed
from controller.commands.sim.scenario import shift_of
from controller.commands.sim.scenario_file import Scenario, ShiftPart
from controller.commands.sim.shift.playing import known_faults
from simulation.virtual.faults import swarm

SEEDS, SLICE, ORDERS = 100, 10, 1
BESIDE = Path("scenario.toml")
BROKE_ONCE = (282, 727, 760, 784, 856, 885)
"""Later seeds that broke something once: an address that changed while the label was put on, or before the gate."""


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return known_faults(shift_of(Scenario(), BESIDE, tmp_path_factory.mktemp("known")))


@pytest.fixture(autouse=True)
def quiet():
    """What goes wrong goes wrong on purpose: nobody needs to read of it."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("first", range(0, SEEDS, SLICE))
def test_whatever_a_seed_lets_go_wrong_breaks_nothing(first, known):
    assert broken_in(range(first, first + SLICE), known) == {}


@pytest.mark.parametrize("seed", BROKE_ONCE)
def test_what_broke_a_shift_once_breaks_nothing_any_more(seed, known):
    assert broken_in([seed], known) == {}


def broken_in(seeds, known):
    """Play the shifts of `seeds`; gives what they broke."""
    broken: dict[int, tuple[str, ...]] = {}
    for seed in seeds:
        scenario = of_seed(Scenario(shift=ShiftPart(orders=ORDERS)), seed)
        played = attempt(scenario, BESIDE, swarm(seed, known, ORDERS, scenario.campaign.campaign()))
        broken |= {seed: played.broken} if played.broken else {}
    return broken
