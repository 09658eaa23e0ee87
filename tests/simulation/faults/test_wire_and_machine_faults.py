"""Every fault of a wire and of a machine does what the catalogue says of it, and ends."""

import asyncio

import pytest

from plc.handshake import frames
from plc.handshake.frames import Result, StatusRefused
from plc.links import LinkDown, LinkRefused, LinkSilent
from plc.packml import State
from simulation.faults.devices import STRANGER
from tests.simulation.faults.small_line import APPLY, EJECT, in_small

ARM = "arm-1"
WORDS = frames.BLOCK_WORDS[frames.STATE]


def story(test):
    def play():
        in_small(test)

    play.__name__, play.__doc__ = test.__name__, test.__doc__
    return play


async def labelled(small):
    """Stand a carton before the arm, with its label at the peel bar."""
    carton = small.carton("label-1")
    await small.send("printer-1", carton.lpn, 1)
    await small.wait(3.0)
    return carton


# -- wire ----------------------------------------------------------------------------------------------------------------


@story
async def test_without_power_connections_are_refused_and_it_boots_afterwards(small):
    hand = await small.hand(ARM)
    boot = (await hand.status()).boot
    await small.fault(ARM, "off")
    with pytest.raises(LinkDown):
        await hand.status()
    with pytest.raises(LinkDown):
        await small.link(ARM)
    await small.mend()
    assert frames.decode_status(await (await small.link(ARM)).read(frames.STATUS)).boot == boot + 1


@pytest.mark.parametrize("fault", ["unplugged", "dropped"])
def test_a_connection_that_was_cut_is_gone_and_the_machine_goes_on(fault):
    async def test(small):
        hand = await small.hand(ARM)
        boot = (await hand.status()).boot
        await small.fault(ARM, fault)
        if fault == "unplugged":
            with pytest.raises(LinkDown):
                await small.link(ARM)
        await small.mend()
        with pytest.raises(LinkDown):
            await hand.status()
        assert frames.decode_status(await (await small.link(ARM)).read(frames.STATUS)).boot == boot

    in_small(test)


@story
async def test_a_half_open_connection_takes_everything_and_answers_nothing(small):
    link = await small.link(ARM)
    await small.fault(ARM, "half_open")
    with pytest.raises(LinkSilent):
        await link.write(frames.STATE, [1] * WORDS)
    await link.connect()
    with pytest.raises(LinkSilent):
        await link.read(frames.STATUS)
    await small.wait(20)
    assert not any(small.machine(ARM).brain.areas[frames.STATE])
    await small.mend()
    await link.connect()
    assert await link.read(frames.STATUS)


@pytest.mark.parametrize(
    "fault, arrives_within_s", [("slow", 0.9), ("late_answers", 0.0), ("lost_answer", 0.0), ("lost_request", None)]
)
def test_a_request_without_an_answer_was_carried_out_or_not(fault, arrives_within_s):
    async def test(small):
        link, area = await small.link(ARM), small.machine(ARM).brain.areas[frames.STATE]
        await small.fault(ARM, fault)
        sending = asyncio.ensure_future(link.write(frames.STATE, [1] * WORDS))
        sending.add_done_callback(lambda done: done.exception())
        await small.wait(0.01 + (arrives_within_s or 0.0))
        assert any(area) == (arrives_within_s is not None)
        with pytest.raises(LinkSilent):
            await sending
        await small.wait(20)
        assert any(area) == (arrives_within_s is not None)

    in_small(test)


@story
async def test_a_copy_of_a_request_arrives_behind_the_next_one(small):
    link, area = await small.link(ARM), small.machine(ARM).brain.areas[frames.STATE]
    await small.fault(ARM, "duplicated", times=1)
    await link.write(frames.STATE, [1] * WORDS)
    await link.write(frames.STATE, [2] * WORDS)
    assert area == [2] * WORDS
    await small.wait(0.5)
    assert area == [1] * WORDS


@pytest.mark.parametrize("fault", ["torn", "word_order"])
def test_words_that_do_not_belong_together_are_refused_by_their_sum(fault):
    async def test(small):
        link = await small.link(ARM)
        await small.fault(ARM, fault, times=1)
        await link.read(frames.STATUS) if fault == "torn" else None  # the one before
        with pytest.raises(StatusRefused):
            frames.decode_status(await link.read(frames.STATUS))
        assert frames.decode_status(await link.read(frames.STATUS))

    in_small(test)


@story
async def test_a_busy_device_says_so_and_the_connection_stays(small):
    link = await small.link(ARM)
    await small.fault(ARM, "exception", times=1)
    with pytest.raises(LinkRefused, match="exception 6"):
        await link.read(frames.STATUS)
    assert await link.read(frames.STATUS)


@story
async def test_noise_is_refused_and_a_frozen_picture_does_not_count(small):
    hand = await small.hand(ARM)
    await small.fault(ARM, "garbage")
    with pytest.raises(StatusRefused):
        await hand.status()
    await small.mend()
    await small.fault(ARM, "frozen")
    assert (await hand.status()).count == (await hand.status()).count
    await small.mend()
    assert (await hand.status()).count != (await hand.status()).count


@story
async def test_a_machine_that_hears_no_heartbeat_holds(small):
    hand = await small.hand(ARM)
    await small.fault(ARM, "stale_heartbeat")
    for _ in range(6):
        await hand.beat()
        await small.wait(0.5)
    assert (await hand.status()).state == State.HELD


@story
async def test_a_command_that_a_second_master_wrote_over_is_not_taken(small):
    hand = await small.hand(ARM)
    await small.fault(ARM, "overwritten", times=1)
    lost = await hand.start(APPLY)
    assert (await hand.status()).ack != lost.id
    assert (await hand.start(APPLY)).id == (await hand.status()).ack


@story
async def test_a_second_master_claims_the_machine(small):
    hand = await small.hand(ARM)
    before = await hand.status()
    await small.fault(ARM, "claimed")
    after = await hand.status()
    assert (after.owner_epoch, after.owner_id) == (before.owner_epoch + 1, STRANGER)


@pytest.mark.parametrize("fault, owner", [("reboot", 1), ("reboot_forgetting", 0)])
def test_a_power_cut_interrupts_a_job_and_memory_is_kept_or_not(fault, owner):
    async def test(small):
        await labelled(small)
        hand = await small.hand(ARM)
        command = await hand.start(APPLY)
        cutting = asyncio.ensure_future(small.fault(ARM, fault))
        await small.wait(0.5)
        with pytest.raises(LinkDown):
            await small.link(ARM)
        await cutting
        status = frames.decode_status(await (await small.link(ARM)).read(frames.STATUS))
        assert status.owner_epoch == owner
        assert (status.done == command.id and status.result == Result.INTERRUPTED) == bool(owner)

    in_small(test)


# -- machine -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault, on_carton, at_peel",
    [("fail", 0, True), ("jam", 0, True), ("half_done", 0, True), ("done_but_failed", 1, False), ("air_low", 0, True)],
)
def test_a_job_fails_and_something_was_done_or_nothing(fault, on_carton, at_peel):
    async def test(small):
        carton = await labelled(small)
        hand = await small.hand(ARM)
        await small.fault(ARM, fault)
        status = await hand.do(APPLY)
        assert status.result == Result.FAILED
        assert len(carton.labels) == on_carton
        assert (small.floor.label_at("printer-1") is not None) == at_peel
        assert (status.state == State.HELD) == (fault == "jam")
        await small.mend()
        assert not (await hand.status()).fault & 1 << 2

    in_small(test)


@pytest.mark.parametrize("drawn, on_carton", [(0.4, 0), (0.6, 1)])
def test_a_machine_whose_power_goes_before_a_job_is_noted_has_interrupted_it(drawn, on_carton):
    async def test(small):
        carton = await labelled(small)
        hand = await small.hand(ARM)
        boot = (await hand.status()).boot
        small.machine(ARM)._rng.random = lambda: drawn
        await small.fault(ARM, "brown_out", times=1)
        with pytest.raises(LinkDown):
            await hand.do(APPLY)
        await small.wait(2)
        status = await (await small.hand(ARM)).status()
        assert (status.result, status.boot) == (Result.INTERRUPTED, boot + 1)
        assert len(carton.labels) == on_carton

    in_small(test)


@story
async def test_a_stuck_sensor_shows_a_carton_that_is_gone(small):
    hand, carton = await small.hand(ARM), small.carton("label-1")
    seen = (await hand.status()).spare
    await small.fault(ARM, "stuck_sensor")
    small.world.move(carton, "hands")
    assert (await hand.status()).spare == seen
    await small.mend()
    assert (await hand.status()).spare != seen


@story
async def test_each_motion_of_a_worn_drive_takes_longer(small):
    hand, lasted = await small.hand("turntable-1"), []
    await small.fault("turntable-1", "drift")
    for angle in (900, 0, 900):
        begun = small.clock.monotonic()
        await hand.do(16, angle)
        lasted.append(small.clock.monotonic() - begun)
    assert [round(after - before, 1) for before, after in zip(lasted, lasted[1:], strict=False)] == [0.4, 0.4]


@story
async def test_a_slow_plc_looks_at_its_inputs_now_and_then(small):
    hand = await small.hand(ARM)
    await small.fault(ARM, "slow_scan")
    counts = []
    for _ in range(14):
        counts.append((await hand.status()).count)
        await small.wait(0.1)
    assert len(set(counts)) == 2


@story
async def test_the_arm_pushes_a_carton_into_another_lane_than_it_says(small):
    hand, carton = await small.hand(ARM), small.carton("label-1")
    await small.fault(ARM, "wrong_lane", times=1)
    assert (await hand.do(EJECT, 1)).data[0] == 1
    assert carton.place == "lane:label-1:2"


@story
async def test_a_second_carton_rolls_in_behind_the_first(small):
    stop = small.world.place("label-1")
    for _ in range(2):
        small.carton("infeed:label-1")
    await small.wait(10)
    assert len(stop.cartons) == 1
    await small.fault(ARM, "double_feed")
    small.carton("infeed:label-1")
    await small.wait(10)
    assert len(stop.cartons) == 2
    await small.mend()
    assert stop.capacity == 1


@pytest.mark.parametrize("device", [ARM, "hall"])
def test_an_emergency_stop_ends_motion_and_only_a_person_leads_on(device):
    async def test(small):
        hand = await small.hand(ARM)
        small.carton("label-1")
        command = await hand.start(EJECT, 1)
        await small.wait(0.2)
        await small.fault(device, "estop")
        small.carton("infeed:pack-1")
        await small.wait(5)
        status = await hand.status()
        assert (status.done, status.result, status.state) == (command.id, Result.ABORTED, State.ABORTED)
        assert bool(small.floor.cartons_at("pack-1")) == (device != "hall")  # the belts stand too
        await small.mend()
        await small.wait(5)
        assert (await hand.status()).state == State.ABORTED
        assert small.floor.cartons_at("pack-1")

    in_small(test)
