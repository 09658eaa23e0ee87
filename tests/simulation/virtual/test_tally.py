"""What is made of facts while they happen: the hash of the truth, and how long parcels took."""

from datetime import UTC, datetime

import pytest

from simulation.plant.truth import Fact
from simulation.virtual.tally import Flows, TruthHash

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def facts(*told):
    return [Fact(n=n, name=name, sim_s=sim_s, at=NOON, data=data) for n, (name, sim_s, data) in enumerate(told, 1)]


def hash_of(*told):
    tally = TruthHash()
    for fact in facts(*told):
        tally.hear(fact)
    return tally.text()


TAKEN = ("carton_taken", 1.5, {"lpn": "PL1", "by": "person"})


@pytest.mark.parametrize(
    "other",
    [
        ("carton_taken", 1.500001, {"lpn": "PL1", "by": "person"}),
        ("carton_lost", 1.5, {"lpn": "PL1", "by": "person"}),
        ("carton_taken", 1.5, {"lpn": "PL2", "by": "person"}),
        ("carton_taken", 1.5, {"lpn": "PL1"}),
    ],
    ids=["a microsecond later", "another name", "another carton", "a detail less"],
)
def test_whatever_happened_otherwise_makes_another_hash(other):
    assert hash_of(TAKEN) != hash_of(other)


def test_the_order_of_details_and_less_than_a_microsecond_make_no_other_hash():
    assert hash_of(TAKEN) == hash_of(("carton_taken", 1.5000000004, {"by": "person", "lpn": "PL1"}))


def test_a_fact_more_makes_another_hash():
    assert len({hash_of(), hash_of(TAKEN), hash_of(TAKEN, TAKEN)}) == 3


def test_flow_is_from_the_fresh_carton_to_the_door():
    flows = Flows()
    for fact in facts(
        ("carton_taken", 10.0, {"lpn": "A"}),
        ("carton_taken", 20.0, {"lpn": "B"}),
        ("carton_taken", 30.0, {"lpn": "C"}),
        ("left_door", 70.0, {"lpn": "A"}),
        ("returned_to_shelf", 80.0, {"lpn": "C"}),
        ("left_door", 190.0, {"lpn": "B"}),
    ):
        flows.hear(fact)
    assert flows.figures() == {
        "mean_flow_s": 115.0,
        "p50_flow_s": 115.0,
        "p95_flow_s": 164.5,
        "most_flow_s": 170.0,
        "parcels_per_hour": 40.0,
    }


def test_a_hall_that_nothing_left_has_no_flow():
    assert set(Flows().figures().values()) == {0.0}
