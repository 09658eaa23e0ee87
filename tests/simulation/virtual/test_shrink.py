"""Faults as data: drawn from a seed, and shrunk to the least that still fails."""

import pytest

from simulation.virtual.faults import MOST_FAULTS, PlannedFault, swarm
from simulation.virtual.shrink import least, shrink

KNOWN = {"arm-1": ["jam", "slow", "off"], "printer-1": ["paper_out", "mute"]}


def planned(n, **other):
    return PlannedFault(at_s=float(n), device="arm-1", fault="slow", for_s=3.0, **other)


def test_a_seed_always_draws_the_same_faults():
    assert [swarm(seed, KNOWN, 3) for seed in range(50)] == [swarm(seed, KNOWN, 3) for seed in range(50)]


def test_another_device_does_not_need_to_be_known_in_any_order():
    turned = dict(reversed([(name, list(reversed(faults))) for name, faults in KNOWN.items()]))
    assert [swarm(seed, KNOWN, 3) for seed in range(50)] == [swarm(seed, turned, 3) for seed in range(50)]


def test_shifts_have_none_or_a_few_faults_in_the_order_of_their_times():
    drawn = [swarm(seed, KNOWN, 3) for seed in range(200)]
    assert {len(faults) for faults in drawn} == set(range(MOST_FAULTS + 1))
    assert all([f.at_s for f in faults] == sorted(f.at_s for f in faults) for faults in drawn)


def test_every_kind_is_drawn_sooner_or_later():
    kinds = {(fault.device, fault.fault) for seed in range(300) for fault in swarm(seed, KNOWN, 3)}
    wanted = {(device, fault) for device, faults in KNOWN.items() for fault in faults}
    assert kinds == wanted | {("controller", "kill_before_commit"), ("controller", "kill_after_commit")}


@pytest.mark.parametrize("guilty", [{3}, {0, 7}, {2, 5, 6}, set()])
def test_the_least_that_fails_is_found(guilty):
    assert set(least(tuple(range(8)), lambda some: guilty <= set(some))) == guilty


def test_orders_and_times_shrink_too():
    faults = tuple(planned(n) for n in range(5))
    kept, orders = shrink(faults, 12, lambda some, orders: faults[2].at_s in {f.at_s for f in some} and orders >= 2)
    assert (orders, [fault.at_s for fault in kept]) == (2, [2.0])
    assert kept[0].for_s == 0.3


def test_a_fault_reads_back_as_it_was_written():
    fault = planned(4)
    assert PlannedFault.of(fault.as_dict()) == fault
    assert fault.text() == "4.00 s arm-1 slow for 3 s"
