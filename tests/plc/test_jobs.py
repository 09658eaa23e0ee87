"""Effects as jobs: done once, and judged by the machine's memory whatever is lost on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from packline.core.effects import DISCARD, EJECT, SEAL, Effect, EffectState, Ticket
from packline.core.faults import Fault
from plc.handshake.frames import Result
from plc.packml import Cmd


def effect(kind, **parameters):
    return Effect(kind=kind, subject="PL0000000017", generation=1, station="s1", parameters=parameters)


async def perform(bench, controller, wish, job=7):
    device = controller.machine.device()
    ticket = await bench.do(device.prepare(wish, job))
    sent = await bench.do(device.send(wish, ticket))
    return ticket, sent, await bench.do(device.inquire(wish, ticket))


async def sent(bench, controller, wish):
    """Hand a job over that still runs then."""
    device = controller.machine.device()
    ticket = await bench.do(device.prepare(wish, 7))
    evidence = await bench.do(device.send(wish, ticket))
    assert evidence.state is EffectState.SENT
    return ticket, evidence


async def test_job_is_done_once_and_confirmed(arm, eject):
    c = await arm.ready()
    arm.plant.motion = lambda job: (Result.OK, (job.params[0],))
    ticket, sent, evidence = await perform(arm, c, eject)
    assert sent.state is EffectState.SENT
    assert (evidence.state, evidence.data, evidence.source) == (EffectState.CONFIRMED, {"lane": 2}, "machine memory")
    assert [(j.code, j.params[0], j.job) for j in arm.plant.executed] == [(17, 2, 7)]
    assert (ticket.epoch, ticket.sequence, ticket.boot) == (1, 1, arm.plant.brain.memory.boot)


async def test_parameters_are_scaled_and_checked_before_anything_is_promised(table, turn):
    c = await table.ready()
    await perform(table, c, turn)
    assert table.plant.executed[0].params[0] == 900
    device = c.machine.device()
    for wrong in ({}, {"angle_deg": 361}, {"angle_deg": "90"}, {"angle": 90}, {"angle_deg": 90, "speed": 1}):
        with pytest.raises(Fault) as fault:
            await device.prepare(effect(turn.kind, **wrong), 1)
        assert fault.value.code == 4201
    with pytest.raises(Fault):
        await device.prepare(effect(SEAL), 1)


@pytest.mark.parametrize("lost", ["lost_requests", "lost_answers"])
async def test_lost_frames_neither_lose_nor_repeat_the_job(arm, apply, lost):
    c = await arm.ready()
    setattr(c.link.faults, lost, 2)
    _, _, evidence = await perform(arm, c, apply)
    assert evidence.state is EffectState.CONFIRMED
    assert len(arm.plant.executed) == 1


async def test_failed_job_has_the_house_fault_of_its_error(arm, apply):
    c = await arm.ready()

    def fails(job):
        return Result.FAILED, ()

    arm.plant.motion = fails
    _, _, evidence = await perform(arm, c, apply)
    assert (evidence.state, evidence.fault) == (EffectState.FAILED, 2006)


async def test_job_is_refused_while_the_machine_is_not_in_execute(arm, apply):
    c = await arm.ready()
    device = c.machine.device()
    ticket = await arm.do(device.prepare(apply, 7))
    arm.plant.brain.press(Cmd.HOLD)
    evidence = await arm.do(device.send(apply, ticket))
    assert (evidence.state, evidence.fault) == (EffectState.NOT_EXECUTED, 2001)
    assert evidence.data["refusal"] == "bad_state"
    arm.plant.brain.press(Cmd.UNHOLD)
    await arm.run_for(2.0)
    assert arm.plant.executed == []  # the fence keeps the block that still lay there from being taken
    arm.plant.brain.press(Cmd.STOP)
    await arm.run_for(1.0)
    with pytest.raises(Fault):
        await device.prepare(apply, 8)


async def test_second_job_waits_for_the_first(arm, apply, eject):
    c = await arm.ready()
    device = c.machine.device()
    arm.plant.motion_s = 1.0
    first, second = [await arm.do(device.prepare(wish, job)) for job, wish in enumerate((apply, eject), 1)]
    await arm.do(device.send(apply, first))
    sent = await arm.do(device.send(eject, second))
    assert sent.state is EffectState.SENT
    assert (await arm.do(device.inquire(eject, second))).state is EffectState.CONFIRMED
    assert [j.job for j in arm.plant.executed] == [1, 2]


async def test_ticket_that_a_later_one_overtook_was_surely_not_executed(arm, apply, eject):
    c = await arm.ready()
    device = c.machine.device()
    first, second = [await arm.do(device.prepare(wish, job)) for job, wish in enumerate((apply, eject), 1)]
    await arm.do(device.send(eject, second))
    evidence = await arm.do(device.send(apply, first))
    assert (evidence.state, evidence.source) == (EffectState.NOT_EXECUTED, "never sent")
    assert (await arm.do(device.inquire(eject, second))).state is EffectState.CONFIRMED
    assert [j.job for j in arm.plant.executed] == [2]


async def test_ticket_whose_epoch_ended_before_it_left_was_surely_not_executed(arm, apply):
    c = await arm.ready()
    device = c.machine.device()
    ticket = await arm.do(device.prepare(apply, 7))
    arm.plant.boot(memory_kept=False)
    await arm.until(lambda: c.machine.brain.epoch > ticket.epoch)
    evidence = await arm.do(device.send(apply, ticket))
    assert (evidence.state, evidence.source) == (EffectState.NOT_EXECUTED, "never sent")


async def test_job_that_is_never_answered_is_unknown_then_judged_after_the_fence(arm, apply):
    c = await arm.ready()
    device = c.machine.device()
    ticket = await arm.do(device.prepare(apply, 7))
    c.link.faults.lost_requests = 10**9
    evidence = await arm.do(device.send(apply, ticket))
    assert (evidence.state, evidence.source) == (EffectState.UNKNOWN, "no answer")
    c.link.faults.lost_requests = 0
    evidence = await arm.do(device.inquire(apply, ticket))
    assert evidence.state is EffectState.NOT_EXECUTED
    assert c.machine.brain.epoch > ticket.epoch
    assert arm.plant.executed == []


async def test_machine_out_of_reach_gives_unknown_with_the_links_fault(arm, apply):
    c = await arm.ready()
    device = c.machine.device()
    ticket = await arm.do(device.prepare(apply, 7))
    c.link.faults.is_cut = True
    evidence = await arm.do(device.send(apply, ticket))
    assert (evidence.state, evidence.fault) == (EffectState.UNKNOWN, 1001)
    assert (await arm.do(device.inquire(apply, ticket))).fault == 1001


async def test_a_job_that_was_given_up_is_not_written_when_the_link_is_back(arm, apply):
    """A person may have said by then that it was not done, and it goes out again: the second would be one too many."""
    c = await arm.ready()
    device = c.machine.device()
    ticket = await arm.do(device.prepare(apply, 7))
    c.link.faults.is_cut = True
    await arm.do(device.send(apply, ticket))
    assert (await arm.do(device.inquire(apply, ticket))).state is EffectState.UNKNOWN
    c.link.faults.is_cut = False
    await arm.do(c.machine.make_ready())
    await arm.run_for(2.0)
    assert arm.plant.executed == []


async def test_reboot_in_mid_motion_is_interrupted_and_never_repeated(arm, apply):
    arm.plant.motion_s = 5.0
    c = await arm.ready()
    device = c.machine.device()
    ticket = await arm.do(device.prepare(apply, 7))
    await arm.do(device.send(apply, ticket))
    arm.plant.boot()
    evidence = await arm.do(device.inquire(apply, ticket))
    assert (evidence.state, evidence.fault) == (EffectState.UNKNOWN, 2004)
    await arm.do(c.machine.make_ready())
    await arm.run_for(5.0)
    assert len(arm.plant.executed) == 1


async def test_reboot_without_memory_is_unknown(arm, apply):
    c = await arm.ready()
    device = c.machine.device()
    ticket = await arm.do(device.prepare(apply, 7))
    arm.plant.boot(memory_kept=False)
    evidence = await arm.do(device.send(apply, ticket))
    assert (evidence.state, evidence.fault) == (EffectState.UNKNOWN, 2005)


def forgets_and_draws_its_boot_again(plant):
    """One in 65,535 losses of memory looks so: the fresh random BOOT is the old one."""
    boot = plant.brain.memory.boot
    plant.boot(memory_kept=False)
    plant.brain.memory.boot = boot


async def test_job_that_was_seen_taken_is_unknown_once_the_machine_knows_nothing_of_it(arm, apply):
    arm.plant.motion_s = 5.0
    c = await arm.ready()
    ticket, evidence = await sent(arm, c, apply)
    forgets_and_draws_its_boot_again(arm.plant)
    await arm.until(lambda: c.machine.brain.epoch > ticket.epoch)
    await arm.crash(c)
    again = arm.controller(books=c.books, owner_id=78)
    kept = replace(ticket, extra={**ticket.extra, **evidence.remember})
    evidence = await arm.do(again.machine.device().inquire(apply, kept))
    assert (evidence.state, evidence.fault) == (EffectState.UNKNOWN, 2005)


async def test_job_of_an_epoch_that_the_machine_shows_no_more_is_unknown(arm, apply):
    arm.plant.motion_s = 5.0
    c = await arm.ready()
    ticket, _ = await sent(arm, c, apply)
    await arm.crash(c)
    forgets_and_draws_its_boot_again(arm.plant)
    again = arm.controller(books=c.books, owner_id=78)
    evidence = await arm.do(again.machine.device().inquire(apply, ticket))
    assert (evidence.state, evidence.fault) == (EffectState.UNKNOWN, 2005)


async def test_job_older_than_a_lost_memory_is_unknown_also_to_who_did_not_see_the_loss(arm, apply):
    c = await arm.ready()
    ticket = await arm.do(c.machine.device().prepare(apply, 7))
    arm.plant.boot(memory_kept=False)
    await arm.until(lambda: c.machine.brain.epoch > ticket.epoch and c.machine.brain.is_owner)
    await arm.crash(c)
    again = arm.controller(books=c.books, owner_id=78)
    evidence = await arm.do(again.machine.device().inquire(apply, ticket))
    assert (evidence.state, evidence.fault) == (EffectState.UNKNOWN, 2005)


async def test_a_claim_that_never_came_through_makes_no_job_before_it_doubtful(arm, apply):
    c = await arm.ready()
    ticket = await arm.do(c.machine.device().prepare(apply, 7))
    await arm.crash(c)
    await c.books.raise_epoch(c.machine.name, ticket.epoch + 3)
    again = arm.controller(books=c.books, owner_id=78)
    assert (await arm.do(again.machine.device().inquire(apply, ticket))).state is EffectState.NOT_EXECUTED


async def test_stop_in_mid_motion_is_unknown(arm, apply):
    arm.plant.motion_s = 5.0
    c = await arm.ready()
    device = c.machine.device()
    ticket = await arm.do(device.prepare(apply, 7))
    await arm.do(device.send(apply, ticket))
    await arm.do(c.machine.command(Cmd.STOP))
    evidence = await arm.do(device.inquire(apply, ticket))
    assert (evidence.state, evidence.fault) == (EffectState.UNKNOWN, 2005)


async def test_endless_job_is_still_running(arm, apply):
    arm.plant.motion_s = 1000.0
    c = await arm.ready()
    _, _, evidence = await perform(arm, c, apply)
    assert evidence.state is EffectState.SENT


@pytest.mark.parametrize("crash_after", ["prepare", "send", "end"])
async def test_restarted_controller_judges_the_old_ticket_right(arm, apply, crash_after):
    c = await arm.ready()
    device = c.machine.device()
    ticket = await arm.do(device.prepare(apply, 7))
    if crash_after != "prepare":
        await arm.do(device.send(apply, ticket))
    if crash_after == "end":
        await arm.run_for(1.0)
    await arm.crash(c)
    again = arm.controller(books=c.books, owner_id=78)
    evidence = await arm.do(again.machine.device().inquire(apply, ticket))
    expected = EffectState.NOT_EXECUTED if crash_after == "prepare" else EffectState.CONFIRMED
    assert evidence.state is expected
    assert len(arm.plant.executed) == (0 if crash_after == "prepare" else 1)


async def test_older_ticket_behind_a_newer_one_is_unknown(arm, apply, eject):
    c = await arm.ready()
    old, _, _ = await perform(arm, c, apply)
    await perform(arm, c, eject, job=8)
    await arm.crash(c)
    again = arm.controller(books=c.books, owner_id=78)
    evidence = await arm.do(again.machine.device().inquire(apply, old))
    assert evidence.state is EffectState.UNKNOWN


async def test_same_number_with_another_job_is_unknown(arm, apply):
    c = await arm.ready()
    ticket, _, _ = await perform(arm, c, apply, job=7)
    other = Ticket(machine="m1", epoch=ticket.epoch, sequence=ticket.sequence, boot=ticket.boot, job=6)
    evidence = await arm.do(c.machine.device().inquire(apply, other))
    assert evidence.state is EffectState.UNKNOWN


async def test_sequence_that_is_used_up_fences_by_itself(arm, apply):
    c = await arm.ready()
    c.machine.brain._seq = 65534
    ticket, _, evidence = await perform(arm, c, apply)
    assert (ticket.epoch, ticket.sequence, evidence.state) == (2, 1, EffectState.CONFIRMED)


async def test_job_of_an_ousted_controller_is_not_judged(arm, apply):
    arm.plant.motion_s = 3.0
    first = await arm.ready()
    device = first.machine.device()
    ticket = await arm.do(device.prepare(apply, 7))
    await arm.do(device.send(apply, ticket))
    second = arm.controller(owner_id=99)
    await arm.until(lambda: second.machine.brain.is_owner)
    evidence = await arm.do(device.inquire(apply, ticket))
    assert (evidence.state, evidence.fault) == (EffectState.UNKNOWN, 1101)


async def test_other_jobs_of_the_arm_carry_their_own_codes(arm):
    c = await arm.ready()
    await perform(arm, c, effect(EJECT, lane=3), job=1)
    await perform(arm, c, effect(DISCARD), job=2)
    assert [(j.code, j.params[0]) for j in arm.plant.executed] == [(17, 3), (18, 0)]
