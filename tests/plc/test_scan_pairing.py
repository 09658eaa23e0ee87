"""Reads told by a counter and a text that arrive in any order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from plc.drivers.scan_pairing import SETTLE_S, ScanPairing

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def at(n: int) -> datetime:
    return T0 + timedelta(milliseconds=n)


def ready(first: int = 0) -> ScanPairing:
    pairing = ScanPairing()
    pairing.counted(first, T0, 0.0)
    return pairing


def test_first_count_is_only_the_base_line():
    pairing = ScanPairing()
    pairing.text("old", at(0))
    pairing.counted(17, at(0), 0.0)
    assert pairing.take(9.0) == []
    assert pairing.last == 17


@given(st.lists(st.sampled_from("AB"), min_size=1, max_size=20), st.booleans())
def test_every_read_is_told_once_and_in_order_whoever_arrives_first(texts, counts_first):
    pairing = ready()
    told = [lambda n=n, t=t: pairing.text(t, at(n)) for n, t in enumerate(texts, 1)]
    counted = [lambda n=n: pairing.counted(n, at(n), 0.0) for n, _ in enumerate(texts, 1)]
    for act in [*counted, *told] if counts_first else [*told, *counted]:
        act()
    assert [text for text, _ in pairing.take(0.0)] == texts
    assert pairing.take(9.0) == []


def test_equal_text_that_is_not_told_again_is_taken_after_a_moment():
    pairing = ready()
    pairing.text("A", at(1))
    pairing.counted(1, at(1), 0.0)
    assert len(pairing.take(0.0)) == 1
    pairing.counted(2, at(2), 1.0)
    assert pairing.take(1.0) == []
    assert pairing.is_waiting()
    assert pairing.take(1.0 + SETTLE_S) == [("A", at(2))]


def test_reader_without_source_times_is_read_after_a_moment():
    pairing = ready()
    pairing.counted(1, None, 0.0)
    pairing.text("A", None)
    assert pairing.take(0.0) == []
    assert pairing.take(SETTLE_S) == [("A", None)]


def test_jump_after_a_lost_link_gives_the_newest_read_once_and_counts_the_rest():
    pairing = ready(3)
    pairing.forget_texts()
    pairing.text("newest", at(9))
    pairing.counted(6, at(9), 0.0)
    assert pairing.take(0.0) == [("newest", at(9))]
    assert pairing.missed == 2


def test_reconnect_without_a_new_read_tells_nothing():
    pairing = ready()
    pairing.text("A", at(1))
    pairing.counted(1, at(1), 0.0)
    pairing.take(0.0)
    pairing.forget_texts()
    pairing.text("A", at(1))
    pairing.counted(1, at(1), 5.0)
    assert pairing.take(9.0) == []


def test_restarted_reader_counts_from_the_start():
    pairing = ready(40)
    pairing.counted(0, at(1), 0.0)
    pairing.text("A", at(2))
    pairing.counted(1, at(2), 0.0)
    assert [text for text, _ in pairing.take(0.0)] == ["A"]


def test_restarted_reader_may_come_to_the_same_number_again():
    pairing = ready()
    for restart in range(3):
        pairing.counted(0, at(2 * restart), 0.0)
        pairing.text("A", at(2 * restart + 1))
        pairing.counted(1, at(2 * restart + 1), 0.0)
        assert [text for text, _ in pairing.take(0.0)] == ["A"]
    assert pairing.missed == 0


def test_count_that_lost_its_text_with_the_link_is_told_over_the_next():
    pairing = ready()
    pairing.counted(1, at(1), 0.0)
    pairing.forget_texts()
    pairing.text("A", at(1))
    pairing.counted(1, at(1), 0.0)
    assert [text for text, _ in pairing.take(0.0)] == ["A"]
