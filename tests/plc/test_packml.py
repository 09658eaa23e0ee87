"""The PackML table, both editions, and a machine that obeys it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plc.packml import (
    MODE_CHANGE_STATES,
    STATE_COMPLETE,
    TOWARDS_EXECUTE,
    WAIT_STATES,
    Cmd,
    Edition,
    Mode,
    PackMl,
    State,
    name_of,
    transitions,
)

DISABLEABLE = sorted(STATE_COMPLETE.keys() - {State.EXECUTE})
editions = st.sampled_from(list(Edition))


def machine(state: State, edition: Edition = Edition.Y2022, **more) -> PackMl:
    return PackMl(edition=edition, current=state, **more)


@pytest.mark.parametrize("edition,count", [(Edition.Y2015, 41), (Edition.Y2022, 39)])
def test_table_has_as_many_transitions_as_the_standard(edition, count):
    assert len(transitions(edition)) == count


def test_table_of_state_complete_has_eleven_rows():
    assert len(STATE_COMPLETE) == 11
    assert STATE_COMPLETE.keys() | WAIT_STATES == set(State)
    assert len(State) == 17


@pytest.mark.parametrize("edition", list(Edition))
@pytest.mark.parametrize(
    "command,count", [(Cmd.ABORT, 15), (Cmd.STOP, 12), (Cmd.CLEAR, 1), (Cmd.RESET, 2), (Cmd.START, 1)]
)
def test_command_leads_on_from_as_many_states_as_the_standard_says(edition, command, count):
    assert sum(c is command for _, c in transitions(edition)) == count


def test_editions_differ_only_in_hold_and_complete():
    old, new = transitions(Edition.Y2015), transitions(Edition.Y2022)
    differing = {command for (_, command) in old.keys() ^ new.keys()}
    assert differing == {Cmd.HOLD, Cmd.COMPLETE}
    assert {s for s, c in old.keys() - new.keys() if c is Cmd.HOLD} == {
        State.STARTING,
        State.UNHOLDING,
        State.SUSPENDING,
        State.UNSUSPENDING,
    }
    assert new.keys() - old.keys() == {(State.SUSPENDED, Cmd.COMPLETE), (State.HELD, Cmd.COMPLETE)}


@given(editions, st.sampled_from(list(State)), st.integers(-3, 40))
def test_command_in_the_wrong_state_is_rejected_and_changes_nothing(edition, state, number):
    m = machine(state, edition)
    known = number in list(Cmd) and (state, Cmd(number)) in transitions(edition)
    assert m.command(number) is known
    assert m.current == (transitions(edition)[state, Cmd(number)] if known else state)


@given(editions, st.frozensets(st.sampled_from(DISABLEABLE)), st.lists(st.sampled_from([*Cmd, None]), max_size=60))
def test_disabled_acting_states_are_never_seen(edition, disabled, steps):
    m = machine(State.STOPPED, edition, disabled=disabled)
    for step in steps:
        m.complete() if step is None else m.command(step)
        assert m.current not in disabled


def test_execute_cannot_be_disabled():
    with pytest.raises(ValueError, match="Execute"):
        PackMl(disabled=frozenset({State.EXECUTE}))


def test_abort_wins_over_stop_over_others_over_state_complete():
    m = machine(State.EXECUTE)
    assert m.scan(frozenset({Cmd.HOLD, Cmd.STOP, Cmd.ABORT}), is_complete=True)
    assert m.current is State.ABORTING
    m = machine(State.EXECUTE)
    m.scan(frozenset({Cmd.SUSPEND, Cmd.STOP}), is_complete=True)
    assert m.current is State.STOPPING
    m = machine(State.EXECUTE)
    m.scan(frozenset({Cmd.SUSPEND}), is_complete=True)
    assert m.current is State.SUSPENDING
    m = machine(State.STARTING)
    m.scan(frozenset({Cmd.CLEAR}), is_complete=True)
    assert m.current is State.EXECUTE


@pytest.mark.parametrize("state", list(State))
def test_mode_changes_only_in_stopped_idle_and_aborted(state):
    m = machine(state)
    assert m.set_mode(Mode.MAINTENANCE) is (state in MODE_CHANGE_STATES)
    assert m.mode == (Mode.MAINTENANCE if state in MODE_CHANGE_STATES else Mode.PRODUCTION)
    assert not m.set_mode(Mode.INVALID)
    assert not m.set_mode(32)


@pytest.mark.parametrize("edition", list(Edition))
@pytest.mark.parametrize("state", list(State))
def test_every_state_leads_to_execute(edition, state):
    m = machine(state, edition)
    for _ in range(12):
        if m.is_execute():
            return
        lead = TOWARDS_EXECUTE.get(m.state)
        assert m.command(lead) if lead else m.complete()
    pytest.fail(f"stuck in {m.current}")


@pytest.mark.parametrize("aborted,state", [(True, State.ABORTED), (False, State.STOPPED)])
def test_power_up_begins_at_rest(aborted, state):
    m = machine(State.EXECUTE)
    m.power_up(aborted=aborted)
    assert m.current is state


def test_unknown_state_number_has_a_readable_name():
    assert (name_of(6), name_of(99)) == ("Execute", "state 99")
