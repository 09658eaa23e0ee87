"""Each machine of the twin, spoken to over its real protocol by a tiny client."""

import pytest
from asyncua import Client, ua

from plc.drivers.opcua import OpcUaLink
from plc.handshake.frames import Result
from plc.machine_file import shipped_machine
from tests.waiting import eventually

pytestmark = pytest.mark.wire

TURN, LIGHT = 16, 17
APPLY, EJECT, DISCARD = 16, 17, 18
RELEASE = 16
SEAL = 16


async def test_turntable_turns_to_an_absolute_angle_and_says_where_it_is(served, raw_modbus):
    floor = served.floor
    piece = await floor.take_piece("TEA-250")
    await floor.put_on_table("induct-1", piece)
    async with raw_modbus(served.addresses["turntable-1"]) as client:
        hand = client.hand()
        await hand.take()
        status = await hand.do(TURN, 2700)
        assert (status.result, status.data[0]) == (Result.OK, 2700)
        assert status.spare[0] == 0b11  # item present, in position
        assert (await hand.do(LIGHT, 80)).result == Result.OK
        assert (await hand.status()).spare[1:3] == (2700, 80)


async def test_packer_seals_over_opc_ua_and_sends_the_carton_on(served_whole, hand, wait_until):
    floor = served_whole.floor
    carton = await floor.fresh_carton()
    await floor.send(carton, "pack-1")
    link = OpcUaLink(shipped_machine("packer"), served_whole.addresses["packer-1"])
    await link.connect()
    packer = hand(link.read, link.write)
    await packer.take()
    await wait_until(lambda: carton.place == "pack-1")
    status = await packer.do(SEAL, 200, 150, 100)
    assert (status.result, status.data[0]) == (Result.OK, 1)
    assert carton.closed_by == "packer-1"
    await wait_until(lambda: carton.place == "label-1")
    assert served_whole.truth.summary()["cartons_sealed"] == 1
    status = await packer.do(SEAL, 200, 150, 100)
    assert (status.result, status.error) == (Result.FAILED, 1)  # nothing there any more
    await link.close()


async def test_gate_lets_one_parcel_go_and_counts_it(served, raw_modbus):
    floor = served.floor
    carton = await floor.fresh_carton()
    async with raw_modbus(served.addresses["gate-1"]) as client:
        hand = client.hand()
        await hand.take()
        status = await hand.do(RELEASE)
        assert (status.result, status.error, status.data[0]) == (Result.FAILED, 1, 0)
        await floor.put_down(carton, "gate-1")
        status = await hand.do(RELEASE)
        assert (status.result, status.data[0]) == (Result.OK, 1)
        assert status.spare[2] == 1  # passed in all
    assert served.truth.parcel(carton.lpn).left


async def changed(node, value):
    return await node.read_value() != value


async def test_gate_scanner_publishes_its_reads_as_auto_id_does(served_whole, wait_until):
    carton = await served_whole.floor.fresh_carton()
    async with Client(served_whole.addresses["scan-gate"]) as client:
        index = await client.get_namespace_index("urn:packline:autoid")
        reader = await client.nodes.objects.get_child(f"{index}:OpticalReader")
        counter = await reader.get_child(f"{index}:ScanCounter")
        data = await reader.get_child(f"{index}:LastScanData")
        assert await counter.read_value() == 0
        await served_whole.floor.put_down(carton, "gate-1")
        await eventually(lambda: changed(counter, 0))
        assert await data.read_value() == f"]C0{carton.lpn}"
        await reader.call_method(f"{index}:ScanStart")
        await eventually(lambda: changed(counter, 1))
        await served_whole.fault("scan-gate", "off")
        with pytest.raises((ConnectionError, OSError, TimeoutError, ua.UaError)):
            await data.read_value()


async def test_arm_without_label_or_parcel_fails_with_its_own_numbers(served, raw_modbus, wait_until):
    floor = served.floor
    async with raw_modbus(served.addresses["arm-1"]) as client:
        hand = client.hand()
        await hand.take()
        assert (await hand.do(APPLY)).error == 3
        assert (await hand.do(EJECT, 1)).error == 3
        carton = await floor.fresh_carton()
        await floor.send(carton, "label-1")
        await wait_until(lambda: carton.place == "label-1")
        assert (await hand.do(APPLY)).error == 1
        assert (await hand.do(EJECT, 3)).data[0] == 3
    assert floor.cartons_at("lane:label-1:3") == [carton]


async def test_foreign_addresses_and_functions_get_the_right_exception(served, raw_modbus):
    async with raw_modbus(served.addresses["arm-1"]) as client:
        assert (await client.read(100, 2))[0] == 0x4648
        assert await client.ask(b"\x10\x00\x64\x00\x01\x02\x00\x01") == b"\x90\x02"  # STATUS is not written
        assert await client.ask(b"\x10\x00\x0f\x00\x02\x04\x00\x01\x00\x01") == b"\x90\x02"  # across two blocks
        assert (await client.ask(b"\x03\x00\x64\x00\x01", unit=255))[0] == 3  # any unit id is answered
