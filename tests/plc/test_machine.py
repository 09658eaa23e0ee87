"""One machine under one controller: claiming, polling, trouble, recovery, states."""

from __future__ import annotations

import asyncio

import pytest

from packline.core.faults import Fault
from plc.handshake import frames
from plc.handshake.controller_rules import Phase
from plc.machine_view import Quality
from plc.packml import Cmd, State
from tests.plc.conftest import STEP_S
from tests.waiting import let_run


async def test_machine_is_claimed_above_the_own_and_the_machines_epoch(arm):
    arm.plant.brain.memory.owner_epoch = 41
    c = arm.controller()
    await arm.until(lambda: c.machine.brain.is_owner)
    assert c.books.raised == [42]
    assert (arm.plant.brain.memory.owner_epoch, arm.plant.brain.memory.owner_id) == (42, 77)


async def test_epoch_is_durable_before_it_is_claimed(arm):
    c = arm.controller()
    await arm.until(lambda: any(block == frames.CMD for block, _ in c.link.written))
    claimed = frames.decode_command(next(words for block, words in c.link.written if block == frames.CMD))
    assert claimed is not None
    assert c.books.epochs["m1"] == claimed.epoch == 1


async def test_books_older_than_the_machine_are_noticed(arm):
    arm.plant.brain.memory.owner_epoch = 9
    c = arm.controller()
    await arm.until(lambda: c.machine.view().owned)
    assert c.machine.view().books_older
    await arm.crash(c)
    again = arm.controller(books=c.books, owner_id=78)
    await arm.until(lambda: again.machine.view().owned)
    assert not again.machine.view().books_older


async def test_make_ready_leads_a_machine_from_power_up_to_execute(arm):
    c = await arm.ready()
    view = c.machine.view()
    assert (view.quality, view.state, view.owned, view.faults) == (Quality.GOOD, "Execute", True, ())
    assert view.is_ready


async def test_inputs_are_named_by_the_file(arm):
    c = await arm.ready()
    arm.plant.brain.inputs[0] = 0b100010
    view = await arm.do(c.machine.wait(lambda v: v.inputs["lane3_full"] == 1, 5.0))
    assert (view.inputs["label_at_peel"], view.inputs["parcel_present"]) == (1, 0)


async def test_look_is_no_picture_of_a_machine_that_has_stopped_to_scan(arm):
    c = await arm.ready()
    c.link.faults.is_frozen = True
    arm.plant.brain.inputs[0] ^= 1
    before = c.machine.view().inputs["parcel_present"]
    view = await arm.do(c.machine.look())
    assert (view.is_good, view.inputs["parcel_present"]) == (False, before)
    c.link.faults.is_frozen = False
    await arm.until(lambda: c.machine.view().is_good)
    view = await arm.do(c.machine.look())
    assert (view.is_good, view.inputs["parcel_present"]) == (True, 1 - before)


async def test_wait_gives_up_in_time(arm):
    c = await arm.ready()
    with pytest.raises(TimeoutError):
        await arm.do(c.machine.wait(lambda v: v.state == "Held", 2.0))


async def test_heartbeat_changes_at_least_every_half_second(arm):
    c = await arm.ready()
    before = len([b for b, _ in c.link.written if b == frames.HB])
    await arm.run_for(10.0)
    beats = [w for b, w in c.link.written if b == frames.HB][before:]
    assert len(beats) >= 20
    assert all(w[2] != 0 for w in beats)
    assert c.machine.view().state == "Execute"


async def test_machine_holds_when_the_logic_hangs_and_goes_on_only_when_led(arm):
    c = await arm.ready()
    c.is_ticking = False
    await arm.do(c.machine.wait(lambda v: v.state == "Held", 5.0))
    c.is_ticking = True
    await arm.run_for(3.0)
    view = c.machine.view()
    assert (view.state, view.silence_only) == ("Held", True)
    await arm.do(c.machine.make_ready())
    assert c.machine.view().state == "Execute"


async def test_hold_by_a_person_needs_a_person(arm):
    c = await arm.ready()
    arm.plant.brain.press(Cmd.HOLD)
    await arm.do(c.machine.wait(lambda v: v.state == "Held", 5.0))
    with pytest.raises(Fault) as fault:
        await arm.do(c.machine.make_ready())
    assert fault.value.code == 2001
    await c.machine.release()
    await arm.do(c.machine.make_ready())
    assert c.machine.view().state == "Execute"


async def test_a_release_is_good_for_one_stop_and_not_for_the_next(arm):
    c = await arm.ready()
    arm.plant.brain.press(Cmd.HOLD)
    await arm.do(c.machine.wait(lambda v: v.state == "Held", 5.0))
    await c.machine.release()
    await arm.do(c.machine.make_ready())
    arm.plant.brain.press(Cmd.HOLD)
    await arm.do(c.machine.wait(lambda v: v.state == "Held", 5.0))
    with pytest.raises(Fault) as fault:
        await arm.do(c.machine.make_ready())
    assert fault.value.code == 2001


async def test_fault_of_the_machine_is_named_and_needs_a_person(arm):
    c = await arm.ready()
    arm.plant.brain.raise_fault(2)
    await arm.do(c.machine.wait(lambda v: v.state == "Held", 5.0))
    assert (c.machine.view().faults, c.machine.view().own_faults) == ((2002,), (2,))
    with pytest.raises(Fault) as fault:
        await arm.do(c.machine.make_ready())
    assert (fault.value.code, fault.value.where, fault.value.seen) == (2002, c.machine.name, "Held, its own fault 2")
    arm.plant.brain.clear_fault(2)
    await c.machine.release()
    await arm.do(c.machine.make_ready())
    assert c.machine.view().is_ready


async def test_open_safety_circuit_cannot_be_released_from_the_screen(arm):
    c = await arm.ready()
    arm.plant.brain.safety = 1
    await arm.do(c.machine.wait(lambda v: v.state == "Aborted", 5.0))
    await c.machine.release()
    with pytest.raises(Fault) as fault:
        await arm.do(c.machine.make_ready())
    assert fault.value.code == 2007


async def test_a_release_said_while_the_safety_circuit_is_open_starts_nothing_when_it_closes(arm):
    c = await arm.ready()
    arm.plant.brain.safety = 1
    await arm.do(c.machine.wait(lambda v: v.state == "Aborted", 5.0))
    await c.machine.release()  # and nobody wants anything of it until the circuit is closed
    arm.plant.brain.safety = 0
    await arm.do(c.machine.wait(lambda v: 2007 not in v.faults, 5.0))
    with pytest.raises(Fault) as fault:
        await arm.do(c.machine.make_ready())
    assert fault.value.code == 2001


async def test_a_machine_that_booted_while_its_safety_circuit_was_open_is_led_on_by_a_person_only(arm):
    c = await arm.ready()
    arm.plant.brain.safety = 1
    await arm.do(c.machine.wait(lambda v: v.state == "Aborted", 5.0))
    arm.plant.boot()
    arm.plant.brain.safety = 0
    await arm.do(c.machine.wait(lambda v: v.power_up_only and v.owned and 2007 not in v.faults, 10.0))
    with pytest.raises(Fault) as fault:
        await arm.do(c.machine.make_ready())
    assert fault.value.code == 2001
    await c.machine.release()
    await arm.do(c.machine.make_ready())
    assert c.machine.view().is_ready


async def test_a_release_that_was_not_used_yet_ends_when_the_safety_circuit_opens(arm):
    c = await arm.ready()
    arm.plant.brain.press(Cmd.HOLD)
    await arm.do(c.machine.wait(lambda v: v.state == "Held", 5.0))
    await c.machine.release()
    for is_open in (1, 0):
        arm.plant.brain.safety = is_open
        await arm.do(c.machine.wait(lambda v, is_open=is_open: (2007 in v.faults) == bool(is_open), 5.0))
    with pytest.raises(Fault) as fault:
        await arm.do(c.machine.make_ready())
    assert fault.value.code == 2001


async def on_its_way(arm, c) -> asyncio.Task[None]:
    """Begin to lead a machine on; gives the work when the machine is half way, before the next command leaves."""
    leading = asyncio.ensure_future(c.machine.make_ready())
    while c.machine.view().state != "Idle":
        assert not leading.done()
        await let_run()
        if not c.machine.view().owned:
            arm.clock.advance(STEP_S)
    return leading


@pytest.mark.parametrize("is_released", [False, True])
@pytest.mark.parametrize("how", ["stop", "abort", "emergency stop", "short emergency stop"])
async def test_whoever_stops_a_machine_while_it_is_led_on_ends_that(arm, how, is_released):
    c = await arm.ready() if is_released else arm.controller()
    if is_released:
        arm.plant.brain.press(Cmd.STOP)
        await arm.until(lambda: c.machine.view().state == "Stopped")
        await c.machine.release()
    leading = await on_its_way(arm, c)
    if "emergency" in how:
        arm.plant.brain.safety = 1
        await arm.until(lambda: how.startswith("short") or 2007 in c.machine.view().faults)
        arm.plant.scan()
        arm.plant.brain.safety = 0
    else:
        arm.plant.brain.press(Cmd[how.upper()])
    await arm.until(leading.done)
    await arm.run_for(3.0)
    assert isinstance(leading.exception(), Fault)
    assert c.machine.view().state != "Execute"
    with pytest.raises(Fault):
        await arm.do(c.machine.make_ready())
    await c.machine.release()
    await arm.do(c.machine.make_ready())


async def test_command_in_the_wrong_state_changes_nothing(arm):
    c = await arm.ready()
    view = await arm.do(c.machine.command(Cmd.CLEAR))
    assert view.state == "Execute"


async def test_state_command_that_was_given_up_is_never_carried_out_later(arm):
    c = await arm.ready()
    await arm.do(c.machine.command(Cmd.HOLD))
    c.link.faults.is_silent = True
    with pytest.raises(Fault) as fault:
        await arm.do(c.machine.command(Cmd.UNHOLD))
    assert fault.value.code == 1002
    c.link.faults.is_silent = False
    await arm.until(lambda: c.machine.view().owned and c.machine.view().is_good)
    await arm.run_for(3.0)
    assert c.machine.view().state == "Held"
    await arm.do(c.machine.command(Cmd.UNHOLD))
    assert c.machine.view().state == "Execute"


async def test_state_command_whose_giver_left_is_never_carried_out_later(arm):
    c = await arm.ready()
    await arm.do(c.machine.command(Cmd.HOLD))
    c.link.faults.is_silent = True
    giving = asyncio.ensure_future(c.machine.command(Cmd.UNHOLD))
    await arm.step()
    giving.cancel()
    await asyncio.wait({giving})
    c.link.faults.is_silent = False
    await arm.run_for(5.0)
    assert (c.machine.view().state, c.machine.view().owned) == ("Held", True)


async def test_state_mailbox_is_not_blocked_by_a_running_job(arm, apply):
    arm.plant.motion_s = 8.0
    c = await arm.ready()
    device = c.machine.device()
    ticket = await arm.do(device.prepare(apply, 5))
    await arm.do(device.send(apply, ticket))
    await arm.do(c.machine.command(Cmd.HOLD))
    assert c.machine.view().state == "Holding"
    await arm.do(c.machine.wait(lambda v: v.state == "Held", 15.0))
    assert not c.machine.view().busy


@pytest.mark.parametrize(
    "trouble,code",
    [("is_cut", 1001), ("is_silent", 1002), ("is_frozen", 1002), ("is_refusing", 1004), ("garbles", 1003)],
)
async def test_trouble_is_told_once_and_so_is_its_end(arm, trouble, code):
    c = await arm.ready()
    c.seen.clear()
    setattr(c.link.faults, trouble, 10**9)
    await arm.run_for(12.0)
    view = c.machine.view()
    assert view.quality is (Quality.BAD if code == 1003 else Quality.STALE)
    assert view.age_s > 10
    assert not view.is_ready
    setattr(c.link.faults, trouble, 0)
    await arm.until(lambda: c.machine.view().is_good)
    await arm.run_for(5.0)
    assert [faults for faults in c.faults_told() if faults] == [(code,)]
    assert c.faults_told()[-1] == ()


async def test_short_trouble_is_no_alarm(arm):
    c = await arm.ready()
    c.link.faults.garbles = 5
    await arm.run_for(0.5)
    c.link.faults.is_cut = True
    await arm.run_for(0.2)
    c.link.faults.is_cut = False
    await arm.run_for(3.0)
    assert all(view.faults == () for view in c.seen)


async def test_machine_that_was_never_there_is_absent(arm):
    arm.plant.is_powered = False
    c = arm.controller()
    await arm.run_for(3.0)
    assert (c.machine.view().quality, c.machine.view().faults) == (Quality.ABSENT, (1001,))
    arm.plant.boot()
    await arm.do(c.machine.make_ready())
    assert c.machine.view().is_ready


@pytest.mark.parametrize("memory_kept", [True, False])
async def test_reboot_of_the_machine_is_noticed_and_fenced(arm, memory_kept):
    c = await arm.ready()
    epoch = c.machine.brain.epoch
    arm.plant.boot(memory_kept=memory_kept)
    await arm.until(lambda: c.machine.brain.epoch > epoch and c.machine.brain.is_owner)
    assert c.machine.view().power_up_only
    await arm.do(c.machine.make_ready())
    assert c.machine.view().is_ready


async def test_second_controller_takes_over_and_the_first_stops_acting(arm, apply):
    first = await arm.ready()
    second = arm.controller(owner_id=99)
    await arm.until(lambda: first.machine.brain.phase is Phase.OUSTED)
    await arm.until(lambda: second.machine.brain.is_owner)
    raised = len(first.books.raised) + len(second.books.raised)
    written = len(first.link.written)
    await arm.run_for(20.0)
    assert len(first.books.raised) + len(second.books.raised) == raised
    assert len(first.link.written) == written
    assert first.machine.view().faults == (1101,)
    assert second.machine.brain.is_owner
    with pytest.raises(Fault) as fault:
        await arm.do(first.machine.device().prepare(apply, 1))
    assert fault.value.code == 1101


async def test_only_a_person_takes_the_machine_back(arm):
    first = await arm.ready()
    second = arm.controller(owner_id=99)
    await arm.until(lambda: first.machine.brain.phase is Phase.OUSTED and second.machine.brain.is_owner)
    await first.machine.release()
    await arm.until(lambda: second.machine.brain.phase is Phase.OUSTED)
    assert first.machine.brain.is_owner
    assert first.machine.view().faults == ()


async def test_a_controller_that_starts_again_has_the_machine_when_the_other_is_gone(arm):
    first = await arm.ready()
    second = arm.controller(owner_id=99)
    await arm.until(lambda: first.machine.brain.phase is Phase.OUSTED and second.machine.brain.is_owner)
    await arm.crash(second)
    await arm.run_for(5.0)
    assert first.machine.brain.phase is Phase.OUSTED  # not by itself
    await arm.crash(first)
    again = arm.controller(owner_id=78, books=first.books)
    await arm.until(lambda: again.machine.brain.is_owner)
    await arm.do(again.machine.make_ready())
    assert again.machine.view().is_ready


async def test_two_controllers_with_equal_books_end_with_one_owner(arm):
    first, second = arm.controller(owner_id=5), arm.controller(owner_id=6)
    await arm.until(lambda: {first.machine.brain.phase, second.machine.brain.phase} == {Phase.OWNER, Phase.OUSTED})
    await arm.run_for(10.0)
    assert {first.machine.brain.phase, second.machine.brain.phase} == {Phase.OWNER, Phase.OUSTED}
    assert first.machine.brain.epoch != second.machine.brain.epoch


async def test_books_that_cannot_be_written_keep_the_machine_unclaimed(arm):
    c = arm.controller()

    async def broken(machine, epoch):
        raise Fault(5002, where="books")

    c.books.raise_epoch = broken
    await arm.run_for(3.0)
    assert c.machine.view().faults == (5002,)
    assert not any(block == frames.CMD for block, _ in c.link.written)
    del c.books.raise_epoch
    await arm.until(lambda: c.machine.view().owned and not c.machine.view().faults)


async def test_acting_states_are_waited_for(arm):
    arm.plant.brain.states.current = State.IDLE
    c = await arm.ready()
    assert c.machine.view().state == "Execute"
