"""The register blocks: what is encoded is decoded, and what is damaged is never believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plc.handshake import frames
from plc.handshake.frames import Command, StateCommand, Status, StatusRefused

u16 = st.integers(0, 0xFFFF)
u32 = st.integers(0, 0xFFFFFFFF)
u48 = st.integers(0, 2**48 - 1)


def words(count: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.tuples(*[u16] * count)


commands = st.builds(Command, epoch=u32, seq=st.integers(1, 0xFFFF), code=u16, params=words(8), job=u32)
state_commands = st.builds(StateCommand, epoch=st.integers(1, 2**32 - 1), seq=st.integers(1, 0xFFFF), command=u16)
statuses = st.builds(
    Status,
    **dict.fromkeys("boot count state mode result rej_code error fault safety caps state_ack".split(), u16),
    **dict.fromkeys("owner_epoch owner_id job".split(), u32),
    **dict.fromkeys("ack done rej".split(), u48),
    data=words(4),
    spare=words(6),
)


def test_crc_is_that_of_modbus() -> None:
    text = b"12345678"
    pairs = [text[i] << 8 | text[i + 1] for i in range(0, 8, 2)]
    assert frames.crc16(pairs) == 0x37DD  # CRC-16/MODBUS of "12345678"


@given(commands)
def test_command_survives_the_wire(command: Command) -> None:
    block = frames.encode_command(command)
    assert len(block) == 16
    assert frames.decode_command(block) == command


@given(state_commands)
def test_state_command_survives_the_wire(command: StateCommand) -> None:
    assert frames.decode_state_command(frames.encode_state_command(command)) == command


@given(statuses)
def test_status_survives_the_wire(status: Status) -> None:
    block = frames.encode_status(status)
    assert len(block) == 40
    assert frames.decode_status(block) == status


@given(commands, st.integers(0, 15), st.integers(1, 0xFFFF))
def test_command_with_one_damaged_word_is_invisible(command: Command, place: int, damage: int) -> None:
    block = list(frames.encode_command(command))
    block[place] ^= damage
    assert frames.decode_command(block) is None


@given(commands, commands, st.integers(1, 15))
def test_half_applied_command_is_never_a_third_command(old: Command, new: Command, applied: int) -> None:
    torn = (*frames.encode_command(new)[:applied], *frames.encode_command(old)[applied:])
    assert frames.decode_command(torn) in (None, old, new)


@given(statuses, st.integers(0, 39), st.integers(1, 0xFFFF))
def test_status_with_one_damaged_word_is_refused(status: Status, place: int, damage: int) -> None:
    block = list(frames.encode_status(status))
    block[place] ^= damage
    with pytest.raises(StatusRefused):
        frames.decode_status(block)


@given(statuses, statuses, st.integers(3, 38))
def test_status_of_two_scans_is_refused(old: Status, new: Status, cut: int) -> None:
    mixed = (*frames.encode_status(new)[:cut], *frames.encode_status(old)[cut:])
    if mixed not in (frames.encode_status(new), frames.encode_status(old)) and old.count != new.count:
        with pytest.raises(StatusRefused):
            frames.decode_status(mixed)


@pytest.mark.parametrize(
    "place,value,reason", [(0, 0, "magic"), (1, 1, "version"), (39, 7, "torn"), (38, 1, "crc"), (5, 9, "crc")]
)
def test_refused_status_says_why(place: int, value: int, reason: str) -> None:
    block = list(frames.encode_status(Status()))
    block[place] = value
    with pytest.raises(StatusRefused, match=reason):
        frames.decode_status(block)


@given(st.lists(u16, max_size=50))
def test_any_words_decode_without_a_crash(block: list[int]) -> None:
    frames.decode_command(block)
    frames.decode_state_command(block)
    with pytest.raises(StatusRefused, match="length|magic|version|torn|crc"):
        frames.decode_status(block)


def test_empty_areas_carry_no_command() -> None:
    assert frames.decode_command([0] * 16) is None
    assert frames.decode_state_command([0] * 6) is None


def test_claim_carries_boot_word_and_owner() -> None:
    claim = frames.claim(7, 0x1234, 0xAABBCCDD)
    assert (claim.seq, claim.code, claim.params[:3]) == (0xFFFF, frames.CLAIM, (0x1234, 0xAABB, 0xCCDD))
