"""Faults as data: drawn from a seed, and shrunk to the least that still fails."""

import pytest

from simulation.faults.catalogue import COMMITS
from simulation.virtual.faults import LATER, MOST_FAULTS, Campaign, PlannedFault, When, swarm
from simulation.virtual.shrink import least, shrink

KNOWN = {
    "arm-1": ["jam", "slow", "off"],
    "printer-1": ["paper_out", "mute"],
    "controller": ["kill", "kill_before_commit", "kill_after_commit"],
    "database": ["locked"],
}


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
    assert kinds == wanted


def test_a_fault_waits_for_a_time_or_a_fact_and_those_of_the_books_also_for_a_commit():
    drawn = [fault for seed in range(300) for fault in swarm(seed, KNOWN, 3)]
    of_commits = {(f.device, f.fault) for f in drawn if f.when is not None and f.when.commit}
    assert of_commits == {("controller", name) for name in COMMITS} | {("database", "locked")}
    assert all(f.when is not None and f.when.commit for f in drawn if f.fault in COMMITS)
    assert {f.fault for f in drawn if f.when is not None and f.when.fact} == {
        name for k in KNOWN.values() for name in k
    } - COMMITS
    assert all(f.for_s is None for f in drawn if f.fault == "kill")
    assert all(f.times for f in drawn if f.fault == "jam")


@pytest.mark.parametrize(
    "campaign, devices, faults",
    [
        (Campaign(kinds=("jam",), enabled=1.0), {"arm-1"}, {"jam"}),
        (Campaign(kinds=("printer-1", "arm-1 slow"), enabled=1.0), {"printer-1", "arm-1"}, {"paper_out", "mute", "slow"}),
        (Campaign(seams=("database", "machine"), enabled=1.0), {"database", "arm-1"}, {"locked", "jam"}),
        (Campaign(without=("controller", "off", "arm-1 slow"), enabled=1.0), {"arm-1", "printer-1", "database"},
         {"jam", "paper_out", "mute", "locked"}),
    ],
)  # fmt: skip
def test_a_campaign_draws_only_from_what_it_names(campaign, devices, faults):
    drawn = [fault for seed in range(60) for fault in swarm(seed, KNOWN, 3, campaign)]
    assert ({f.device for f in drawn}, {f.fault for f in drawn}) == (devices, faults)


def test_what_no_eye_of_the_line_can_see_is_drawn_only_where_it_is_named():
    known = {"floor": ["away", "wrong_item_down"]}
    drawn = {f.fault for seed in range(60) for f in swarm(seed, known, 3)}
    assert drawn == {"away"}
    named = Campaign(kinds=("wrong_item_down",), enabled=1.0)
    assert {f.fault for seed in range(60) for f in swarm(seed, known, 3, named)} == {"wrong_item_down"}


def test_a_kind_that_was_added_later_leaves_what_the_seeds_drew_before_as_it_is():
    more = {**KNOWN, "floor": ["put_elsewhere"]}
    before, now = ([swarm(seed, known, 3) for seed in range(400)] for known in (KNOWN, more))
    assert [tuple(f for f in faults if f.fault != "put_elsewhere") for faults in now] == before
    added = sum(len(faults) for faults in now) - sum(len(faults) for faults in before)
    assert 8 <= added <= 32
    assert max(map(len, now)) == MOST_FAULTS
    assert swarm(1, more, 3, Campaign(without=("put_elsewhere",))) == before[1]
    named = [f for seed in range(20) for f in swarm(seed, more, 3, Campaign(kinds=("put_elsewhere",), enabled=1.0))]
    assert {f.fault for f in named} == {"put_elsewhere"}


def test_kinds_that_came_later_still_have_a_stream_each():
    late = {**KNOWN, "hosts": ["cancelled"], "printer-1": [*KNOWN["printer-1"], "unsaid"]}
    before, now = ([swarm(seed, known, 3) for seed in range(400)] for known in (KNOWN, late))
    assert [tuple(f for f in faults if f.fault not in LATER) for faults in now] == before
    fewer = [swarm(seed, late, 3, Campaign(without=("cancelled",))) for seed in range(400)]
    assert fewer == [tuple(f for f in faults if f.fault != "cancelled") for faults in now]
    assert {f.fault for faults in now for f in faults} >= {"cancelled", "unsaid"}


def test_a_rate_gives_as_many_faults_on_average_and_never_more_than_the_most():
    numbers = [len(swarm(seed, KNOWN, 10, Campaign(per_order=0.4, most_faults=20))) for seed in range(400)]
    assert 3.6 < sum(numbers) / len(numbers) < 4.4
    assert max(len(swarm(seed, KNOWN, 10, Campaign(per_hour=3600, most_faults=3))) for seed in range(40)) == 3


@pytest.mark.parametrize("guilty", [{3}, {0, 7}, {2, 5, 6}, set()])
def test_the_least_that_fails_is_found(guilty):
    assert set(least(tuple(range(8)), lambda some: guilty <= set(some))) == guilty


def test_orders_and_times_shrink_too():
    faults = tuple(planned(n) for n in range(5))
    kept, orders = shrink(faults, 12, lambda some, orders: faults[2].at_s in {f.at_s for f in some} and orders >= 2)
    assert (orders, [fault.at_s for fault in kept]) == (2, [2.0])
    assert kept[0].for_s == 0.3


def test_what_strikes_often_shrinks_to_once_if_that_is_enough():
    faults = (planned(1, times=5), planned(2, times=5))
    kept, _ = shrink(faults, 1, lambda some, _: sum(f.times or 0 for f in some) >= 6)
    assert sorted(fault.times or 0 for fault in kept) == [1, 5]


def test_a_fault_does_without_another_that_only_brings_it_about_in_time():
    double = PlannedFault(device="arm-1", fault="doubled", when=When(fact="moved", nth=6), for_s=3.0, times=1)
    late = PlannedFault(at_s=2.0, device="arm-1", fault="half_done", for_s=3.0, times=2)

    def fails(some, _orders):
        ours = [fault for fault in some if fault.fault == "doubled"]
        return any(fault.when is None or (late in some and other in some) for fault in ours)

    other = planned(9)
    assert fails((double, late, other), 1)
    (kept,), _ = shrink((double, late, other), 1, fails)
    assert (kept.fault, kept.when, kept.at_s, kept.for_s) == ("doubled", None, 0.0, 0.3)


def test_faults_that_need_each_other_are_all_kept():
    faults = (planned(1, times=1), planned(2, times=1))
    assert len(shrink(faults, 1, lambda some, _: len(some) == 2)[0]) == 2


def test_a_fault_reads_back_as_it_was_written():
    fault = planned(4)
    assert PlannedFault.of(fault.as_dict()) == fault
    assert fault.text() == "4.00 s arm-1 slow for 3 s"
    waits = PlannedFault(device="arm-1", fault="jam", when=When(fact="sealed", nth=2), times=1)
    assert PlannedFault.of(waits.as_dict()) == waits
    assert waits.text() == "at sealed 2 arm-1 jam x1"
