"""`packline sim serve`: what a foreign client and whoever programs a PLC finds."""

import json
import subprocess
import sys

import httpx
import pytest
from asyncua import Client, ua
from pymodbus.client import AsyncModbusTcpClient

from controller.commands.sim.serve import site_of
from packline.core.faults import Fault
from plc.handshake import frames
from plc.handshake.frames import Result
from plc.machine_file import shipped_machine
from tests.controller.sim.served import ROOT, environment, served
from tests.simulation.rig import Hand
from tests.waiting import eventually

pytestmark = pytest.mark.wire

TURN, SEAL = 16, 16


@pytest.fixture(scope="module")
def plant():
    with served("--modbus", "0", "--opcua", "0", "--speed", "20") as running:
        yield running
        last = running.stop()
        assert (running.process.returncode, last["ended"]) == (0, "signal")


def modbus_hand(client):
    file = shipped_machine("turntable")

    async def read(block):
        answer = await client.read_holding_registers(file.register(block), count=frames.BLOCK_WORDS[block])
        assert not answer.isError()
        return answer.registers

    async def write(block, words):
        answer = await client.write_registers(file.register(block), list(words))
        assert not answer.isError()

    return Hand(read, write)


async def test_a_bare_modbus_client_drives_a_turntable_to_the_end_of_a_job(plant):
    host, _, port = plant.addresses["turntable-1"].rpartition(":")
    async with AsyncModbusTcpClient(host, port=int(port)) as client:
        hand = modbus_hand(client)
        await hand.take()
        status = await hand.do(TURN, 900)
        assert (status.result, status.data[0]) == (Result.OK, 900)


async def test_a_bare_opc_ua_client_hears_from_the_packer_why_it_seals_nothing(plant):
    packer = shipped_machine("packer")
    async with Client(plant.addresses["packer-1"]) as client:
        uri = packer.node(frames.STATUS)[0]
        index = await client.get_namespace_index(uri)

        def node(block):
            return client.get_node(f"ns={index};s={packer.node(block)[1]}")

        async def read(block):
            return await node(block).read_value()

        async def write(block, words):
            await node(block).write_value(list(words), ua.VariantType.UInt16)

        hand = Hand(read, write)
        await hand.take()
        status = await hand.do(SEAL, 200, 150, 100)
        assert (status.result, status.error) == (Result.FAILED, 1)  # nothing stands there


async def test_a_fault_is_thrown_in_while_it_runs_and_taken_out_again(plant):
    host, _, port = plant.addresses["gate-1"].rpartition(":")
    async with (
        httpx.AsyncClient(base_url=plant.ready["truth"], trust_env=False) as people,
        AsyncModbusTcpClient(host, port=int(port)) as client,
    ):
        hand = modbus_hand(client)
        answer = await people.post("/fault", json={"device": "gate-1", "fault": "estop"})
        assert answer.json() == {"active": [{"device": "gate-1", "fault": "estop"}]}
        assert await eventually(lambda: _is_stopped(hand))
        assert (await people.post("/mend", json={})).json() == {"mended": 1}


async def _is_stopped(hand):
    return (await hand.status()).safety != 0


def test_the_table_names_protocol_address_unit_and_machine_file(plant):
    rows = {row["name"]: row for row in plant.ready["machines"]}
    assert (rows["arm-1"]["protocol"], rows["arm-1"]["unit"], rows["arm-1"]["file"]) == ("modbus", 1, "applicator")
    assert rows["packer-1"]["address"].startswith("opc.tcp://")
    assert rows["cam-table"]["address"].endswith("/snapshot.jpg")


def test_a_port_in_use_is_said_with_its_code_and_what_to_do(plant):
    taken = plant.addresses["turntable-1"].rpartition(":")[2]
    command = [sys.executable, "-m", "controller", "sim", "serve", "turntable", "--modbus", taken, "--json"]
    done = subprocess.run(command, env=environment(), cwd=ROOT, capture_output=True, text=True, check=False)
    (fault,) = json.loads(done.stdout.splitlines()[-1])["faults"]
    assert (done.returncode, fault["code"]) == (1, 4201)
    assert "in use" in fault["seen"]
    assert all(fault[part] for part in ("where", "expected", "remedy"))


def test_of_a_scenario_its_site_is_served_and_a_model_is_refused(capsys):
    scenario = ROOT / "sites" / "shift-rough.toml"
    assert site_of(scenario).samefile(ROOT / "sites" / "demo.toml")
    assert "nothing of its orders and faults" in capsys.readouterr().err
    assert site_of(ROOT / "sites" / "demo.toml") == ROOT / "sites" / "demo.toml"
    with pytest.raises(Fault) as wrong:
        site_of(ROOT / "sites" / "model-line.toml")
    assert "packline sim model" in wrong.value.remedy
