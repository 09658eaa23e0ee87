"""The demo calls itself well only when nothing is doubled, wrong or lost, and every order that was asked for has ended."""

from __future__ import annotations

import argparse
import io
from typing import Any

import pytest

from controller.commands import demo, numbers
from packline.core.figures import NEVER_IN_A_RUN

WELL: dict[str, Any] = {
    "orders": 24,
    "orders_over": 24,
    "parcels_shipped": 22,
    "labels_printed": 25,
    "labels_applied": 24,
    "double_labels": 0,
    "wrong_labels": 0,
    "shared_codes": 0,
    "double_prints": 0,
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
        *({name: 1} for name in NEVER_IN_A_RUN),
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


def figures(orders_over: int) -> dict[str, Any]:
    return {"orders": 24, "orders_over": orders_over, **dict.fromkeys(demo._SHOWN, 0)}


def test_into_a_pipe_the_progress_is_a_line_now_and_then_and_the_last() -> None:
    out = io.StringIO()
    progress = demo.Progress(out)
    moved = [progress.show(figures(second // 5), float(second)) for second in range(41)]
    progress.end()
    progress.end()
    said = [line.rpartition("  ")[2] for line in out.getvalue().splitlines()]
    assert said == ["0 s", "15 s", "30 s", "40 s"]
    assert moved.count(True) == 9


class Terminal(io.StringIO):
    """Something that a person looks at."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_every_move_is_shown_on_one_line() -> None:
    out = Terminal()
    progress = demo.Progress(out)
    for second in range(4):
        progress.show(figures(second), float(second))
    assert out.getvalue().count("\r") == 4 and "\n" not in out.getvalue()


def test_a_verdict_counts_as_people_do() -> None:
    assert [numbers.counted(n, "parcel") for n in (0, 1, 2)] == ["0 parcels", "1 parcel", "2 parcels"]
