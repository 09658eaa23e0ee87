"""The machine's rules, one by one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plc.handshake import frames
from plc.handshake.device_rules import MachineBrain, Reaction, StartMotion, StopMotion
from plc.handshake.frames import CMD, HB, STATE, Command, Heartbeat, Refusal, Result, StateCommand
from plc.packml import Cmd, PackMl, State

OWNER = 0xDEADBEEF


def brain(**given_) -> MachineBrain:
    """Give a booted, claimed machine in Execute whose owner was heard at time 0."""
    states = PackMl()
    b = MachineBrain(states=states, codes={16: lambda p: p[0] < 10}, rng=random.Random(1), **given_)
    b.boot(0.0)
    claim(b, 1)
    states.current = State.EXECUTE
    b.scan(0.0)
    return b


def claim(b: MachineBrain, epoch: int, boot: int | None = None, now: float = 0.0) -> None:
    boot = b.memory.boot if boot is None else boot
    b.write(CMD, frames.encode_command(frames.claim(epoch, boot, OWNER)))
    b.scan(now)


def command(b: MachineBrain, seq: int, epoch: int = 1, code: int = 16, p0: int = 0, job: int = 9, now: float = 0.0):
    block = Command(epoch=epoch, seq=seq, code=code, params=(p0, 0, 0, 0, 0, 0, 0, 0), job=job)
    b.write(CMD, frames.encode_command(block))
    return b.scan(now)


def beat(b: MachineBrain, counter: int, now: float, epoch: int = 1) -> None:
    b.write(HB, frames.encode_heartbeat(Heartbeat(epoch=epoch, counter=counter)))
    b.scan(now)


def mail(b: MachineBrain, seq: int, cmd: int, epoch: int = 1, now: float = 0.0) -> None:
    b.write(STATE, frames.encode_state_command(StateCommand(epoch=epoch, seq=seq, command=cmd)))
    b.scan(now)


def rejected(b: MachineBrain) -> tuple[int, int]:
    return b.status().rej & 0xFFFF, b.status().rej_code


def test_job_is_retained_before_the_first_motion():
    b = brain()
    actions = command(b, 1, p0=3)
    assert actions == [StartMotion(code=16, params=(3, 0, 0, 0, 0, 0, 0, 0), job=9)]
    status = b.status()
    assert (status.ack, status.job, status.result, status.busy) == (1 << 16 | 1, 9, Result.RUNNING, True)


def test_block_that_stays_in_the_register_starts_nothing_again():
    b = brain()
    command(b, 1)
    b.finish(Result.OK, (7,))
    assert [b.scan(0.1) for _ in range(5)] == [[]] * 5
    assert (b.status().done, b.status().result, b.status().data) == (b.status().ack, Result.OK, (7, 0, 0, 0))


def test_torn_block_is_invisible():
    b = brain()
    b.write(CMD, frames.encode_command(Command(epoch=1, seq=1, code=16))[:9])
    assert b.scan(0.0) == []
    assert not b.busy


def test_older_number_is_ignored():
    b = brain()
    command(b, 5)
    b.finish(Result.OK)
    assert command(b, 4) == []
    assert b.status().ack == 1 << 16 | 5


@pytest.mark.parametrize(
    "arrange,order,code",
    [
        (lambda b: None, {"epoch": 7}, Refusal.NOT_OWNER),
        (lambda b: command(b, 1), {}, Refusal.BUSY),
        (lambda b: setattr(b, "safety", 1), {}, Refusal.INTERLOCK),
        (lambda b: None, {"now": 2.0}, Refusal.NO_HEARTBEAT),
        (lambda b: b.press(Cmd.HOLD), {}, Refusal.BAD_STATE),
        (lambda b: None, {"p0": 10}, Refusal.BAD_PARAMETER),
        (lambda b: None, {"code": 99}, Refusal.BAD_PARAMETER),
    ],
)
def test_refusal_says_why(arrange, order, code):
    b = brain()
    arrange(b)
    assert not any(isinstance(action, StartMotion) for action in command(b, 2, **order))
    assert rejected(b) == (2, code)


def test_refused_block_is_taken_once_the_reason_is_gone():
    """REJ is a level: this is why a controller fences before it gives a refused command up."""
    b = brain()
    command(b, 1)
    command(b, 2)
    assert rejected(b) == (2, Refusal.BUSY)
    b.finish(Result.OK)
    assert len(b.scan(0.1)) == 1
    assert rejected(b) == (0, Refusal.NONE)


def test_claim_needs_a_higher_epoch_and_the_present_boot():
    b = brain()
    claim(b, 1)
    claim(b, 5, boot=b.memory.boot + 1)
    assert b.memory.owner_epoch == 1
    claim(b, 5)
    assert (b.memory.owner_epoch, b.memory.owner_id) == (5, OWNER)


def test_claim_is_taken_while_busy_and_moves_nothing():
    b = brain()
    command(b, 1)
    claim(b, 2)
    assert (b.memory.owner_epoch, b.busy) == (2, True)


@pytest.mark.parametrize("kept", [True, False])
def test_boot_starts_nothing_and_marks_the_unfinished_job(kept):
    b = brain()
    boot = b.memory.boot
    command(b, 1)
    b.boot(1.0, memory_kept=kept)
    assert b.scan(1.0) == []
    status = b.status()
    assert status.boot != boot
    assert status.retentive is kept
    expected = (1 << 16 | 1, 1 << 16 | 1, Result.INTERRUPTED, 1) if kept else (0, 0, 0, 0)
    assert (status.ack, status.done, status.result, status.owner_epoch) == expected
    assert status.state == (State.ABORTED if kept else State.STOPPED)
    assert status.fault & frames.FAULT_POWER_UP


def test_machine_without_retentive_memory_boots_with_a_random_word():
    boots = set()
    b = brain(retentive=False)
    for now in range(20):
        b.boot(float(now))
        boots.add(b.memory.boot)
    assert len(boots) == 20
    assert 0 not in boots


def test_boot_word_skips_zero():
    b = brain()
    b.memory.boot = 0xFFFF
    b.boot(0.0)
    assert b.memory.boot == 1


@pytest.mark.parametrize("reaction,state", [(Reaction.HOLD, State.HELD), (Reaction.STOP, State.STOPPED)])
def test_silence_of_two_seconds_brings_the_safe_state(reaction, state):
    b = brain(on_silence=reaction)
    b.scan(1.99)
    assert b.status().state == State.EXECUTE
    b.scan(2.0)
    assert b.status().state == state
    assert b.status().fault & frames.FAULT_SILENCE
    beat(b, 1, 2.1)
    assert b.status().state == state  # its return resumes nothing


def test_heartbeat_of_a_stranger_does_not_count():
    b = brain()
    beat(b, 1, 1.5, epoch=2)
    b.scan(2.0)
    assert b.status().state == State.HELD


def test_heartbeat_that_stands_still_does_not_count():
    b = brain()
    for now in (0.5, 1.0, 1.5, 2.0, 2.5):
        beat(b, 1, now)
    assert b.status().state == State.HELD


def test_running_step_is_finished_before_the_hold():
    b = brain()
    command(b, 1)
    assert b.scan(2.5) == []
    assert b.status().state == State.HOLDING
    b.finish(Result.OK)
    assert b.status().state == State.HELD
    assert b.status().result == Result.OK


def test_stop_ends_the_motion_at_once_and_says_so_once():
    b = brain(on_silence=Reaction.STOP)
    command(b, 1)
    assert b.scan(2.5) == [StopMotion()]
    assert b.scan(2.6) == []
    b.finish(Result.ABORTED)
    assert (b.status().state, b.status().result) == (State.STOPPED, Result.ABORTED)


def test_state_mailbox_is_idempotent_and_only_for_the_owner():
    b = brain()
    mail(b, 1, Cmd.HOLD, epoch=2)
    assert b.status().state == State.EXECUTE
    mail(b, 1, Cmd.HOLD)
    assert (b.status().state, b.status().state_ack) == (State.HELD, 1)
    mail(b, 2, Cmd.UNHOLD)
    mail(b, 1, Cmd.HOLD)  # a late copy
    assert (b.status().state, b.status().state_ack) == (State.EXECUTE, 2)


def test_state_mailbox_counts_anew_under_a_new_owner():
    b = brain()
    mail(b, 9, Cmd.HOLD)
    claim(b, 2)
    mail(b, 1, Cmd.UNHOLD, epoch=2)
    assert (b.status().state, b.status().state_ack) == (State.EXECUTE, 1)


def test_hold_by_a_person_is_never_called_silence():
    b = brain()
    b.press(Cmd.HOLD)
    b.scan(5.0)
    assert b.status().fault == 0
    b = brain()
    b.scan(5.0)
    b.press(Cmd.HOLD)  # already held: now a person answers for it
    assert b.status().fault == 0


def test_open_safety_circuit_aborts_and_needs_clearing():
    b = brain()
    command(b, 1)
    b.safety = 0b10
    assert b.scan(0.1) == [StopMotion()]
    b.finish(Result.ABORTED)
    b.safety = 0
    b.scan(0.2)
    assert b.status().state == State.ABORTED
    assert b.status().fault == 0


def test_nop_is_done_at_once():
    b = brain()
    assert command(b, 1, code=frames.NOP) == []
    assert (b.status().done, b.status().result) == (1 << 16 | 1, Result.OK)


def test_write_beyond_a_block_is_an_error():
    with pytest.raises(ValueError, match="CMD"):
        brain().write(CMD, [0] * 4, offset=13)


@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.sampled_from([CMD, HB, STATE]), st.integers(0, 15), st.lists(st.integers(0, 0xFFFF), max_size=16)
            ),
            st.tuples(st.just("job"), st.integers(1, 4), st.integers(0, 12)),
            st.tuples(st.just("finish"), st.sampled_from(list(Result)), st.just(0)),
            st.tuples(st.just("boot"), st.booleans(), st.just(0)),
        ),
        max_size=30,
    )
)
def test_whatever_is_written_each_number_moves_the_machine_at_most_once_per_memory(steps):
    b = brain()
    begun: set[int] = set()
    for kind, first, second in steps:
        if kind == "job":
            actions = command(b, first, p0=second)
        elif kind == "finish":
            b.finish(first)
            actions = b.scan(0.0)
        elif kind == "boot":
            begun = begun if first else set()
            b.boot(0.0, memory_kept=first)
            actions = b.scan(0.0)
        else:
            words = second[: max(0, len(b.areas[kind]) - first)]
            b.write(kind, words, min(first, len(b.areas[kind])))
            actions = b.scan(0.0)
        for action in actions:
            if isinstance(action, StartMotion):
                assert b.memory.ack not in begun
                begun.add(b.memory.ack)
