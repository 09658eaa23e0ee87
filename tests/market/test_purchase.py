"""Reservations and debts run out once, and only while they are owed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from packline.market.purchase import carried_on, deadlines, expired

NOW = datetime(2026, 3, 4, tzinfo=UTC)
PURCHASES = st.sampled_from(["reserved", "bought", "cancelled"])
SECONDS = st.floats(1, 1e6)
UNTIL = st.none() | st.integers(-1000, 1000).map(lambda s: NOW + timedelta(seconds=s))


@dataclass(frozen=True)
class Deal:
    purchase: str
    paid: bool


@dataclass(frozen=True)
class Sale:
    content: Deal
    reserve_until: datetime | None = None
    pay_until: datetime | None = None


SALES = st.builds(Sale, content=st.builds(Deal, PURCHASES, st.booleans()), reserve_until=UNTIL, pay_until=UNTIL)


@given(PURCHASES, st.booleans(), SECONDS, SECONDS)
def test_at_most_one_deadline_runs_and_never_for_what_is_settled(purchase, paid, reserve_s, pay_s):
    runs = deadlines(purchase, paid, NOW, reserve_s, pay_s)

    assert (runs["reserve_until"] is not None) == (purchase == "reserved")
    assert (runs["pay_until"] is not None) == (purchase == "bought" and not paid)
    assert all(until > NOW for until in runs.values() if until)


@given(PURCHASES, st.booleans(), SECONDS, SECONDS)
def test_fresh_deadline_is_not_over_and_an_old_one_is(purchase, paid, reserve_s, pay_s):
    sale = Sale(Deal(purchase, paid), **deadlines(purchase, paid, NOW, reserve_s, pay_s))
    owes = purchase == "reserved" or (purchase == "bought" and not paid)

    assert expired(sale, NOW) is None
    assert (expired(sale, NOW + timedelta(seconds=2e6)) is not None) == owes


@given(SALES)
def test_only_what_is_owed_can_expire(sale):
    reason = expired(sale, NOW)

    assert reason in (None, "not_bought_in_time", "not_paid_in_time")
    if sale.content.purchase == "cancelled" or (sale.content.purchase == "bought" and sale.content.paid):
        assert reason is None


@given(SALES, SECONDS, SECONDS)
def test_newer_version_of_the_same_state_buys_no_time(sale, reserve_s, pay_s):
    fresh = deadlines(sale.content.purchase, sale.content.paid, NOW, reserve_s, pay_s)
    kept = carried_on(sale, fresh)

    for name, until in kept.items():
        assert (until is None) == (fresh[name] is None)
        if until is not None and getattr(sale, name) is not None:
            assert until == getattr(sale, name)
