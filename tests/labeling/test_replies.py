"""The status codec: every chopping gives the same replies, and nothing makes it raise."""

from hypothesis import given
from hypothesis import strategies as st

from labeling.drivers.replies import (
    Condition,
    Counter,
    FlowControl,
    Garbage,
    ProcessDone,
    RealTime,
    ReplyParser,
    StatusBlock,
    Transmitted,
)


def parse(data: bytes):
    return ReplyParser().feed(data)


low = st.integers(0, 255).filter(lambda b: b & 0x90 == 0)
replies = st.one_of(
    st.builds(lambda b: (bytes((b & 0x6C | 0x12,)), RealTime(byte=b & 0x6C | 0x12)), st.integers(0, 255)),
    st.builds(lambda b: (bytes((b,)), Transmitted(byte=b)), low),
    st.builds(
        lambda first, rest: (
            bytes((first & 0x6C | 0x10, *rest)),
            StatusBlock(data=bytes((first & 0x6C | 0x10, *rest))),
        ),
        st.integers(0, 255),
        st.lists(low, min_size=3, max_size=3),
    ),
    st.builds(
        lambda ident: (b"\x37\x22" + bytes(ident) + b"\0", ProcessDone(process_id=bytes(ident))),
        st.lists(st.integers(0x20, 0x7E), min_size=4, max_size=4),
    ),
    st.builds(lambda n: (b"\x5f%d\x00" % n, Counter(value=n)), st.integers(0, 9_999_999_999)),
    st.sampled_from([(b"\x11", FlowControl(is_ready=True)), (b"\x13", FlowControl(is_ready=False))]),
)


@given(st.lists(replies, max_size=12))
def test_well_formed_replies_are_told_apart_by_their_fixed_bits(sent):
    assert parse(b"".join(data for data, _ in sent)) == [reply for _, reply in sent]


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=8))
def test_any_chopping_of_any_bytes_gives_the_same_replies(data, cuts):
    parser, pieces, begin = ReplyParser(), [], 0
    for end in sorted({min(c, len(data)) for c in cuts} | {len(data)}):
        pieces += parser.feed(data[begin:end])
        begin = end
    assert pieces == parse(data)


@given(st.binary(max_size=60), replies)
def test_a_reply_after_garbage_is_found_once_the_garbage_has_ended(noise, reply):
    # 0xFF can continue nothing, so whatever the noise began is over
    data, expected = reply
    assert parse(noise + b"\xff" + data)[-1] == expected


@given(st.binary(max_size=200))
def test_no_byte_is_lost_or_counted_twice(data):
    told = b"".join(_bytes_of(reply) for reply in parse(data + b"\xff"))
    assert told == data + b"\xff"


def _bytes_of(reply) -> bytes:
    match reply:
        case RealTime(byte=b) | Transmitted(byte=b):
            return bytes((b,))
        case StatusBlock(data=d) | Garbage(data=d):
            return d
        case ProcessDone(process_id=p):
            return b"\x37\x22" + p + b"\0"
        case FlowControl(is_ready=r):
            return b"\x11" if r else b"\x13"
    return b"\x5f" + str(reply.value).encode() + b"\0"


def test_a_process_id_that_is_cut_short_is_no_proof():
    assert not any(isinstance(reply, ProcessDone) for reply in parse(b"\x37\x22ABC\x00"))


def test_every_answer_that_may_mean_trouble_names_its_fault():
    ready = Condition.from_real_time(0x12, 0x12, 0x12, 0x12)
    assert ready.fault is None
    assert Condition.from_real_time(0x1A, 0x32, 0x12, 0x72).fault == 2101
    assert Condition.from_real_time(0x1A, 0x16, 0x12, 0x12).fault == 2102
    assert Condition.from_real_time(0x1A, 0x52, 0x1A, 0x12).fault == 2106
    assert Condition.from_real_time(0x1A, 0x12, 0x12, 0x12).fault == 2106
    assert Condition.from_block(StatusBlock(data=b"\x18\x00\x0c\x00")).fault == 2101
    assert Condition.from_block(StatusBlock(data=b"\x38\x00\x00\x00")).fault == 2102


def test_a_condition_is_said_in_words_and_never_as_the_program_writes_it():
    said = [
        Condition(offline=True, paper_out=True, cover_open=True).words(),
        Condition(error=True, offline=True).words(),
        Condition(offline=True).words(),
        Condition().words(),
    ]

    assert said == ["cover open, no paper", "an error of its own", "offline without a reason", "ready"]
