"""Student's t by our own function is that of the printed tables."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.statistics.student import incomplete_beta, t_probability, t_quantile

# Abramowitz & Stegun 1964, table 26.10, and any textbook's last page: three decimals.
TABLE = {
    (0.975, 1): 12.706, (0.975, 2): 4.303, (0.975, 3): 3.182, (0.975, 4): 2.776, (0.975, 5): 2.571, (0.975, 9): 2.262,
    (0.975, 10): 2.228, (0.975, 19): 2.093, (0.975, 29): 2.045, (0.975, 30): 2.042, (0.975, 60): 2.000,
    (0.975, 120): 1.980, (0.95, 1): 6.314, (0.95, 5): 2.015, (0.95, 10): 1.812, (0.95, 30): 1.697,
    (0.995, 1): 63.657, (0.995, 2): 9.925, (0.995, 10): 3.169, (0.995, 30): 2.750, (0.9, 7): 1.415,
    (0.9995, 4): 8.610, (0.9995, 10): 4.587,
}  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_quantiles_are_those_of_the_printed_table(row):
    assert t_quantile(*row) == pytest.approx(TABLE[row], abs=6e-4)


@pytest.mark.parametrize("p", [0.6, 0.9, 0.975, 0.999])
def test_one_degree_is_cauchys_and_two_have_a_closed_form(p):
    assert t_quantile(p, 1) == pytest.approx(math.tan(math.pi * (p - 0.5)), rel=1e-10)
    a = 4 * p * (1 - p)
    assert t_quantile(p, 2) == pytest.approx(2 * (p - 0.5) * math.sqrt(2 / a), rel=1e-10)


def test_many_degrees_are_the_normal_law():
    assert t_quantile(0.975, 1e7) == pytest.approx(1.959964, abs=1e-5)


@given(st.floats(0.001, 0.999), st.integers(1, 500))
def test_quantile_and_probability_are_each_others_inverse(p, freedom):
    assert t_probability(t_quantile(p, freedom), freedom) == pytest.approx(p, abs=1e-10)


@given(st.floats(-50, 50), st.integers(1, 300))
def test_probability_is_symmetric(t, freedom):
    assert t_probability(t, freedom) + t_probability(-t, freedom) == pytest.approx(1, abs=1e-12)


@given(st.integers(1, 12), st.integers(1, 12), st.floats(0, 1))
def test_incomplete_beta_of_whole_numbers_is_a_binomial_tail(a, b, x):
    n = a + b - 1
    tail = sum(math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
    assert incomplete_beta(a, b, x) == pytest.approx(tail, abs=1e-11)


@pytest.mark.parametrize("p, freedom", [(0, 5), (1, 5), (0.5, 0), (0.5, -1)])
def test_nonsense_is_refused(p, freedom):
    with pytest.raises(ValueError):
        t_quantile(p, freedom)
