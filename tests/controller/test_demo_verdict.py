"""The demo calls itself well only when nothing is doubled, wrong or lost, and every order that was asked for has ended."""

from __future__ import annotations

import argparse
import io
from typing import Any

import pytest

from controller.commands import demo

WELL: dict[str, Any] = {
    "orders": 24,
    "orders_over": 24,
    "parcels_shipped": 22,
    "labels_printed": 25,
    "labels_applied": 24,
    "double_labels": 0,
    "wrong_labels": 0,
    "double_seals": 0,
    "shipped_unlabelled": 0,
    "shipped_unsealed": 0,
    "shipped_empty": 0,
    "lost_orders": 0,
    "lost_events": 0,
}


def test_a_run_without_a_flaw_is_well() -> None:
    assert demo.is_well(WELL, 24)


@pytest.mark.parametrize(
    "flaw",
    [
        *({name: 1} for name in demo.NEVER),
        {"orders": 23},
        {"orders_over": 23},
        {"parcels_shipped": 0},
        {"labels_applied": 21},
        {"labels_printed": 23},
    ],
    ids=str,
)
def test_a_run_with_a_flaw_is_not_well_and_the_exit_code_is_red(flaw: dict[str, int]) -> None:
    chosen = argparse.Namespace(orders=24, json=False)
    assert demo._close({**WELL, **flaw}, chosen, io.StringIO()) == 1


def test_a_run_that_was_given_up_is_red_whatever_its_figures_say() -> None:
    chosen = argparse.Namespace(orders=24, json=False)
    assert demo._close(WELL, chosen, io.StringIO(), failed=True) == 1
    assert demo._close(WELL, chosen, io.StringIO()) == 0
