"""Each machine that ships does a job, or shows a reading, over real sockets on its twin."""

from __future__ import annotations

import asyncio
import random
from functools import partial

import pytest

from packline.core.clock import LoopClock
from packline.core.effects import DIVERT, EJECT, LIGHT, SEAL, WEIGH, EffectState
from plc.drivers.opening import open_link, quiet_libraries
from plc.links import RegisterLink
from plc.machine_file import shipped_machine
from plc.paddles import PaddleHub, Press
from plc.plain_machine import PlainMachine
from plc.tag_scanner import TagScanner
from simulation.spec import PlantSpec, ScannerSpec, StationSpec
from simulation.twin import Twin
from tests.plc.stands import NAME, do, stand_for
from tests.waiting import eventually

pytestmark = [pytest.mark.wire, pytest.mark.timeout(60)]
quiet_libraries()


async def test_conveyor_shows_its_photo_eyes_and_diverts_the_parcel_that_reaches_the_diverter():
    async with stand_for(shipped_machine("conveyor")) as stand, stand.controlled() as machine:
        await machine.make_ready()
        await eventually(lambda: machine.view().inputs.get("parcel_present") == 1)  # it feeds itself
        await eventually(lambda: machine.view().tags["eye_6"].value is True)
        evidence = await do(machine, DIVERT, lane=2)
        assert (evidence.state, evidence.data["lane"]) == (EffectState.CONFIRMED, 2)
        assert stand.mechanics.lanes == {1: [], 2: [1], 3: []}
        await machine.write("speed_set", 0.25)
        await eventually(lambda: machine.view().tags["speed_set"].value == pytest.approx(0.25))
        await eventually(lambda: machine.view().inputs["infeed_occupied"] == 1)  # a tag that plays a part


async def test_conveyor_with_nothing_at_the_diverter_says_that_it_failed():
    file = shipped_machine("conveyor")
    file = file.model_copy(update={"simulation": {**file.simulation, "feed_s": 0.0}})
    async with stand_for(file) as stand, stand.controlled() as machine:
        assert (await do(machine, DIVERT, lane=1)).state is EffectState.FAILED
        assert stand.mechanics.lanes[1] == []


async def test_checkweigher_gives_the_weight_of_this_carton_with_its_proof_and_pushes_it_off():
    async with stand_for(shipped_machine("checkweigher")) as stand, stand.controlled() as machine:
        carton = await stand.carton(pieces=2)
        await machine.make_ready()
        await machine.write("limit_low", 1.0)
        evidence = await do(machine, WEIGH)
        assert evidence.state is EffectState.CONFIRMED
        assert evidence.data["weight_kg"] == pytest.approx(0.82)
        assert (evidence.data["underweight"], evidence.data["overweight"]) == (True, False)
        assert evidence.data["weighings"] == 1
        await eventually(lambda: machine.view().tags["serial"].value == "CW30-0117")
        assert (await do(machine, EJECT)).state is EffectState.CONFIRMED
        assert carton.place == f"reject:{NAME}"
        assert (await do(machine, EJECT)).state is EffectState.FAILED  # nothing there any more
        await eventually(lambda: machine.view().inputs["parcel_present"] == 0)


async def test_packer_seals_over_modbus_as_over_opc_ua():
    async with stand_for(shipped_machine("packer_modbus")) as stand, stand.controlled() as machine:
        carton = await stand.carton()
        evidence = await do(machine, SEAL, length_mm=200, width_mm=150, height_mm=100)
        assert (evidence.state, evidence.data["sealed_count"]) == (EffectState.CONFIRMED, 1)
        assert carton.closed_by == NAME
        assert machine.view().inputs["carton_closed"] == 1
        assert machine.view().tags["model_no"].value == 40


async def test_bag_sealer_of_coils_and_contacts_seals_by_its_counter_and_sets_its_lamp():
    async with stand_for(shipped_machine("bag_sealer")) as stand, stand.controlled() as machine:
        carton = await stand.carton()
        assert (await do(machine, SEAL)).state is EffectState.CONFIRMED
        assert carton.closed_by == NAME
        assert (await do(machine, LIGHT, lamp=3)).state is EffectState.CONFIRMED
        assert stand.mechanics.lamp == 3
        await eventually(lambda: machine.view().tags["start_seal"].value is False)  # the coil was let go
        assert machine.view().tags["jaw_temp"].value == pytest.approx(142.5)


async def test_hub_tells_every_press_once_in_the_order_of_its_own_clock():
    async with stand_for(shipped_machine("paddle_hub")) as stand, stand.controlled() as machine:
        assert isinstance(machine, PaddleHub)
        stand.twin.motion.do(lambda: stand.mechanics.press(1))
        await machine.make_ready()
        await eventually(lambda: machine.view().tags["presses_1"].value == 1)
        await machine.write("open", True, lease_s=30)
        presses = machine.presses()
        found: list[Press] = []
        for paddle in (7, 2, 7):
            stand.twin.motion.do(partial(stand.mechanics.press, paddle, force_n=paddle, duration_ms=90))
        async with asyncio.timeout(20):
            while len(found) < 3:
                found.append(await anext(presses))
        assert sorted((press.paddle, press.number) for press in found) == [(2, 1), (7, 1), (7, 2)]
        assert [press.ended_ms for press in found] == sorted(press.ended_ms for press in found)
        assert found[-1].force_n in (2.0, 7.0)
        await eventually(lambda: machine.view().tags["open"].value is True)


async def test_scanner_with_registers_is_read_over_modbus_and_reads_again_when_triggered():
    file = shipped_machine("modbus_scanner")
    spec = PlantSpec(
        scanners=(ScannerSpec(name="scan-1", driver="modbus", address="127.0.0.1:0", at="s1", fixed=True, file=file),),
        stations=(StationSpec(name="s1", kind="hold"),),
        speed=20.0,
        first_plate=1,
    )
    twin = Twin(spec)
    (served,) = await twin.start()
    clock, told = LoopClock(), []
    link = open_link(file, served.address)
    assert isinstance(link, RegisterLink)
    scanner = TagScanner(PlainMachine(name="scan-1", file=file, link=link, clock=clock, rng=random.Random(1)), clock)

    async def listen() -> None:
        async for scan in scanner.scans():
            told.append((scan.symbology, scan.text))

    task = asyncio.ensure_future(listen())
    try:
        await eventually(scanner.is_connected)
        carton = await twin.floor.fresh_carton()
        await twin.floor.put_down(carton, "s1")
        await eventually(lambda: len(told) == 1)
        await scanner.trigger()
        await eventually(lambda: len(told) == 2)
        await twin.misbehaviour.fault("scan-1", "off")
        await eventually(lambda: not scanner.is_connected())
        await twin.misbehaviour.mend("scan-1")
        await eventually(scanner.is_connected)
        await scanner.trigger()
        await eventually(lambda: len(told) == 3)
    finally:
        task.cancel()
        await asyncio.wait({task})
        await twin.stop()
    assert set(told) == {("]C0", carton.lpn)}
