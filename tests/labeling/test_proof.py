"""The counters' word: one label is one cut more, none is none, and everything else stays open."""

from hypothesis import given
from hypothesis import strategies as st

from labeling.proof import INTERRUPTED, Counts, judge, may_lie_about
from packline.core.effects import EffectState, Ticket

counters = st.integers(0, 10_000)


@given(counters, st.none() | counters, counters, st.none() | counters, st.booleans())
def test_only_exactly_one_cut_without_a_stop_confirms_and_only_stillness_denies(
    before, rows_before, now, rows, stopped
):
    extra = {"print_number": 1, "process_id": 5, "counter_before": before, "rows_before": rows_before}
    extra |= {INTERRUPTED: True} if stopped else {}
    ticket = Ticket(machine="printer-1", extra=extra)
    evidence = judge(Counts(cuts=now, rows=rows), ticket)
    head_moved = rows is not None and rows_before is not None and rows != rows_before
    bare_cut = now == before + 1 and rows is not None and rows_before is not None and not head_moved
    assert (evidence.state is EffectState.CONFIRMED) == (now == before + 1 and not stopped and not bare_cut)
    assert (evidence.state is EffectState.NOT_EXECUTED) == (now == before and not head_moved)
    assert (evidence.state is EffectState.UNKNOWN) == (now - before not in (0, 1) or bare_cut)
    remembered = Ticket(machine="printer-1", extra={**extra, **evidence.remember})
    assert may_lie_about(remembered) == (evidence.state is EffectState.NOT_EXECUTED)
    assert (evidence.fault is None) == (evidence.state in (EffectState.CONFIRMED, EffectState.NOT_EXECUTED))


def test_a_cut_without_a_printed_row_is_a_person_at_the_feed_button_and_no_label():
    extra = {"print_number": 1, "process_id": 5, "counter_before": 100, "rows_before": 5000}
    evidence = judge(Counts(cuts=101, rows=5000), Ticket(machine="printer-1", extra=extra))
    assert evidence.state is EffectState.UNKNOWN
