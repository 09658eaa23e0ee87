"""A fault keeps its five parts wherever it is carried."""

import copy
import pickle

import pytest

from controller.commands.sim.stopping import in_order
from packline.core.faults import Fault

FAULT = Fault(4201, where="line.toml line 3", seen="a", expected="b", remedy="Write b.")


@pytest.mark.parametrize("carried", [copy.copy, copy.deepcopy, lambda fault: pickle.loads(pickle.dumps(fault))])  # noqa: S301 - our own
def test_a_fault_that_is_copied_or_sent_to_another_process_is_the_same_fault(carried):
    again = carried(FAULT)

    assert again.as_dict() == FAULT.as_dict()
    assert str(again) == str(FAULT)


def refuses(seen: str) -> None:
    raise Fault(4201, where="here", seen=seen)


def test_a_fault_in_a_process_of_a_campaign_is_told_as_it_is_and_not_as_a_process_that_died():
    with pytest.raises(Fault) as told:
        list(in_order(refuses, ["nonsense"], 1))

    assert (told.value.code, told.value.seen) == (4201, "nonsense")
