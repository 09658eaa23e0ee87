"""The blocks give what the books say: each case here runs short, `packline sim validate --long` runs them long."""

import math

import pytest

from simulation.model.reading import model_of
from simulation.validation import (
    theory_lines,
    theory_networks,
    theory_priorities,
    theory_queues,
    theory_stocks,
    theory_unreliable,
)
from simulation.validation import theory_together as together
from simulation.validation.case import Between
from simulation.validation.cases import cases
from simulation.validation.chains import birth_death, stationary, stationary_of_steps
from simulation.validation.suite import LITTLE, check, exact, most_outside

CASES = cases()
SHORT = 0.3
"""Times as long as `packline sim validate` without options."""
FINDINGS: dict[str, list] = {}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case_is_as_the_book_says(case):
    checked = check(case, scale=SHORT)
    FINDINGS[case.name] = list(checked.findings)
    wrong = [f"{f.figure}: {f.interval}, theory {f.truth}" for f in checked.findings if not f.is_believable]
    assert not wrong
    assert not abs(checked.little) > LITTLE


def test_no_more_values_lie_outside_of_their_intervals_than_chance_explains():
    """What this worker has run; alone this test has nothing to count."""
    random = [finding for found in FINDINGS.values() for finding in found if not exact(finding)]
    outside = [f"{finding.case}: {finding.figure}" for finding in random if not finding.is_inside]
    assert len(outside) <= most_outside(len(random)), outside


def test_there_are_enough_cases_each_with_its_book_and_a_name_of_its_own():
    assert len(CASES) >= 50
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(case.source for case in CASES)
    for case in CASES:
        model_of(case.raw(), case.name)


def test_a_wrong_theory_is_noticed():
    """The comparison is no rubber stamp: five per cent off at this length is seen."""
    import dataclasses

    case = next(case for case in CASES if case.name == "effective rate, failing by cycles")
    wrong = dataclasses.replace(case, truth={"throughput": 25 / 30 * 1.1})
    assert not check(wrong, scale=SHORT).is_right


def test_how_many_may_lie_outside_follows_the_binomial():
    assert most_outside(1) == 1
    assert most_outside(100) == 13
    assert most_outside(0) == 0


# -- the theory itself, against printed values and against itself --------------------------------------------------------


def test_erlang_b_is_that_of_the_printed_tables():
    """Any table of Erlang B: 10 erlangs on 10 lines lose 21.5 %, 5 on 10 lose 1.84 %."""
    assert theory_queues.erlang_b(10, 10) == pytest.approx(0.2146, abs=1e-4)
    assert theory_queues.erlang_b(5, 10) == pytest.approx(0.0184, abs=1e-4)
    assert theory_queues.erlang_b(1, 1) == 0.5


def test_erlang_c_of_one_line_is_its_load():
    assert theory_queues.erlang_c(0.37, 1) == pytest.approx(0.37)
    assert theory_queues.erlang_c(8, 10) == pytest.approx(0.409, abs=1e-3)


def test_pollaczek_khinchine_of_an_exponential_is_mm1():
    assert theory_queues.pollaczek_khinchine(0.7, 1, 2) == pytest.approx(theory_queues.mm1_wait(0.7, 1))
    mean = theory_queues.mm1_wait(0.7, 1)
    assert theory_queues.wait_second_moment(0.7, 1, 2, 6) - mean**2 == pytest.approx((2 - 0.7) * 0.7 / 0.3**2)


def test_gim1_of_poisson_arrivals_is_mm1():
    assert theory_queues.gim1_wait(lambda s: 0.7 / (0.7 + s), 1) == pytest.approx(theory_queues.mm1_wait(0.7, 1))


def test_priorities_keep_kleinrocks_conservation_law():
    lams, means, seconds = (0.2, 0.3, 0.1), (1.0, 0.5, 2.0), (2.0, 0.5, 5.0)
    rho = sum(lam * mean for lam, mean in zip(lams, means, strict=True))
    waits = theory_priorities.cobham(lams, means, seconds)
    mixed = theory_queues.pollaczek_khinchine(
        1, 0, sum(lam * second for lam, second in zip(lams, seconds, strict=True))
    )
    weighted = sum(lam * mean * wait for lam, mean, wait in zip(lams, means, waits, strict=True))
    assert weighted == pytest.approx(rho * mixed / (1 - rho))


def test_chains_give_what_closed_forms_give():
    assert theory_lines.three_stations((1, 1, 1)) == pytest.approx(22 / 39)
    assert theory_lines.two_stations((1, 1), 0) == pytest.approx(2 / 3)
    assert theory_lines.two_stations((1, 1), 3) == pytest.approx(5 / 6)
    assert theory_unreliable.breaking_at_any_time(0.5, 1, 0, 1) == pytest.approx(1)
    assert theory_unreliable.exponential_two_machines((1, 1), (0, 0), (1, 1), 3) == pytest.approx(5 / 6)


def test_a_line_of_machines_with_many_places_is_as_good_as_its_worse_machine():
    rate, _ = theory_unreliable.gershwin_two_machines((0.1, 0.01), (0.3, 0.3), 300)
    assert rate == pytest.approx(0.75, abs=1e-3)
    symmetric = theory_unreliable.gershwin_two_machines((0.1, 0.1), (0.1, 0.1), 10)
    assert symmetric[1] == pytest.approx(5), "half full, as its mirror"
    rates = [theory_unreliable.gershwin_two_machines((0.1, 0.1), (0.1, 0.1), n)[0] for n in (2, 5, 20)]
    assert rates == sorted(rates)
    assert rates[-1] < 0.5


def test_stationary_probabilities_are_those_of_mm1k_and_of_a_coin():
    found = stationary(0, lambda n: [(n + 1, 0.5 if n < 4 else 0.0), (n - 1, 1.0 if n else 0.0)])
    assert [found[n] for n in range(5)] == pytest.approx(theory_queues.mmck(0.5, 1, 1, 4))
    assert birth_death(lambda _n: 0.5, lambda _n: 1.0, 4) == pytest.approx(theory_queues.mmck(0.5, 1, 1, 4))
    coin = stationary_of_steps("a", lambda side: [("a", 0.2), ("b", 0.8)] if side == "a" else [("a", 1.0)])
    assert coin["a"] == pytest.approx(1 / 1.8)
    with pytest.raises(ValueError):
        stationary_of_steps(0, lambda _n: [(0, 0.5)])


def test_mean_value_analysis_of_one_customer_never_waits():
    rate, numbers = theory_networks.mean_value_analysis((1.0, 2.0), 1, thinking=3.0)
    assert rate == pytest.approx(1 / 6)
    assert numbers == pytest.approx([1 / 6, 2 / 6])


def test_shortest_jobs_and_least_work_are_better_than_first_come():
    first = theory_queues.mm1_wait(0.7, 1)
    assert theory_queues.shortest_job_wait(0.7, 1) < first
    assert theory_queues.shortest_remaining_sojourn(0.7, 1) < theory_queues.shortest_job_wait(0.7, 1) + 1
    assert theory_queues.shortest_job_wait(1e-6, 1) == pytest.approx(0, abs=1e-5)


def test_bounds_hold_mm1():
    lam = 0.7
    low, high = (
        theory_queues.marshall_bound(lam, 1 / lam**2, 1, lam),
        theory_queues.kingman_bound(lam, 1 / lam**2, 1, lam),
    )
    assert low <= theory_queues.mm1_wait(lam, 1) <= high


def test_theory_is_a_number_everywhere():
    for case in CASES:
        for truth in case.truth.values():
            bounds = (truth.low, truth.high) if isinstance(truth, Between) else (truth,)
            assert all(math.isfinite(value) for value in bounds), case.name


def test_every_case_is_told_in_the_explanation():
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs" / "explanations" / "twin-truth.md").read_text("utf-8")
    assert not [case.name for case in CASES if f"| {case.name} |" not in page]


# -- theory of what is done together --------------------------------------------------------------------------------------


def test_batches_of_one_are_mm1_and_the_chain_is_the_closed_form():
    assert together.bulk_service_waiting(0.7, 1, 1, 1, 120) == pytest.approx(0.7**2 / 0.3)
    assert together.bulk_service_waiting(1.5, 1, 1, 4, 120) == pytest.approx(
        together.bulk_service_waiting_closed(1.5, 1, 4)
    )
    assert together.together_with_loss(0.8, 1, (1.0,), 4)[0] == pytest.approx(theory_queues.mmck(0.8, 1, 1, 4)[4])


def test_open_batches_of_one_are_mm1_and_larger_ones_have_fewer_there_than_closed_ones():
    assert together.open_batch_number(0.7, 1, 1) == pytest.approx(0.7 / 0.3)
    closed = together.bulk_service_waiting_closed(2.5, 1, 4) + 2.5
    assert 2.5 < together.open_batch_number(2.5, 1, 4) < closed


def test_an_oven_for_one_is_a_line_of_two():
    assert together.oven_rate((1, 0.8), 1, 2) == pytest.approx(theory_lines.two_stations((1, 0.8), 2))


def test_parts_and_caps_are_lines_where_they_are_alike():
    assert together.assembly_rate((1000, 1, 1), (2, 2)) == pytest.approx(theory_lines.two_stations((1, 1), 2), abs=0.01)
    rate, lost = together.kitting((1, 1), (3, 3))
    assert [rate, lost] == pytest.approx([6 / 7, 1 / 7]), "each surplus from -3 to 3 is as likely"
    assert together.window_number(0.4, (1, 1000), 20, 30) == pytest.approx(0.4 / 0.6, abs=0.01)


def test_a_whole_that_never_fails_and_paces_that_are_alike_are_mmc():
    number = theory_queues.mmc_wait(1.5, 1, 2) * 1.5 + 1.5
    assert together.failing_as_a_whole(1.5, 1, 2, 0.0, 1.0, 80) == pytest.approx(number)
    assert together.failing_as_a_whole(0.5, 1, 1, 0.1, 1 / 3) == pytest.approx(
        theory_unreliable.breaking_at_any_time(0.5, 1, 0.1, 1 / 3)
    )
    assert together.modulated_number((0.6, 0.6), (10, 5), 1, ((0, 1), (1, 0)), 80) == pytest.approx(1.5)
    assert together.paced_number(1.5, (1, 2)) == pytest.approx(number)
    assert together.mdc_number(0.7, 1, 40) == pytest.approx(0.7 + 0.7 * theory_queues.pollaczek_khinchine(0.7, 1, 1))


def test_one_queue_that_is_walked_to_is_a_server_with_vacations():
    wait = theory_unreliable.vacation_wait(0.6, 1, 2, 0.3, 0.045 + 0.09)
    assert together.polling_wait(0.6, 1, 2, 0.3, 0.045, 1, "exhaustive") == pytest.approx(wait)
    waits = [together.polling_wait(0.2, 1, 2, 0.3, 0.045, 3, rule) for rule in ("exhaustive", "gated", "limited")]
    assert waits == sorted(waits)


def test_who_waits_without_end_or_not_at_all():
    lost, empty = together.fixed_patience(0.7, 1, 200)
    assert [lost, empty] == pytest.approx([0, 0.3])
    assert together.fixed_patience(0.7, 1, 0)[0] == pytest.approx(theory_queues.erlang_b(0.7, 1))
    assert together.retrial_orbit(0.5, 1, 1e9) == pytest.approx(0.5**2 / 0.5)
    assert together.discouraged(2.0, 1, [1, 1])[2] == pytest.approx(theory_queues.mmck(2, 1, 1, 2)[2])
    assert together.gathering_number(0.6, 1, 2, 1) == pytest.approx(1.5)
    assert together.longest_of(1, 2) == 1.5
    assert together.fork_join_flow(1e-9, 1) == pytest.approx(1.5), "of an empty line the longer of two"


def test_guards_sources_and_spares_are_erlang_and_palm_where_they_are_alike():
    assert theory_queues.guarded((3.0, 1.0), 1, 6, 0) == pytest.approx([theory_queues.erlang_b(4, 6)] * 2)
    lost, busy = theory_queues.engset(4e-6, 1, 5, 1_000_000)
    assert [lost, busy] == pytest.approx(
        [theory_queues.erlang_b(4, 5), 4 * (1 - theory_queues.erlang_b(4, 5))], rel=1e-4
    )
    assert theory_queues.engset(0.4, 1, 3, 3)[0] == pytest.approx(0), "as many lines as sources"
    assert theory_queues.with_spares(0.2, 1, 2, 5, 0) == pytest.approx(theory_queues.finite_source(0.2, 1, 2, 5))


def test_the_first_customers_wait_as_law_prints_it():
    """Law, Simulation Modeling and Analysis, 9.4: 2.12 for the first 25 at a load of 0.9."""
    assert theory_queues.first_waits(1.0, 1 / 0.9, 25) == pytest.approx(2.124, abs=5e-4)
    assert theory_queues.first_waits(0.5, 1, 300) == pytest.approx(1, abs=0.03)


def test_unlike_servers_that_are_alike_are_mm2():
    wip, slow = theory_networks.unlike_servers(1.4, 1, 1)
    assert wip == pytest.approx(theory_queues.mmc_wait(1.4, 1, 2) * 1.4 + 1.4)
    assert slow < 0.7, "the first one has more to do"


def test_a_shelf_that_is_fetched_whole_holds_what_comes_between_two_visits():
    assert theory_queues.fetched_number(2, 3, 1000) == pytest.approx(3)
    assert theory_queues.fetched_number(1, 5, 6) == pytest.approx(4.02701, abs=1e-4)


def test_stocks_are_queues_seen_from_the_other_side():
    assert theory_stocks.base_stock(0.7, 0) == pytest.approx((0, 0.7 / 0.3))
    on_hand, owed = theory_stocks.ordered_anew(0.5, 8, 5, 1)
    assert on_hand - owed == pytest.approx(6 - 4), "stock less what is on order"
    assert theory_stocks.ordered_anew(0.5, 8, -1, 1) == pytest.approx((0, 4)), (
        "nothing is kept: all of a lead time is owed"
    )
    assert together.gathering_number(0.6, 1, 2, 1, (2, 8)) == pytest.approx(
        0.6 * theory_unreliable.setup_wait(0.6, 1, 2, 2, 8) + 0.6
    )


def test_claims_that_grow_alike_are_first_come_and_those_that_grow_much_faster_are_priorities():
    lams, means, seconds = (0.3, 0.4), (1, 1), (2, 2)
    alike = theory_priorities.growing_claims(lams, means, seconds, (1, 1))
    assert alike == pytest.approx([theory_queues.mm1_wait(0.7, 1)] * 2)
    far = theory_priorities.growing_claims(lams, means, seconds, (1e9, 1))
    assert far == pytest.approx(theory_priorities.cobham(lams, means, seconds))
    waits = theory_priorities.growing_claims(lams, means, seconds, (3, 1))
    assert 0.3 * waits[0] + 0.4 * waits[1] == pytest.approx(0.7 * theory_queues.mm1_wait(0.7, 1)), (
        "nothing is gained in all"
    )
