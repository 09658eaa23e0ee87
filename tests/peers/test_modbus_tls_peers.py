"""Modbus/TCP Security with TLS of other people: jsmodbus over Node.js's TLS at either end, and openssl with frames by hand."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from packline.core.files import parse
from plc.drivers.modbus import ModbusLink
from plc.drivers.opening import quiet_libraries
from plc.handshake import frames
from plc.handshake.frames import Result
from plc.links import Area
from plc.machine_file import MachineFile, shipped_machine
from plc.security import LinkBarred, Reach
from plc.trust import TrustFolder
from simulation.mounts.shield import Shield
from tests.peers.foreign import BOUND_S, Peer, peer
from tests.plc.craft import Made, key, made, secured
from tests.simulation.rig import Hand, Served, plant_spec, running, without_opc_ua

pytestmark = [pytest.mark.wire, pytest.mark.timeout(90)]
quiet_libraries()

TURN = 16
VERSIONS = {"TLS1.2": "TLSv1.2", "TLS1.3": "TLSv1.3"}
versions = pytest.mark.parametrize("policy", VERSIONS)
in_one_loop = pytest.mark.asyncio(loop_scope="module")


@cache
def ours() -> Made:
    return made(name="controller", uri="urn:test:packline", secret=key(2048, 3))


@cache
def theirs() -> Made:
    return made(name="foreign", secret=key(2048, 6))


@cache
def stranger() -> Made:
    return made(name="stranger", secret=key(2048, 5))


@cache
def machine() -> Made:
    return made()


def told(folder: Path, own: Made, trusts: Made, policy: str) -> str:
    """Say Node.js's side."""
    kept, believed = own.kept(folder / "theirs"), trusts.kept(folder / "believed")
    files = {"certificate": str(kept.certificate_file), "key": str(kept.key_file)}
    return json.dumps({**files, "trusts": [str(believed.certificate_file)], "version": VERSIONS[policy]})


# -- foreign clients, our twin -----------------------------------------------------------------------------------------


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def twin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """Serve a turntable that lets in nobody but the foreign client."""
    folder, whole = tmp_path_factory.mktemp("twin"), without_opc_ua(plant_spec())
    clients = TrustFolder(folder).trust(theirs().certificate).parent
    shield = Shield(policy="TLS1.2", own=machine().kept(folder / "twin"), clients=clients)
    machines = tuple(replace(one, shield=shield) for one in whole.machines if one.name == "turntable-1")
    async for plant in running(replace(whole, machines=machines, printers=(), cameras=())):
        yield plant


@in_one_loop
@versions
async def test_foreign_client_has_a_job_done_by_the_twin_over_tls(
    twin: Served, packages: Path, tmp_path: Path, policy: str
):
    piece = await twin.floor.take_piece("TEA-250")
    assert piece is not None
    await twin.floor.put_on_table("induct-1", piece)
    file, port = shipped_machine("turntable"), port_of(twin)
    options = told(tmp_path, theirs(), machine(), policy)
    async with peer("modbus_peer.js", "jsmodbus", "client", port, options, packages=packages) as client:

        async def read(block: str) -> Any:
            return (await client.ask(read=[file.register(block), frames.BLOCK_WORDS[block]]))["words"]

        async def write(block: str, words: Any) -> None:
            await client.ask(write=[file.register(block), list(words)])

        hand = Hand(read, write)
        await hand.take()
        status = await hand.do(TURN, 900)
        assert (status.result, status.data[0]) == (Result.OK, 900)
    await twin.floor.take_from_table("induct-1")


@in_one_loop
@pytest.mark.parametrize("own, is_let_in", [(theirs, True), (stranger, False), (None, False)])
async def test_frame_sent_by_openssl_is_answered_to_a_client_that_the_twin_knows_and_to_nobody_else(
    twin: Served, tmp_path: Path, own: Any, is_let_in: bool
):
    words = ["-CAfile", str(machine().kept(tmp_path / "machine").certificate_file), "-verify_return_error"]
    if own is not None:
        kept = own().kept(tmp_path / "own")
        words += ["-cert", str(kept.certificate_file), "-key", str(kept.key_file)]
    first = shipped_machine("turntable").register(frames.STATUS)
    request = bytes.fromhex("0007 0000 0006 01 03") + first.to_bytes(2) + (2).to_bytes(2)
    answer = await by_openssl(port_of(twin), words, request, 13)
    assert answer[:9] == (bytes.fromhex("0007 0000 0007 01 03 04") if is_let_in else b"")


async def by_openssl(port: str, words: list[str], request: bytes, count: int) -> bytes:
    """Send bytes and give those of the answer, as many as come."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is absent: install Debian's package openssl")
    process = await asyncio.create_subprocess_exec(
        *(program, "s_client", "-connect", f"127.0.0.1:{port}", "-quiet", *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin and process.stdout
    try:
        process.stdin.write(request)
        async with asyncio.timeout(BOUND_S):
            return await process.stdout.readexactly(count)
    except asyncio.IncompleteReadError as cut:
        return cut.partial
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def port_of(twin: Served) -> str:
    return twin.addresses["turntable-1"].partition(":")[2]


# -- foreign server, our driver ----------------------------------------------------------------------------------------

FILE = {
    "machine": {
        "model": "foreign", "title": "Foreign server", "source": "tests/peers", "protocol": "modbus", "address_base": 0,
    },
    "handshake": {"kind": "none"},
    "tags": {"words": {"address": 0, "area": "holding", "type": "string", "length": 100, "access": "rw"}},
}  # fmt: skip


@asynccontextmanager
async def server(packages: Path, options: str) -> AsyncIterator[tuple[Peer, str]]:
    async with peer("modbus_peer.js", "jsmodbus", "serve", "-", options, packages=packages) as other:
        yield other, f"127.0.0.1:{other.first['port']}"


def link_to(address: str, folder: Path, policy: str, *, trusts: Made) -> ModbusLink:
    ours().kept(folder / "ours")
    TrustFolder(folder / "ours").trust(trusts.certificate)
    reach = Reach(protection=secured(folder / "ours", policy))
    return ModbusLink(parse(FILE, MachineFile, "foreign"), address, reach)


@versions
async def test_our_driver_reads_and_writes_a_foreign_server_over_tls(packages: Path, tmp_path: Path, policy: str):
    async with server(packages, told(tmp_path, theirs(), ours(), policy)) as (_, address):
        link = link_to(address, tmp_path, policy, trusts=theirs())
        await link.connect()
        assert list(await link.read_registers(Area.HOLDING, 0, 100)) == list(range(100))
        await link.write_registers(0, [1, 0xFFFF, 3], 16)
        assert list(await link.read_registers(Area.HOLDING, 0, 4)) == [1, 0xFFFF, 3, 3]
        await link.close()


@versions
@pytest.mark.parametrize("we_trust, they_trust, code", [(stranger, ours, "1011"), (theirs, stranger, "1016")])
async def test_stranger_among_foreign_servers_and_one_to_whom_we_are_strangers_are_named_and_asked_nothing(
    packages: Path, tmp_path: Path, policy: str, we_trust: Any, they_trust: Any, code: str
):
    async with server(packages, told(tmp_path, theirs(), they_trust(), policy)) as (other, address):
        link = link_to(address, tmp_path, policy, trusts=we_trust())
        with pytest.raises(LinkBarred, match=code) as caught:
            await first_word(link)
        await link.close()
        assert caught.value.seen
        assert (await other.ask(heard=None))["bytes"] == 0


async def first_word(link: ModbusLink) -> int:
    """Give a word; with TLS 1.3 a refusal may come only after the connection seemed to be there."""
    await link.connect()
    return (await link.read_registers(Area.HOLDING, 0, 1))[0]
