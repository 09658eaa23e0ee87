"""Protected connections over real sockets: who is believed, who is refused with which fault, and what never leaves."""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio
from asyncua import Client, ua
from asyncua.server.uaprocessor import UaProcessor
from pymodbus.client import AsyncModbusTlsClient

from packline.core.clock import LoopClock
from packline.core.scans import Scan
from plc.brains import brain_for
from plc.certificates import TrustFolder
from plc.drivers.autoid import AutoIdReader
from plc.drivers.modbus import ModbusLink
from plc.drivers.opcua import OpcUaLink
from plc.drivers.opening import quiet_libraries
from plc.drivers.ua_session import UaSession, node_id
from plc.handshake import frames
from plc.links import LinkDown, LinkRefused, LinkTrouble
from plc.machine_file import MachineFile, shipped_machine
from plc.memory_link import MemoryMachine
from plc.security import UNSAID, Allow, LinkBarred, Reach, Unprotected
from simulation.mounts.modbus import ModbusMount
from simulation.mounts.opcua import AddressSpace, AutoIdMount, OpcUaMachineMount
from simulation.mounts.shield import Shield
from simulation.mounts.wire import Wire
from tests.plc.craft import CLIENT, Made, key, made, secured, uses
from tests.waiting import eventually

pytestmark = [pytest.mark.wire, pytest.mark.timeout(60)]
quiet_libraries()
ANY = "127.0.0.1:0"


def patient(file: MachineFile) -> MachineFile:
    """Give a machine that waits longer than any busy computer makes it."""
    return file.model_copy(update={"machine": file.machine.model_copy(update={"request_timeout_ms": 10_000})})


HASTY_ARM = shipped_machine("applicator")
"""For faults that are known only when the time of a request is over."""
ARM, PACKER = patient(HASTY_ARM), patient(shipped_machine("packer"))
DAY = timedelta(days=1)
PASSWORD = "correct horse battery staple"
OPEN = Reach(protection=Unprotected(why="a test on the loopback"))

DEFECTS = [
    pytest.param({}, {"trusted": False}, 1011, id="untrusted"),
    pytest.param({"begins": -9 * DAY, "ends": -DAY}, {}, 1012, id="expired"),
    pytest.param({"begins": DAY}, {}, 1012, id="not yet valid"),
    pytest.param({"hosts": ("10.9.9.9",)}, {}, 1013, id="another host"),
    pytest.param({}, {"server_name": "plc-7"}, 1013, id="not the host that is wanted"),
    pytest.param({"purposes": CLIENT}, {}, 1014, id="no server"),
    pytest.param({"usage": uses(digital_signature=False)}, {}, 1014, id="may not sign"),
    pytest.param({"secret": key(1024)}, {}, 1014, id="weak key"),
]


class Plant:
    """A machine behind its mount, as BlockDevice."""

    def __init__(self, file) -> None:
        self.memory = MemoryMachine(brain=brain_for(file, random.Random(1)), clock=LoopClock())
        self.memory.boot()
        self.written: list[str] = []

    def read(self, block):
        self.memory.scan()
        return self.memory.brain.status_words() if block == frames.STATUS else (0,) * frames.BLOCK_WORDS[block]

    def write(self, block, words, offset=0):
        self.written.append(block)

    def tag_values(self):
        return {}

    def write_tag(self, name, value):
        self.written.append(name)


class Tap:
    """Carries bytes to a server and keeps all that a client said."""

    def __init__(self, port: int) -> None:
        self._port, self.said = port, b""
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)

    async def _serve(self, reader, writer) -> None:
        inner, out = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers |= {writer, out}
        await asyncio.gather(self._pipe(reader, out, keep=True), self._pipe(inner, writer, keep=False))

    async def _pipe(self, reader, writer, *, keep) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(4096):
                self.said += data if keep else b""
                writer.write(data)
                await writer.drain()
        writer.close()


@cache
def controller() -> Made:
    return made(name="controller", uri="urn:test:packline", secret=key(2048, 3))


@pytest.fixture
def client() -> Made:
    return controller()


@pytest.fixture
def pki(tmp_path: Path, client: Made) -> Path:
    client.kept(tmp_path / "pki")
    return tmp_path / "pki"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(PASSWORD, "utf-8")
    file.chmod(0o600)
    return file


def shield_of(folder: Path, server: Made, client: Made | None, policy: str, **more) -> Shield:
    clients = folder / "clients"
    clients.mkdir(parents=True, exist_ok=True)
    if client is not None:
        TrustFolder(folder).trust(client.certificate).rename(clients / "controller.pem")
    return Shield(policy=policy, own=server.kept(folder), clients=clients, **more)


def reach_to(
    pki: Path, server: Made, policy: str, *, trusted: bool = True, allow: Allow | None = None, **more
) -> Reach:
    if trusted:
        TrustFolder(pki).trust(server.certificate)
    return Reach(protection=secured(pki, policy, **more), allow=allow or Allow())


async def barred(link) -> LinkBarred:
    """Give the fault by which a link refuses to be used."""
    try:
        await link.connect()
        await link.read(frames.STATUS)
    except LinkBarred as fault:
        return fault
    finally:
        await link.close()
    raise AssertionError("the link was taken")


# -- OPC UA ------------------------------------------------------------------------------------------------------------


class Patient(Shield):
    """Offers all three policies, so that one server serves every test: building one takes seconds."""

    async def protect(self, server) -> None:
        await super().protect(server)
        kinds = ("Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss")
        server.set_security_policy([ua.SecurityPolicyType[f"{kind}_SignAndEncrypt"] for kind in kinds])


class UaMachine:
    """A protected packer behind a tap; `shows` makes its endpoints show another certificate."""

    def __init__(self, folder: Path) -> None:
        self.good = made()
        shield = shield_of(folder, self.good, controller(), "Basic256Sha256", user="packline", password=PASSWORD)
        self.space = AddressSpace(
            Patient(
                policy=shield.policy, own=shield.own, clients=shield.clients, user=shield.user, password=shield.password
            )
        )
        self.plant = Plant(PACKER)
        self.mount = OpcUaMachineMount(f"opc.tcp://{ANY}", PACKER, self.plant, Wire(), self.space)
        self.scanner = AutoIdMount(f"opc.tcp://{ANY}", self.space, lambda: None)

    async def open(self) -> None:
        await self.space.start()
        self.open_url = await self.mount.open()
        self.endpoints = list(self.space.iserver.endpoints)

    async def close(self) -> None:
        await self.scanner.close()
        await self.mount.close()
        await self.space.stop()

    def shows(self, certificate: Made | None) -> None:
        """Show this certificate; None: offer nothing but an open endpoint."""
        shown = [replace(one) for one in self.endpoints]
        for endpoint in shown:
            if certificate is None:
                endpoint.SecurityPolicyUri = "http://opcfoundation.org/UA/SecurityPolicy#None"
                endpoint.SecurityMode = ua.MessageSecurityMode.None_
            else:
                endpoint.ServerCertificate = certificate.der
        self.space.iserver.endpoints = shown


@pytest.fixture(scope="module")
def ua_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ua")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def protected_server(ua_folder):
    machine = UaMachine(ua_folder)
    await machine.open()
    yield machine
    await machine.close()


@pytest_asyncio.fixture(loop_scope="module")
async def packer(protected_server):
    """Give the one protected server as it was at first, with a fresh tap before it."""
    machine = protected_server
    machine.shows(machine.good)
    machine.plant.written.clear()
    machine.tap = Tap(int(machine.open_url.rpartition(":")[2]))
    machine.url = f"opc.tcp://127.0.0.1:{await machine.tap.open()}"
    yield machine
    await machine.tap.close()


in_one_loop = pytest.mark.asyncio(loop_scope="module")


@in_one_loop
@pytest.mark.parametrize("policy", ["Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"])
async def test_opcua_is_signed_encrypted_and_signed_in_by_name(packer, client, pki, secret, policy, caplog):
    with caplog.at_level(logging.DEBUG, "packline"):
        reach = reach_to(pki, packer.good, policy, user="packline", password_file=secret)
        link = OpcUaLink(PACKER, packer.url, reach)
        await link.connect()
        frames.decode_status(await link.read(frames.STATUS))
        await link.write(frames.HB, [0] * frames.BLOCK_WORDS[frames.HB])
        await link.close()
    assert packer.plant.written == [frames.HB]
    assert client.der in packer.tap.said  # the tap does see what is in the clear
    assert b"Machine.HB" not in packer.tap.said
    assert PASSWORD.encode() not in packer.tap.said
    assert PASSWORD not in caplog.text


@in_one_loop
@pytest.mark.parametrize(
    "changes, wish, code", [*DEFECTS, pytest.param({}, {"server_uri": "urn:test:other"}, 1013, id="not the uri wanted")]
)
async def test_opcua_server_with_a_bad_certificate_does_not_even_learn_who_we_are(
    packer, client, pki, secret, changes, wish, code
):
    shown = made(**changes)
    packer.shows(shown)
    reach = reach_to(pki, shown, "Basic256Sha256", user="packline", password_file=secret, **wish)
    fault = await barred(OpcUaLink(PACKER, packer.url, reach))
    assert (fault.code, fault.where) == (code, packer.url)
    assert fault.seen
    assert fault.expected
    assert fault.remedy
    assert packer.tap.said
    assert client.der not in packer.tap.said
    assert packer.plant.written == []


@in_one_loop
async def test_opcua_server_that_shows_a_certificate_whose_key_it_lacks_gets_nothing(packer, client, pki, secret):
    stolen = made(secret=key(2048, 4))
    packer.shows(stolen)
    link = OpcUaLink(PACKER, packer.url, reach_to(pki, stolen, "Basic256Sha256", user="packline", password_file=secret))
    with pytest.raises(LinkTrouble):
        await link.connect()
    await link.close()
    assert client.der in packer.tap.said  # so far it came
    assert PASSWORD.encode() not in packer.tap.said


@in_one_loop
async def test_opcua_server_that_refuses_our_name_or_our_certificate_says_so(packer, pki, secret, tmp_path):
    secret.write_text("a wrong one", "utf-8")
    named = reach_to(pki, packer.good, "Basic256Sha256", user="packline", password_file=secret)
    fault = await barred(OpcUaLink(PACKER, packer.url, named))
    assert (fault.code, fault.seen) == (1016, "BadUserAccessDenied")
    assert "a wrong one" not in fault.text()
    nobody = reach_to(pki, packer.good, "Basic256Sha256")
    assert (await barred(OpcUaLink(PACKER, packer.url, nobody))).code == 1016
    made(name="stranger", uri="urn:test:packline", secret=key(2048, 5)).kept(tmp_path / "other")
    unknown = reach_to(tmp_path / "other", packer.good, "Basic256Sha256", user="packline", password_file=secret)
    fault = await barred(OpcUaLink(PACKER, packer.url, unknown))
    assert (fault.code, fault.seen) == (1016, "BadCertificateUntrusted")


async def test_opcua_channel_that_a_server_refuses_by_a_fault_is_trouble_of_the_link():
    """asyncua asserts that the answer grants a channel; node-opcua answers some strangers by a service fault."""

    async def refused() -> None:
        raise AssertionError

    with pytest.raises(LinkRefused, match="no secure channel"):
        await UaSession("opc.tcp://127.0.0.1:1", 1.0).ask(refused())


@in_one_loop
async def test_opcua_never_takes_less_than_what_the_site_file_demands(packer, client, pki):
    packer.shows(None)
    fault = await barred(OpcUaLink(PACKER, packer.url, reach_to(pki, packer.good, "Basic256Sha256")))
    assert (fault.code, fault.seen) == (1015, "None None")
    assert b"Session" not in packer.tap.said  # the name that a session is asked for with


@in_one_loop
async def test_twin_that_is_protected_lets_nobody_in_without_protection(packer, monkeypatch):
    in_the_clear = ua.UserTokenPolicy(PolicyId="username", TokenType=ua.UserTokenType.UserName)
    rogue_endpoint = replace(packer.endpoints[0], UserIdentityTokens=[in_the_clear])
    # a rogue goes on where an honest client would find no endpoint
    monkeypatch.setattr(Client, "find_endpoint", staticmethod(lambda *_: rogue_endpoint))
    rogue = Client(packer.url)
    rogue.set_user("packline")
    rogue.set_password(PASSWORD)
    with pytest.raises(ua.uaerrors.BadUserAccessDenied):
        await rogue.connect()
    rogue.disconnect_socket()


@in_one_loop
async def test_scanner_over_opcua_is_protected_in_the_same_way(packer, pki, secret, caplog):
    url = await packer.scanner.open()
    reach = reach_to(pki, packer.good, "Basic256Sha256", trusted=False, user="packline", password_file=secret)
    reader = AutoIdReader(name="gate", url=url, clock=LoopClock(), rng=random.Random(1), reach=reach)
    scans = reader.scans()
    waiting = asyncio.ensure_future(anext(scans))
    await eventually(lambda: "1011 certificate not trusted" in caplog.text)
    assert not reader.is_connected()
    TrustFolder(pki).trust(packer.good.certificate)
    await eventually(lambda: reader._pairing.last is not None)
    async with asyncio.timeout(20):
        await reader.trigger()
        packer.scanner.send("]C1A")
        assert (await waiting).text == "A"
    await cast(AsyncGenerator[Scan, None], scans).aclose()


@in_one_loop
async def test_opcua_request_outside_the_allow_list_never_reaches_the_server(packer, pki, secret, monkeypatch):
    reach = reach_to(pki, packer.good, "Basic256Sha256", user="packline", password_file=secret)
    link = OpcUaLink(PACKER, packer.url, reach)
    await link.connect()
    await link.read(frames.STATUS)
    asked: list[int] = []
    process = UaProcessor._process_message

    async def listen(*given):
        asked.append(given[1].Identifier)
        return await process(*given)

    monkeypatch.setattr(UaProcessor, "_process_message", listen)
    client = link._session.client
    index = await client.get_namespace_index("urn:packline:machine")
    asked.clear()
    status, other = (client.get_node(node_id(f"Machine.{name}", index)) for name in ("STATUS", "CMDX"))
    barred_requests = [
        lambda: status.write_value([0] * 40, ua.VariantType.UInt16),
        lambda: other.read_value(),
        lambda: other.write_value(1, ua.VariantType.UInt16),
        lambda: client.get_node(node_id("Machine.CMD", index + 1)).read_value(),
        lambda: client.get_node("i=2255").write_value([""]),
        lambda: client.nodes.server.call_method(client.get_node("i=11492").nodeid, 1),
        lambda: client.nodes.objects.add_folder(index, "new"),
        lambda: client.delete_nodes([other]),
        lambda: other.read_raw_history(),
    ]
    for ask in barred_requests:
        with pytest.raises(LinkBarred) as caught:
            await ask()
        assert caught.value.code == 1018
    subscription = await client.create_subscription(500, handler=None)
    with pytest.raises(LinkBarred):
        await subscription.subscribe_data_change(other)
    assert set(asked) <= {
        ua.ObjectIds.BrowseRequest_Encoding_DefaultBinary,
        ua.ObjectIds.CreateSubscriptionRequest_Encoding_DefaultBinary,
        ua.ObjectIds.PublishRequest_Encoding_DefaultBinary,
    }
    assert packer.plant.written == []
    await link.close()


# -- Modbus over TLS -----------------------------------------------------------------------------------------------------


class Recorder:
    """A Modbus server over TLS, or without, that keeps each request and answers a read in pieces."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context, self.heard = context, b""
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)

    async def _serve(self, reader, writer) -> None:
        self._writers.add(writer)
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
    address = await server.open()
    try:
        yield server, address
    finally:
        await server.close()


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
