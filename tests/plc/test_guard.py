"""What the files of a machine do not name is never sent to it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, WriteMultipleRegistersRequest

from plc.drivers.guard import FrameGuard, NodeGuard, Span, node_rules, register_rules, spans_said
from plc.drivers.library_modbus import LibraryChannel
from plc.drivers.modbus import ModbusLink
from plc.drivers.opening import quiet_libraries
from plc.handshake import frames
from plc.links import Area
from plc.machine_file import MachineFile, shipped_machine
from plc.security import Allow, LinkBarred, Reach, Unprotected
from tests.plc.listener import Listener

quiet_libraries()
ARM, PACKER = shipped_machine("applicator"), shipped_machine("packer")
PLAIN = MachineFile.model_validate(
    {
        "machine": {"model": "belt", "title": "Belt", "source": "manual 1", "protocol": "modbus", "address_base": 0},
        "handshake": {"kind": "none"},
        "limits": {"max_gap": 3},
        "tags": {
            "speed": {"address": 10, "area": "holding", "type": "u16", "access": "rw"},
            "weight": {"address": 14, "area": "holding", "type": "u32"},
            "far": {"address": 40, "area": "holding", "type": "u16"},
            "eye": {"address": 3, "area": "discrete", "type": "bool"},
            "motor": {"address": 5, "area": "coil", "type": "bool", "access": "w"},
            "count": {"address": 7, "area": "input", "type": "u16"},
        },
    }
)


def frame(function: int, *words: int, unit: int = 1) -> bytes:
    body = bytes([unit, function]) + b"".join(word.to_bytes(2) for word in words)
    return b"\x00\x01\x00\x00" + len(body).to_bytes(2) + body


def passes(file: MachineFile, sent: bytes, allow: Allow | None = None) -> bool:
    try:
        FrameGuard("m", register_rules(file, allow or Allow())).check(sent)
    except LinkBarred:
        return False
    return True


def test_a_refusal_says_what_was_asked_and_what_is_allowed():
    with pytest.raises(LinkBarred) as caught:
        FrameGuard("arm-1", register_rules(ARM, Allow())).check(frame(16, 500, 1))
    fault = caught.value
    assert (fault.code, fault.where, fault.seen) == (1018, "arm-1", "write of holding 500-500")
    assert "holding 0-" in fault.expected


def test_the_handshakes_blocks_pass_and_status_is_only_read():
    for block, count in frames.BLOCK_WORDS.items():
        first = ARM.register(block)
        assert passes(ARM, frame(3, first, count))
        assert passes(ARM, frame(16, first, count)) is (block != frames.STATUS)


@pytest.mark.parametrize(
    "sent",
    [
        frame(3, 90, 20),
        frame(3, 0, 125),
        frame(3, 500, 1),
        frame(16, 500, 1),
        frame(16, 100, 40),
        frame(16, 10, 30),
        frame(3, 100, 4, unit=2),
        frame(16, 0, 16, unit=0),
        frame(4, 0, 1),
        frame(1, 0, 1),
        frame(6, 0, 1),
        frame(5, 0, 0xFF00),
        frame(15, 0, 1),
        frame(22, 0, 0, 0),
        frame(23, 100, 4, 0, 4),
        frame(43, 0x0E01),
        frame(8, 0, 0),
        frame(90),
        frame(3, 100),
        frame(16),
        b"",
        b"\x00\x01\x00\x00\x00\x01\x01",
    ],
    ids=bytes.hex,
)
def test_everything_else_stays_here(sent):
    assert not passes(ARM, sent)


def test_tags_may_be_read_across_the_gaps_that_the_file_allows_and_written_exactly():
    assert passes(PLAIN, frame(3, 10, 6))
    assert not passes(PLAIN, frame(3, 10, 31))
    assert not passes(PLAIN, frame(3, 9, 2))
    assert passes(PLAIN, frame(6, 10, 99))
    assert not passes(PLAIN, frame(6, 11, 99))
    assert not passes(PLAIN, frame(6, 14, 99))
    assert not passes(PLAIN, frame(16, 10, 2))
    assert passes(PLAIN, frame(5, 5, 0xFF00))
    assert not passes(PLAIN, frame(5, 6, 0xFF00))
    assert not passes(PLAIN, frame(1, 5, 1))
    assert passes(PLAIN, frame(2, 3, 1))
    assert passes(PLAIN, frame(4, 7, 1))


def test_a_block_of_the_handshake_is_written_whole_also_beside_tags_that_are_written_singly():
    raw = ARM.model_dump(exclude={"tags", "expect"}) | {
        "tags": {"lamp": {"address": 200, "area": "holding", "type": "u16"}}
    }
    raw["tags"]["lamp"]["access"] = "rw"
    both = MachineFile.model_validate(raw)
    assert passes(both, frame(6, 200, 1))
    assert passes(both, frame(16, 0, 16))
    assert not passes(both, frame(6, 0, 1))
    assert not passes(both, frame(22, 200, 0, 1))


def test_bits_are_masked_only_where_the_file_says_that_the_device_can():
    tags = {
        "flag": {"address": 60, "area": "holding", "type": "bool", "bit": 2, "access": "rw"},
        "whole": {"address": 61, "area": "holding", "type": "u16", "access": "r"},
    }
    raw = PLAIN.model_dump(exclude={"tags"}, exclude_defaults=True)
    able = MachineFile.model_validate(raw | {"tags": tags, "limits": {"mask_write": True}})
    assert passes(able, frame(22, 60, 0xFFFB, 4))
    assert not passes(able, frame(22, 61, 0xFFFB, 4))
    assert not passes(able, frame(22, 60, 0xFFFB, 4), Allow(read_only=True))
    assert not passes(MachineFile.model_validate(raw | {"tags": tags}), frame(22, 60, 0xFFFB, 4))


def test_a_read_that_passed_once_opens_no_door_to_another():
    guard = FrameGuard("m", register_rules(PLAIN, Allow()))
    for number in range(3):
        guard.check(number.to_bytes(2) + frame(3, 10, 6)[2:])
        for barred in (frame(3, 10, 31), frame(3, 10, 6, unit=2), frame(4, 10, 6), frame(16, 10, 6)):
            with pytest.raises(LinkBarred):
                guard.check(barred)


def test_a_site_file_takes_away_and_never_adds():
    status = frame(3, 100, 4)
    write = frame(16, 0, 16)
    assert passes(ARM, status, Allow(read_only=True))
    assert not passes(ARM, write, Allow(read_only=True))
    assert not passes(ARM, write, Allow(functions=[3, 6]))
    assert not passes(ARM, frame(6, 0, 1), Allow(functions=[3, 6]))
    assert not passes(ARM, write, Allow(write=["holding 16-17"]))
    assert passes(ARM, frame(16, 16, 2), Allow(write=["holding 16-17"]))
    assert not passes(ARM, status, Allow(read=["holding 0-35"]))
    assert not passes(ARM, frame(3, 500, 1), Allow(read=["holding 500"]))


def test_ranges_are_written_as_they_are_read():
    spans = [Span(Area.HOLDING, 100, 140), Span(Area.COIL, 5, 6)]
    assert spans_said(map(str, spans)) == spans


def test_nodes_come_from_the_file_and_status_is_not_written():
    rules = node_rules(PACKER, Allow())
    uri = "urn:packline:machine"
    assert rules.reads == {(uri, f"s=Machine.{block}") for block in frames.BLOCK_WORDS}
    assert rules.writes == rules.reads - {(uri, "s=Machine.STATUS")}
    assert rules.calls == set()
    assert node_rules(PACKER, Allow(read_only=True)).writes == set()
    narrowed = node_rules(PACKER, Allow(nodes=["s=Machine.STATUS"]))
    assert narrowed.reads == {(uri, "s=Machine.STATUS")}
    assert narrowed.writes == set()


@pytest.mark.parametrize("verb,block", [("write", "STATUS"), ("write", "OTHER"), ("read", "OTHER"), ("call", "CMD")])
def test_a_node_that_the_file_does_not_name_for_it_is_neither_written_nor_read_nor_called(verb, block):
    guard, uri = NodeGuard("opc.tcp://packer-1", node_rules(PACKER, Allow())), "urn:packline:machine"
    guard.check("read", (uri, "s=Machine.STATUS"), is_standard=False)
    guard.check("write", (uri, "s=Machine.CMD"), is_standard=False)
    guard.check("read", ("http://opcfoundation.org/UA/", "i=2255"), is_standard=True)
    with pytest.raises(LinkBarred, match="1018"):
        guard.check(verb, (uri, f"s=Machine.{block}"), is_standard=False)
    with pytest.raises(LinkBarred, match="1018"):
        guard.check("write", ("http://opcfoundation.org/UA/", "i=2255"), is_standard=True)


@given(
    function=st.sampled_from([1, 3, 6, 16, 23]) | st.integers(0, 255),
    unit=st.just(1) | st.integers(0, 255),
    body=st.binary(max_size=12) | st.binary(min_size=4, max_size=4),
)
def test_no_frame_however_odd_gets_past_and_none_breaks_the_guard(function, unit, body):
    sent = b"\x00\x01\x00\x00" + (len(body) + 2).to_bytes(2) + bytes([unit, function]) + body
    if passes(ARM, sent):
        first, count = int.from_bytes(body[:2]), int.from_bytes(body[2:4])
        assert unit == 1
        assert function in (3, 16)
        assert first + count <= 140
        assert function == 3 or first + count <= 100


# -- on the wire ---------------------------------------------------------------------------------------------------------


class Ear:
    """A Modbus server that keeps every byte and answers a read of STATUS."""

    def __init__(self) -> None:
        self.heard = b""
        self.listener = Listener(self._serve)

    async def _serve(self, reader, writer) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(512):
                self.heard += data
                body = bytes([data[6], data[7], 2 * data[11]]) + bytes(2 * data[11])
                writer.write(data[:4] + len(body).to_bytes(2) + body)
        writer.close()


@pytest.mark.wire
async def test_a_barred_request_never_reaches_the_wire_whoever_asks_for_it():
    """Asked of pymodbus' client itself, below the link's own methods: the guard stands behind all of them."""
    ear = Ear()
    link = ModbusLink(ARM, f"127.0.0.1:{await ear.listener.open()}", Reach(protection=Unprotected(why="a test")))
    await link.connect()
    assert isinstance(link._channel, LibraryChannel)
    client = link._channel.client
    assert client is not None
    barred = [
        lambda: client.write_register(0, 1, device_id=1),
        lambda: client.write_registers(100, [1], device_id=1),
        lambda: client.write_registers(0, [0] * 16, device_id=9),
        lambda: client.read_holding_registers(500, count=1, device_id=1),
        lambda: client.read_input_registers(0, count=1, device_id=1),
        lambda: client.write_coil(0, True, device_id=1),
        lambda: client.mask_write_register(address=0, and_mask=0, or_mask=1, device_id=1),
        lambda: client.readwrite_registers(read_address=100, read_count=1, write_address=0, values=[1], device_id=1),
        lambda: client.read_device_information(device_id=1),
        lambda: client.execute(False, WriteMultipleRegistersRequest(address=140, registers=[1], dev_id=1)),
        lambda: client.execute(False, ReadHoldingRegistersRequest(address=139, count=2, dev_id=1)),
        lambda: client.execute(True, WriteMultipleRegistersRequest(address=0, registers=[1], dev_id=0)),
    ]
    for ask in barred:
        with pytest.raises(LinkBarred):
            await ask()
    assert ear.heard == b""
    assert len(await link.read(frames.STATUS)) == frames.BLOCK_WORDS[frames.STATUS]
    assert ear.heard[6:12] == bytes.fromhex("01 03 0064 0028")
    await link.close()
    await ear.listener.close()


@pytest.mark.wire
async def test_a_machine_that_is_only_looked_at_is_never_written():
    ear = Ear()
    reach = Reach(protection=Unprotected(why="a test"), allow=Allow(read_only=True))
    link = ModbusLink(ARM, f"127.0.0.1:{await ear.listener.open()}", reach)
    await link.connect()
    await link.read(frames.STATUS)
    heard = ear.heard
    for block in (frames.CMD, frames.HB, frames.STATE):
        with pytest.raises(LinkBarred):
            await link.write(block, [0] * frames.BLOCK_WORDS[block])
    assert ear.heard == heard
    await link.close()
    await ear.listener.close()
