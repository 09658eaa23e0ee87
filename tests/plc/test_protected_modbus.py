"""Modbus over TLS: who is believed, who is refused with which fault, and what never leaves."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusTlsClient

from plc.drivers.modbus import ModbusLink
from plc.drivers.opcua import OpcUaLink
from plc.drivers.opening import quiet_libraries
from plc.handshake import frames
from plc.links import LinkDown
from plc.security import UNSAID, LinkBarred, Reach
from plc.trust import TrustFolder
from simulation.mounts.modbus import ModbusMount
from simulation.mounts.shield import Shield
from simulation.mounts.wire import Wire
from tests.plc.craft import Made, key, made, secured
from tests.plc.listener import Listener
from tests.plc.protected import (
    ANY,
    ARM,
    DEFECTS,
    HASTY_ARM,
    PACKER,
    Plant,
    barred,
    reach_to,
    shield_of,
)

pytestmark = [pytest.mark.wire, pytest.mark.timeout(60)]
quiet_libraries()


class Recorder:
    """A Modbus server over TLS, or without, that keeps each request and answers a read in pieces."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.listener, self.heard = Listener(self._serve, context), b""

    async def _serve(self, reader, writer) -> None:
        with suppress(ConnectionError, ssl.SSLError):
            while data := await reader.read(512):
                self.heard += data
                count = int.from_bytes(data[10:12])
                body = bytes([data[6], 3, 2 * count]) + bytes(2 * count)
                answer = data[:4] + len(body).to_bytes(2) + body
                for part in (answer[:5], answer[5:20], answer[20:]):
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0.01)  # or the parts would be read in one
        writer.close()


def server_context(folder: Path, server: Made, policy: str = "TLS1.2") -> ssl.SSLContext:
    context = shield_of(folder, server, None, policy).context()
    context.verify_mode = ssl.CERT_NONE
    return context


@asynccontextmanager
async def recorder(context: ssl.SSLContext | None):
    server = Recorder(context)
    port = await server.listener.open()
    try:
        yield server, f"127.0.0.1:{port}"
    finally:
        await server.listener.close()


@asynccontextmanager
async def arm_over_tls(shield: Shield):
    plant = Plant(ARM)
    mount = ModbusMount(ANY, ARM, plant, Wire(), shield)
    try:
        yield plant, await mount.open()
    finally:
        await mount.close()


@pytest.mark.parametrize("policy", ["TLS1.2", "TLS1.3"])
async def test_modbus_over_tls_reads_and_writes(tmp_path, client, pki, policy):
    server = made()
    async with arm_over_tls(shield_of(tmp_path / "twin", server, client, policy)) as (plant, address):
        link = ModbusLink(ARM, address, reach_to(pki, server, policy))
        await link.connect()
        frames.decode_status(await link.read(frames.STATUS))
        await link.write(frames.HB, [0] * frames.BLOCK_WORDS[frames.HB])
        await link.close()
        assert plant.written == [frames.HB]


async def test_modbus_twin_speaks_the_standards_frames_over_tls_with_a_foreign_client(tmp_path, client, pki):
    """Modbus/TCP Security keeps the MBAP header; seen with plain sockets, and with pymodbus' own TLS client."""
    server = made()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    own = client.kept(pki)
    context.load_cert_chain(own.certificate_file, own.key_file)
    context.load_verify_locations(TrustFolder(pki).trust(server.certificate))
    async with arm_over_tls(shield_of(tmp_path / "twin", server, client, "TLS1.2")) as (_, address):
        host, _, port = address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
        writer.write(bytes.fromhex("0007 0000 0006 01 03 0064 0004"))
        assert (await reader.readexactly(9))[:8] == bytes.fromhex("0007 0000 000b 01 03")
        writer.close()
        foreign = AsyncModbusTlsClient(host, port=int(port), sslctx=context, retries=0)
        assert await foreign.connect()
        assert len((await foreign.read_holding_registers(100, count=4)).registers) == 4
        foreign.close()


@pytest.mark.parametrize("changes, wish, code", DEFECTS)
async def test_modbus_machine_with_a_bad_certificate_is_never_asked_anything(
    tmp_path, client, pki, changes, wish, code
):
    server = made(**changes)
    context = server_context(tmp_path / "twin", server) if "secret" not in changes else _weak(tmp_path / "twin", server)
    async with recorder(context) as (heard, address):
        fault = await barred(ModbusLink(ARM, address, reach_to(pki, server, "TLS1.2", **wish)))
        assert (fault.code, fault.where) == (code, address)
        assert fault.seen
        assert fault.expected
        assert fault.remedy
        assert heard.heard == b""


def _weak(folder: Path, server: Made) -> ssl.SSLContext:
    """Give a server that has not heard that 1024 bits are too few."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    own = server.kept(folder)
    context.load_cert_chain(own.certificate_file, own.key_file)
    return context


async def test_modbus_answers_in_pieces_of_a_tls_stream_are_one_answer(tmp_path, client, pki):
    server = made()
    async with recorder(server_context(tmp_path / "twin", server)) as (_, address):
        link = ModbusLink(ARM, address, reach_to(pki, server, "TLS1.2"))
        await link.connect()
        assert await link.read(frames.STATUS) == (0,) * frames.BLOCK_WORDS[frames.STATUS]
        await link.close()


@pytest.mark.parametrize("policy", ["TLS1.2", "TLS1.3"])
async def test_modbus_machine_that_does_not_know_us_says_so(tmp_path, client, pki, policy):
    """A server of OpenSSL's own tells why before it hangs up."""
    server, other = made(), made(name="other", secret=key(2048, 5))
    context = shield_of(tmp_path / "twin", server, other, policy).context()
    context.minimum_version = context.maximum_version = ssl.TLSVersion[policy.replace("TLS", "TLSv").replace(".", "_")]
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with suppress(OSError), context.wrap_socket(peer, server_side=True) as tls:
                tls.recv(1)
            peer.close()

        serving = asyncio.ensure_future(asyncio.to_thread(serve))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        fault = await barred(ModbusLink(HASTY_ARM, address, reach_to(pki, server, policy)))
        assert fault.code == 1016
        assert fault.seen
        await serving


async def test_modbus_machine_that_hangs_up_without_a_word_did_not_let_us_in(tmp_path, client, pki):
    """The twin does, since asyncio sends no alert."""
    server, other = made(), made(name="other", secret=key(2048, 5))
    async with arm_over_tls(shield_of(tmp_path / "twin", server, other, "TLS1.3")) as (plant, address):
        fault = await barred(ModbusLink(HASTY_ARM, address, reach_to(pki, server, "TLS1.3")))
        assert fault.code == 1016
        assert plant.written == []


async def test_modbus_machine_that_offers_less_is_refused(tmp_path, client, pki):
    server = made()
    old = server_context(tmp_path / "twin", server)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    async with recorder(old) as (heard, address):
        assert (await barred(ModbusLink(HASTY_ARM, address, reach_to(pki, server, "TLS1.3")))).code == 1015
        assert heard.heard == b""
    async with recorder(None) as (plain, address):
        link = ModbusLink(HASTY_ARM, address, reach_to(pki, server, "TLS1.2"))
        with pytest.raises((LinkBarred, LinkDown)):
            await link.connect()
        await link.close()
        assert plain.heard[:1] == b"\x16"  # a TLS greeting and no request


# -- what is not said ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda reach: ModbusLink(ARM, "192.0.2.1:502", reach),
        lambda reach: OpcUaLink(PACKER, "opc.tcp://192.0.2.1:4840", reach),
    ],
)
async def test_nothing_leaves_this_computer_unprotected_unless_somebody_said_why(make):
    fault = await barred(make(UNSAID))
    assert fault.code == 1019
    assert 'security = "none:' in fault.expected


async def test_own_certificate_is_needed_before_anybody_is_spoken_to(tmp_path):
    async with recorder(None) as (heard, address):
        reach = Reach(protection=secured(tmp_path / "nothing", "TLS1.2"))
        assert (await barred(ModbusLink(ARM, address, reach))).code == 1017
        assert heard.heard == b""
