"""OPC UA, signed, encrypted and signed in: who is believed, who is refused with which fault, and what never leaves."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio
from asyncua import Client, ua
from asyncua.server.uaprocessor import UaProcessor

from packline.core.clock import LoopClock
from packline.core.scans import Scan
from plc.drivers.autoid import AutoIdReader
from plc.drivers.opcua import OpcUaLink
from plc.drivers.opening import quiet_libraries
from plc.drivers.ua_session import UaSession, node_id
from plc.handshake import frames
from plc.links import LinkRefused, LinkTrouble
from plc.security import LinkBarred
from plc.trust import TrustFolder
from simulation.mounts.address_space import AddressSpace
from simulation.mounts.autoid import AutoIdMount
from simulation.mounts.opcua import OpcUaMachineMount
from simulation.mounts.wire import Wire
from tests.plc.craft import Made, key, made
from tests.plc.listener import Listener
from tests.plc.protected import (
    ANY,
    DEFECTS,
    PACKER,
    PASSWORD,
    Plant,
    barred,
    controllers_certificate,
    reach_to,
    shield_of,
)
from tests.waiting import eventually

pytestmark = [pytest.mark.wire, pytest.mark.timeout(60)]
quiet_libraries()


class Tap:
    """Carries bytes to a server and keeps all that a client said."""

    def __init__(self, port: int) -> None:
        self._port, self.said = port, b""
        self.listener = Listener(self._serve)

    async def _serve(self, reader, writer) -> None:
        inner, out = await asyncio.open_connection("127.0.0.1", self._port)
        self.listener.keep(out)
        await asyncio.gather(self._pipe(reader, out, keep=True), self._pipe(inner, writer, keep=False))

    async def _pipe(self, reader, writer, *, keep) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(4096):
                self.said += data if keep else b""
                writer.write(data)
                await writer.drain()
        writer.close()


class Patient(AddressSpace):
    """Offers all three policies, so that one server serves every test: building one takes seconds."""

    async def shut(self, shield) -> None:
        await super().shut(shield)
        kinds = ("Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss")
        self.set_security_policy([ua.SecurityPolicyType[f"{kind}_SignAndEncrypt"] for kind in kinds])


class UaMachine:
    """A protected packer behind a tap; `shows` makes its endpoints show another certificate."""

    def __init__(self, folder: Path) -> None:
        self.good = made()
        shield = shield_of(
            folder, self.good, controllers_certificate(), "Basic256Sha256", user="packline", password=PASSWORD
        )
        self.space = Patient(shield)
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

    def shows(self, certificate: Made | None, behind: bytes = b"") -> None:
        """Show this certificate, with what comes `behind` it; None: offer nothing but an open endpoint."""
        shown = [replace(one) for one in self.endpoints]
        for endpoint in shown:
            if certificate is None:
                endpoint.SecurityPolicyUri = "http://opcfoundation.org/UA/SecurityPolicy#None"
                endpoint.SecurityMode = ua.MessageSecurityMode.None_
            else:
                endpoint.ServerCertificate = certificate.der + behind
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
    machine.url = f"opc.tcp://127.0.0.1:{await machine.tap.listener.open()}"
    yield machine
    await machine.tap.listener.close()


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
async def test_opcua_server_may_show_the_certificate_of_its_authority_behind_its_own(packer, client, pki, secret):
    packer.shows(packer.good, behind=made(name="authority", is_authority=True).der)
    reach = reach_to(pki, packer.good, "Basic256Sha256", user="packline", password_file=secret)
    link = OpcUaLink(PACKER, packer.url, reach)
    await link.connect()
    frames.decode_status(await link.read(frames.STATUS))
    await link.close()


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
