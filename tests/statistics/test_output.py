"""Intervals, warm-up, levels, OEE and bottleneck say what their definitions say."""

import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.statistics.bottleneck import active_periods, least_waiting
from simulation.statistics.intervals import antithetic, batch_means, over_replications, paired, von_neumann
from simulation.statistics.oee import Production, oee
from simulation.statistics.tallies import Level, Shares, Tally, little_residual
from simulation.statistics.warmup import mser5

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40)


# -- intervals -----------------------------------------------------------------------------------------------------------


def test_interval_is_the_textbooks():
    """Law & Kelton, Simulation Modeling and Analysis, example 4.26: ten observations, 1.34 +- 0.24 at 90 %."""
    found = over_replications([1.20, 1.50, 1.68, 1.89, 0.95, 1.49, 1.58, 1.55, 0.50, 1.09], level=0.90)
    assert found.estimate == pytest.approx(1.343, abs=1e-3)
    assert found.half == pytest.approx(0.24, abs=5e-3)


def test_one_value_says_nothing_of_the_spread_and_none_says_nothing():
    assert over_replications([3.0]).half == math.inf
    assert math.isnan(over_replications([]).estimate)
    assert over_replications([1.0, math.nan, 3.0]).of == 2


@given(NUMBERS, st.floats(0.5, 20), st.floats(-100, 100))
def test_interval_moves_and_widens_with_its_values(values, times, by):
    one, other = over_replications(values), over_replications([times * value + by for value in values])
    assert other.estimate == pytest.approx(times * one.estimate + by, rel=1e-6, abs=1e-3)
    assert other.half == pytest.approx(times * one.half, rel=1e-5, abs=1e-3)


@given(NUMBERS, st.floats(0.5, 0.98))
def test_higher_level_is_wider(values, level):
    assert over_replications(values).at(0.99).half >= over_replications(values, level).half


def test_pairs_know_more_than_two_samples_when_they_vary_together():
    rng = random.Random(3)
    first = [rng.gauss(10, 5) for _ in range(20)]
    second = [value + 1 + rng.gauss(0, 0.1) for value in first]
    together = paired(second, first)
    apart = math.hypot(over_replications(first).half, over_replications(second).half)
    assert together.holds(1.0)
    assert together.half < apart / 10


def test_antithetic_runs_are_counted_as_pairs():
    found = antithetic([1.0, 3.0, 2.0, 2.0, 0.5, 3.5])
    assert (found.of, found.estimate, found.half) == (3, 2.0, 0.0)
    with pytest.raises(ValueError):
        antithetic([1.0, 2.0, 3.0])


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = random.Random(11)
    held = sum(over_replications([rng.expovariate(1) for _ in range(30)]).holds(1.0) for _ in range(1000))
    assert 0.90 < held / 1000 < 0.97  # a skewed law costs a little


# -- batches and warm-up -------------------------------------------------------------------------------------------------


def autoregressive(rng, n, phi, start):
    value, found = start, []
    for _ in range(n):
        value = phi * value + rng.gauss(0, 1)
        found.append(value)
    return found


def test_batch_means_hold_the_truth_of_a_correlated_series():
    rng = random.Random(5)
    found = [batch_means(autoregressive(rng, 3000, 0.8, 0.0)) for _ in range(120)]
    assert 0.88 < sum(one.interval.holds(0.0) for one in found) / len(found) <= 1
    assert 1.7 < sum(one.von_neumann for one in found) / len(found) < 2.2


def test_von_neumann_sees_batches_that_are_too_short():
    series = autoregressive(random.Random(7), 300, 0.98, 0.0)
    assert von_neumann(series) < 0.5
    assert von_neumann([4.0] * 10) == 2.0


@given(st.permutations(range(12)))
def test_von_neumann_is_the_ratio_of_its_definition(order):
    values = [float(n * n) for n in order]
    mean = sum(values) / 12
    steps = sum((b - a) ** 2 for a, b in zip(values, values[1:], strict=False)) / 11
    spread = sum((value - mean) ** 2 for value in values) / 12
    assert von_neumann(values) == pytest.approx(steps / spread, rel=1e-9)


def test_too_few_values_are_no_batches():
    with pytest.raises(ValueError):
        batch_means([1.0] * 10, batches=30)


def mser_by_definition(values):
    best: Any = None
    means = [sum(values[n : n + 5]) / 5 for n in range(0, len(values) // 5 * 5, 5)]
    for cut in range(len(means) - 5):
        rest = means[cut:]
        mean = sum(rest) / len(rest)
        error = sum((value - mean) ** 2 for value in rest) / len(rest) ** 2
        if best is None or error < best[0] - 1e-15 * abs(best[0]):
            best = (error, cut)
    return None if best[1] > len(means) // 2 else best[1] * 5


@given(st.integers(0, 10_000), st.integers(50, 300))
def test_mser5_cuts_where_its_definition_says(seed, n):
    values = autoregressive(random.Random(seed), n, 0.7, 20.0)
    assert mser5(values) == mser_by_definition(values)


def test_mser5_leaves_out_a_biased_beginning_and_nothing_of_a_settled_series():
    rng = random.Random(2)
    cuts = [mser5(autoregressive(rng, 4000, 0.9, 60.0)) for _ in range(40)]
    assert all(cut is not None and cut >= 15 for cut in cuts)
    assert mser5([float(n) for n in range(1000)]) is None, "a series that only grows has not settled"
    assert mser5([1.0] * 30) is None, "too few values to tell"


# -- levels and samples --------------------------------------------------------------------------------------------------

STEPS = st.lists(st.tuples(st.floats(0, 100), st.integers(-1, 1)), min_size=1, max_size=50)


@given(STEPS, st.floats(0.1, 50))
def test_time_average_is_the_integral_by_hand(steps, rest):
    level, shares, now, value, area = Level(), Shares(), 0.0, 0, 0.0
    for after, by in steps:
        by = max(by, -value)
        area += value * after
        now += after
        level.change(now, by)
        shares.change(now, by)
        value += by
    now, area = now + rest, area + value * rest
    assert level.mean(now) == pytest.approx(area / now, rel=1e-9, abs=1e-9)
    found = shares.shares(now)
    assert sum(found) == pytest.approx(1)
    assert sum(n * share for n, share in enumerate(found)) == pytest.approx(area / now, rel=1e-9, abs=1e-9)


def test_a_reset_keeps_what_is_there_and_forgets_what_was():
    level = Level()
    level.change(5.0, 3)
    level.reset(10.0)
    assert level.mean(20.0) == 3.0


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 100))
def test_percentiles_lie_between_the_extremes_and_rise(values, percent):
    tally = Tally(values)
    assert min(values) <= tally.percentile(percent) <= max(values)
    assert tally.percentile(percent) <= tally.percentile(100)
    assert tally.share_up_to(max(values)) == 1


def test_what_was_never_counted_is_not_known():
    empty = Tally()
    assert all(math.isnan(value) for value in (empty.mean(), empty.deviation(), empty.percentile(50)))


@given(st.floats(0.01, 1e3), st.floats(0.01, 1e3))
def test_littles_law_leaves_nothing_when_it_holds(rate, time):
    assert little_residual(rate * time, rate, time) == pytest.approx(0, abs=1e-12)
    assert little_residual(2 * rate * time, rate, time) == pytest.approx(0.5)


# -- OEE -----------------------------------------------------------------------------------------------------------------


def test_oee_of_a_worked_example():
    """480 min planned, 40 min down, one piece a minute planned, 396 made, 376 good: 91.7 % x 90 % x 94.9 % = 78.3 %."""
    found = oee(Production(planned_busy_s=28800, production_s=26400, run_time_s=60, made=396, good=376))
    assert found.availability == pytest.approx(0.9167, abs=1e-4)
    assert found.effectiveness == pytest.approx(0.9)
    assert found.quality == pytest.approx(0.9495, abs=1e-4)
    assert found.index == pytest.approx(376 * 60 / 28800)


@given(st.floats(1, 1e5), st.floats(1e-9, 1), st.floats(0.1, 100), st.integers(1, 10_000), st.floats(0, 1))
def test_oee_is_good_pieces_at_planned_speed_over_planned_time(planned, share, run_time, made, good_share):
    good = int(made * good_share)
    found = oee(
        Production(planned_busy_s=planned, production_s=planned * share, run_time_s=run_time, made=made, good=good)
    )
    assert found.index == pytest.approx(good * run_time / planned, rel=1e-9, abs=1e-12)


def test_oee_refuses_more_good_than_made():
    with pytest.raises(ValueError):
        oee(Production(planned_busy_s=1, production_s=1, run_time_s=1, made=1, good=2))
    with pytest.raises(ValueError):
        oee(Production(planned_busy_s=1, production_s=2, run_time_s=1, made=1, good=1))


# -- bottleneck ----------------------------------------------------------------------------------------------------------


def test_bottleneck_is_the_longest_active_and_shifts_where_two_overlap():
    found = active_periods({"a": [(0, 10)], "b": [(8, 30)], "c": [(2, 4), (12, 14)]}, 0, 30)
    assert found["a"].sole == pytest.approx(8 / 30)
    assert found["b"].sole == pytest.approx(20 / 30)
    assert found["a"].shifting == found["b"].shifting == pytest.approx(2 / 30)
    assert found["c"].either == 0


def test_a_longer_period_is_the_bottleneck_from_its_beginning_on_also_when_a_third_outlasts_both():
    """At 5 s b, which is open from 2 to 50, is the longest; that it is d when a has ended changes nothing of that."""
    found = active_periods({"a": [(0, 10)], "b": [(2, 50)], "d": [(8, 200)]}, 0, 200)
    assert found["a"].sole == pytest.approx(2 / 200)
    assert (found["b"].sole, found["b"].shifting) == pytest.approx((0, 48 / 200))
    assert (found["d"].sole, found["d"].shifting) == pytest.approx((150 / 200, 42 / 200))


def test_a_machine_that_never_rests_is_the_bottleneck():
    found = active_periods({"slow": [(0, 100)], "fast": [(n, n + 0.5) for n in range(100)]}, 0, 100)
    assert (found["slow"].sole, found["fast"].either) == (1.0, 0.0)


PERIODS = st.lists(st.tuples(st.integers(0, 90), st.integers(1, 30)), max_size=8).map(
    lambda raw: [(a, a + b) for n, (a, b) in enumerate(raw) if all(a >= c + d or a + b <= c for c, d in raw[:n])]
)


@given(st.dictionaries(st.sampled_from("abcd"), PERIODS, min_size=1))
def test_shares_of_the_bottleneck_are_no_more_than_the_time(periods):
    found = active_periods(periods, 0, 100)
    assert all(-1e-9 <= share.sole <= 1 + 1e-9 for share in found.values())
    assert sum(share.sole for share in found.values()) <= 1 + 1e-9
    assert all(share.either <= 1 + 1e-9 for share in found.values())


@given(st.dictionaries(st.sampled_from("abcd"), PERIODS, min_size=1), st.integers(0, 199))
def test_who_is_in_the_longest_period_of_an_instant_has_a_share(periods, half):
    """Roser, Nakano and Tanaka's definition, asked at every half second."""
    at = half / 2 + 0.25
    cut = {name: min(last, 100) - first for name, own in periods.items() for first, last in own if first < at < last}
    longest = max(cut, key=lambda name: cut[name], default=None)
    found = active_periods(periods, 0, 100)
    assert longest is None or found[longest].either > 0


def test_least_waiting_names_the_machine_that_rests_least():
    assert least_waiting({"a": 0.4, "b": 0.1, "c": 0.3}) == "b"
    assert least_waiting({}) is None
