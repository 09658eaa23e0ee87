"""Every fault can be switched on and off by name, over the truth channel too, and does what its name says."""

import asyncio
import json

import pytest

from packline.core.clock import ManualClock
from packline.core.identity import Lpn
from plc.handshake import frames
from plc.handshake.frames import Result, StatusRefused
from plc.packml import Cmd, State
from simulation.misbehave import Misbehaviour, NoSuchFault, Switch, quirk
from simulation.quirks import Quirks
from tests.waiting import eventually, let_run, until

pytestmark = pytest.mark.wire

APPLY, LIGHT, TURN = 16, 17, 16


async def ask(url, method, path, body=None):
    """Ask the truth channel; gives status and what it said."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    data = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + data)
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    head_bytes, _, content = answer.partition(b"\r\n\r\n")
    return int(head_bytes.split()[1]), content.decode()


async def test_machine_that_is_off_refuses_connections_and_boots_afresh(served, raw_modbus):
    address = served.addresses["turntable-1"]
    async with raw_modbus(address) as client:
        hand = client.hand()
        await hand.take()
        boot = (await hand.status()).boot
        await served.fault("turntable-1", "off")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await client.read(100, 40)
    with pytest.raises(OSError):
        async with raw_modbus(address):
            pass
    await served.mend("turntable-1")
    async with raw_modbus(address) as client:
        status = await client.hand().status()
    assert (status.boot, status.state, status.retentive) == (boot + 1, State.STOPPED, True)
    assert status.owner_epoch == 1  # retained


async def test_power_cut_in_mid_motion_is_interrupted_and_the_table_stays_where_it_was(served, raw_modbus, wait_until):
    machine = served.twin.hall.machines["turntable-1"]
    async with raw_modbus(served.addresses["turntable-1"]) as client:
        hand = client.hand()
        await hand.take()
        command = await hand.start(TURN, 1800)
        machine.power_off()
        angle = machine.mechanics.angle_deg
        machine.power_on()
        status = await hand.status()
    assert (status.ack, status.done, status.result) == (command.id, command.id, Result.INTERRUPTED)
    assert status.state == State.ABORTED
    assert machine.mechanics.angle_deg == angle < 180


async def test_reboot_without_memory_forgets_owner_and_jobs(served, raw_modbus):
    machine = served.twin.hall.machines["arm-1"]
    async with raw_modbus(served.addresses["arm-1"]) as client:
        hand = client.hand()
        await hand.take()
        await hand.do(APPLY)
        machine.power_off()
        machine.power_on(memory_kept=False)
        status = await hand.status()
    assert (status.owner_epoch, status.ack, status.done, status.retentive) == (0, 0, 0, False)


async def test_garbage_is_refused_by_its_checksum_and_a_frozen_status_does_not_count(served, raw_modbus):
    async with raw_modbus(served.addresses["gate-1"]) as client:
        hand = client.hand()
        await served.fault("gate-1", "garbage")
        with pytest.raises(StatusRefused):
            await hand.status()
        await served.mend()
        assert (await hand.status()).count != (await hand.status()).count
        await served.fault("gate-1", "frozen")
        assert (await hand.status()).count == (await hand.status()).count


async def test_jam_raises_a_fault_bit_and_holds_until_a_person_leads_on(served, raw_modbus):
    async with raw_modbus(served.addresses["gate-1"]) as client:
        hand = client.hand()
        await hand.take()
        await served.fault("gate-1", "jam", times=1)
        status = await hand.do(LIGHT, 1)
        assert (status.result, status.error, status.state) == (Result.FAILED, 2, State.HELD)
        assert status.fault & 1 << 2
        await served.mend("gate-1")
        status = await hand.status()
        assert not status.fault & 1 << 2
        assert status.state == State.HELD
        assert await served.floor.press("gate-1", Cmd.UNHOLD)
        assert (await hand.status()).state == State.EXECUTE
        await served.fault("gate-1", "fail", times=1)
        assert (await hand.do(LIGHT, 1)).error == 2
        assert (await hand.do(LIGHT, 1)).error == 0


async def test_emergency_stop_ends_a_motion_at_once(served, raw_modbus):
    async with raw_modbus(served.addresses["turntable-1"]) as client:
        hand = client.hand()
        await hand.take()
        command = await hand.start(TURN, 1800)
        await served.fault("turntable-1", "estop")
        status = await hand.ended(command)
        assert (status.result, status.state, status.safety) == (Result.ABORTED, State.ABORTED, 1)
        await served.mend()
        assert (await hand.status()).safety == 0


async def test_slow_machine_is_asked_and_answers_late(served, raw_modbus):
    loop = asyncio.get_running_loop()
    async with raw_modbus(served.addresses["gate-1"]) as client:
        await served.fault("gate-1", "slow")
        begun = loop.time()
        await client.read(100, 40)
        assert loop.time() - begun >= 0.5
        await served.mend()
        hand = client.hand()
        await hand.take()
        await hand.beat()
        await served.fault("gate-1", "late_answers")
        machine = served.twin.hall.machines["gate-1"]
        command = frames.Command(epoch=1, seq=1, code=LIGHT, params=(1, 0, 0, 0, 0, 0, 0, 0))
        sending = asyncio.ensure_future(client.write(0, frames.encode_command(command)))
        await eventually(lambda: machine.brain.memory.ack == command.id)
        assert not sending.done()  # taken, but the sender does not know
        await sending


async def test_truth_channel_tells_and_takes_orders(served):
    url = served.twin.truth_address
    carton = await served.floor.fresh_carton()
    status, text = await ask(url, "GET", "/truth")
    told = json.loads(text)
    assert status == 200
    assert told["parcels"][carton.lpn]["place"] == "hands"
    assert told["summary"]["cartons"] == 1
    _, text = await ask(url, "GET", "/truth/facts?after=0")
    assert [fact["name"] for fact in json.loads(text)["facts"]] == ["carton_taken"]
    status, _ = await ask(url, "POST", "/fault", {"device": "printer-1", "fault": "cover_open", "for_s": 60})
    assert status == 200
    assert served.twin.hall.printers["printer-1"].health.cover_open
    _, text = await ask(url, "POST", "/mend", {})
    assert json.loads(text) == {"mended": 1}
    for wrong, code in (
        ({"device": "printer-9", "fault": "off"}, 404),
        ({"device": "printer-1", "fault": "on fire"}, 404),
        ({"device": "printer-1", "fault": "off", "for_s": -1}, 400),
        ({"device": "printer-1", "fault": "off", "colour": "red"}, 400),
    ):
        assert (await ask(url, "POST", "/fault", wrong))[0] == code
    for wrong in ({"device": "printer-9"}, {"device": "printer-1", "fault": "on fire"}, {"fault": "on fire"}):
        assert (await ask(url, "POST", "/mend", wrong))[0] == 404
    assert (await ask(url, "DELETE", "/truth"))[0] == 404
    assert (await ask(url, "GET", "/truth/facts?after=x"))[0] == 400
    _, text = await ask(url, "GET", "/faults")
    assert "label_dropped" in json.loads(text)["known"]["arm-1"]


async def test_every_known_fault_can_be_switched_on_and_mended(served):
    board = served.twin.misbehaviour
    for device, faults in board.known().items():
        for fault in faults:
            if not fault.startswith("reboot"):  # these take their second of wall time
                await board.fault(device, fault)
        assert await board.mend(device) > 0
    assert board.active() == []


async def test_fault_ends_after_its_time():
    clock, quirks = ManualClock(), Quirks()
    board = Misbehaviour(clock)
    board.add("camera", {"dark": quirk(quirks, "dark")})
    await board.fault("camera", "dark", for_s=5)
    await let_run()
    clock.advance(4)
    await let_run()
    assert "dark" in quirks
    await let_run()
    clock.advance(2)
    await until(lambda: "dark" not in quirks)
    assert board.active() == []
    with pytest.raises(NoSuchFault):
        await board.fault("camera", "dusty")


def slow(quirks, name):
    """A switch that takes its time, as one that closes sockets does."""
    usual = quirk(quirks, name)

    async def on(times):
        await let_run(5)
        await usual.on(times)

    async def off():
        await let_run(5)
        await usual.off()

    return Switch(on=on, off=off)


async def test_of_two_orders_for_one_fault_the_later_says_how_long_it_lasts():
    clock, quirks = ManualClock(), Quirks()
    board = Misbehaviour(clock)
    board.add("arm-1", {"jam": slow(quirks, "jam")})
    await asyncio.gather(board.fault("arm-1", "jam", for_s=5), board.fault("arm-1", "jam"))
    for _ in range(3):
        clock.advance(4)
        await let_run()
    assert "jam" in quirks and board.active() == [{"device": "arm-1", "fault": "jam"}]


async def test_a_fault_that_is_just_being_switched_on_is_mended_with_all_others():
    quirks, board = Quirks(), Misbehaviour(ManualClock())
    board.add("arm-1", {"jam": slow(quirks, "jam")})
    beginning = asyncio.ensure_future(board.fault("arm-1", "jam"))
    await asyncio.sleep(0)
    assert await board.mend() == 1
    await beginning
    assert "jam" not in quirks and board.active() == []


async def test_a_fault_that_ends_by_itself_while_others_are_mended_keeps_none_of_them_on():
    clock, quirks = ManualClock(), Quirks()
    board = Misbehaviour(clock)
    board.add("arm-1", {name: slow(quirks, name) for name in ("jam", "slip", "drop")})
    await board.fault("arm-1", "jam")
    await board.fault("arm-1", "slip", for_s=5)
    await board.fault("arm-1", "drop")
    await let_run(5)
    mending = asyncio.ensure_future(board.mend())
    await asyncio.sleep(0)
    clock.advance(6)
    assert await mending in (2, 3)
    assert quirks.names() == [] and board.active() == []


def test_quirk_with_a_number_of_times_uses_itself_up():
    quirks = Quirks()
    quirks.on("no_read", 2)
    assert [quirks.hits("no_read") for _ in range(3)] == [True, True, False]
    quirks.on("dark")
    assert all(quirks.hits("dark") for _ in range(3))
    assert quirks.names() == ["dark"]


@pytest.mark.parametrize("share", [0.05, 0.35, 0.5, 0.75, 0.95])
async def test_power_cut_at_any_moment_of_applying_leaves_the_label_in_one_place(
    served, raw, raw_modbus, make_label_job, wait_until, share
):
    floor, motion, machine = served.floor, served.twin.motion, served.twin.hall.machines["arm-1"]
    carton = await floor.fresh_carton()
    await floor.send(carton, "label-1")
    await wait_until(lambda: carton.place == "label-1")
    await raw(served.addresses["printer-1"], make_label_job(Lpn.number(1000).text, 1), 7)
    async with raw_modbus(served.addresses["arm-1"]) as client:
        hand = client.hand()
        await hand.take()
        motion.do(lambda: None)
        begun = motion.now()
        command = await hand.start(APPLY)
        await wait_until(lambda: motion.do(lambda: motion.now()) >= begun + share * 2.5)
        machine.power_off()
        machine.power_on()
        status = await hand.status()
        assert status.done == command.id
        assert status.result in (Result.INTERRUPTED, Result.OK)
    at_peel = floor.label_at("printer-1") is not None
    on_pad = bool(status.spare[0] & 1 << 2)
    assert at_peel + on_pad + len(carton.labels) == 1


async def test_who_loads_paper_ends_the_fault(served):
    """Virtual people and whoever has the hands mend it at the printer itself; the list must not contradict the paper."""
    board = served.twin.misbehaviour
    await board.fault("printer-1", "paper_out", for_s=600)
    assert board.active() == [{"device": "printer-1", "fault": "paper_out"}]
    await served.floor.load_paper("printer-1")
    assert board.active() == []
    assert await board.mend() == 0


async def test_who_listens_hears_each_strike_of_a_fault_and_which_was_the_last():
    quirks, board, heard = Quirks(), Misbehaviour(ManualClock()), []
    board.add("arm-1", {"jam": quirk(quirks, "jam")})
    board.struck = lambda *strike: heard.append(strike)
    await board.fault("arm-1", "jam", times=2)
    assert [quirks.hits("jam") for _ in range(3)] == [True, True, False]
    await board.fault("arm-1", "jam")
    assert quirks.hits("jam") and quirks.hits("jam")
    assert heard == [("arm-1", "jam", last) for last in (False, True, False, False)]
