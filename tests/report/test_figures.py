"""Figures of a recording, against what is counted by hand."""

import math
from dataclasses import replace

import pytest

from simulation.recording.rows import FaultRow, Jobs, MachineRow, Recording
from simulation.report.figures import batched, figures_of
from simulation.report.machines import machine_figures
from simulation.report.sides import differences, side_of
from simulation.report.words import title_of
from tests.report.shifts import recording


def numbers(**how):
    return figures_of(recording(**how)).numbers


def test_the_shares_of_a_machine_sum_to_one_and_are_those_of_its_states():
    packer, arm = figures_of(recording()).machines

    assert packer.shares == pytest.approx(
        {"setup": 0.1, "starved": 0.3, "busy": 0.5, "blocked": 0.1, "waiting": 0, "held": 0, "down": 0}
    )
    assert [math.fsum(machine.shares.values()) for machine in (packer, arm)] == pytest.approx([1.0, 1.0], abs=1e-12)


def test_oee_is_the_product_of_its_three_parts():
    packer = figures_of(recording()).machines[0]

    assert packer.oee.availability == pytest.approx(500 / 1000)
    assert packer.oee.effectiveness == pytest.approx(40 * 8 / 500)
    assert packer.oee.quality == pytest.approx(7 / 8)
    assert packer.oee.index == pytest.approx(0.5 * 0.64 * 7 / 8)


def test_jobs_that_were_broken_off_never_lift_the_effectiveness_above_one():
    row = MachineRow(
        name="packer-1",
        model="packer",
        station="pack-1",
        states=((0, "busy"), (100, "starved")),
        jobs={"seal": Jobs(well=2, failed=3, stopped=4, took_s=80.0, planned_s=40.0)},
    )
    found = machine_figures(row, 200.0)

    assert (found.done.made, found.done.good, found.failed) == (2, 2, 7)
    assert found.oee.effectiveness == pytest.approx(0.8)
    assert found.oee.index <= 1


def test_throughput_and_cycle_times_are_those_of_the_parcels_that_left():
    found = numbers()

    assert found["parcels"] == 4
    assert found["throughput_per_h"] == pytest.approx(4 / 730 * 3600)
    assert found["cycle_mean_s"] == pytest.approx(115)
    assert found["cycle_p50_s"] == pytest.approx(115)


def test_work_in_progress_is_weighted_by_time_and_agrees_with_littles_law():
    found = numbers()

    assert found["wip"] == pytest.approx((100 + 110 + 120 + 130) / 730)
    assert found["little_residual"] == pytest.approx(0, abs=1e-12)


def test_first_passes_are_shares_of_what_was_tried():
    found = numbers()

    assert found["label_first_pass"] == pytest.approx(3 / 4)
    assert found["scan_first_pass"] == pytest.approx(6 / 8)


def test_an_exception_that_stands_is_no_time_to_clear():
    found = numbers()

    assert (found["exceptions"], found["exceptions_open"], found["clear_mean_s"]) == (2, 1, 60)


def test_a_long_run_has_a_warm_up_and_batch_means():
    found = figures_of(recording(count=200))

    assert found.batched is not None
    assert 10 <= found.batched.interval.of <= 30
    assert "MSER-5" in found.window.why


def test_batch_means_leave_out_less_than_a_twentieth_of_the_parcels():
    for count in range(20, 1000):
        found = batched([float(n) for n in range(count)])
        assert found is not None
        left_out = 2 * found.interval.estimate - (
            count - 1
        )  # the first ones of 0, 1, 2 ...: each lifts the mean by a half
        assert 10 <= found.interval.of <= 30 and 0 <= round(left_out) < count / 20, count


def test_a_shift_in_which_nothing_left_has_figures_that_are_not_known():
    empty = Recording(head=recording().head)

    assert math.isnan(figures_of(empty).numbers["cycle_p95_s"])
    assert figures_of(empty).longest_active is None


def test_differences_with_the_same_seeds_are_taken_seed_by_seed():
    first = side_of("a", [recording(seed=n, flow_s=100.0 + 50 * n) for n in range(4)])
    second = side_of("b", [recording(seed=n, flow_s=107.0 + 50 * n) for n in (2, 0, 3, 1)])
    found = {d.name: d for d in differences(first, second)}["cycle_mean_s"]

    assert found.is_paired and found.is_told
    assert found.interval.estimate == pytest.approx(7)
    assert found.interval.half == pytest.approx(0, abs=1e-9)
    assert found.apart > 50


def test_differences_with_other_seeds_are_those_of_independent_runs():
    first = side_of("a", [recording(seed=n, flow_s=100.0 + n) for n in range(3)])
    second = side_of("b", [recording(seed=n, flow_s=100.0 + n) for n in range(3, 6)])
    found = {d.name: d for d in differences(first, second)}["cycle_mean_s"]

    assert not found.is_paired
    assert found.interval.estimate == pytest.approx(3)
    assert found.interval.half == pytest.approx(2.776 * math.sqrt(2 / 3), rel=1e-3)


def test_one_run_each_tells_no_difference_from_chance():
    found = differences(side_of("a", [recording(flow_s=10)]), side_of("b", [recording(flow_s=90)]))

    assert not any(difference.is_told for difference in found)


def test_a_fault_that_lay_in_wait_and_met_nothing_is_counted_as_switched_on_and_not_as_one_that_struck():
    waited = FaultRow(at_s=0, device="scan-gate", fault="no_read", until_s=20)
    assert figures_of(replace(recording(), faults=(waited,))).numbers["fault_strikes"] == 1
    assert title_of("fault_strikes") == "faults switched on"
