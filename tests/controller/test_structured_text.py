"""The generated function block keeps the machine's rules: it is run beside the object that the twin runs, scan by scan."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from controller.reference.structured_text import function_block
from packline.core.faults import Fault
from plc.handshake import frames
from plc.handshake.device_rules import MachineBrain, StartMotion, StopMotion
from plc.handshake.frames import Command, Heartbeat, Result, StateCommand
from plc.machine_file import MachineFile, shipped_machine
from plc.packml import PackMl
from tests.controller.structured_text import compiled

FILES = {name: shipped_machine(name) for name in ("applicator", "turntable", "courier_gate", "packer")}
BLOCKS = {frames.CMD: "aCmd", frames.HB: "aHb", frames.STATE: "aState"}


def text_of(file: MachineFile) -> str:
    return TEXTS.get(file.model) or function_block(file)


TEXTS: dict[str, str] = {}
"""Texts with a fault planted in them, by model; else the one that is generated."""


@dataclass
class Pair:
    """The brain that the twin runs, and the function block, on equal inputs."""

    file: MachineFile
    now_ms: int = 0xFFFFF000  # so that the milliseconds roll over on the way
    inputs: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        part = self.file.handshake
        states = PackMl(edition=self.file.packml.edition, disabled=self.file.packml.disabled_states())
        codes = {code: job.allows for code, job in self.file.rules().items()}
        self.brain = MachineBrain(
            states=states, codes=codes, rng=random.Random(1), retentive=True, on_silence=part.on_silence
        )
        units = compiled(text_of(self.file))
        (self.block,) = (unit for name, unit in units.items() if name.startswith("FB_"))
        self.v = self.block.state
        self.block.reset(keep_retained=False)
        self.boot(kept=False)

    def boot(self, *, kept: bool) -> None:
        self.brain.boot(self.now_ms / 1000, memory_kept=kept)
        self.block.reset(keep_retained=True)
        self.inputs = {"xFirstScan": True, "xMemoryKept": kept, "uiRandom": self.brain.memory.boot}

    def write(self, block: str, words: frames.Words) -> None:
        if "xFirstScan" not in self.inputs:  # the first scan empties the blocks, as power-up does
            self.brain.write(block, words)
            getattr(self.v, BLOCKS[block])[:] = words

    def finish(self, result: Result, data: frames.Words, error: int) -> None:
        self.brain.finish(result, data, error)
        self.inputs |= {"xMotionEnded": True, "iMotionResult": int(result), "aResult": [*data], "uiError": error}

    def scan(self) -> None:
        for name in ("xFirstScan", "xMotionEnded", "xOwnFault"):
            setattr(self.v, name, False)
        self.v.iPanel = 0
        for name, value in self.inputs.items():
            setattr(self.v, name, value)
        self.inputs = {}
        self.v.udiNow, self.v.wOwnFaults, self.v.wSafety = (
            self.now_ms & 0xFFFFFFFF,
            self.brain.faults,
            self.brain.safety,
        )
        self.v.aSpare = list(self.brain.inputs)
        actions = self.brain.scan(self.now_ms / 1000)
        self.block.run(self.v)
        seen = frames.decode_status(self.v.aStatus)
        assert replace(seen, count=0) == replace(self.brain.status(), count=0)
        starts = [a for a in actions if isinstance(a, StartMotion)]
        assert [(self.v.uiCode, tuple(self.v.aParam), self.v.udiJob)] * self.v.xStart == [
            (a.code, a.params, a.job) for a in starts
        ]
        assert self.v.xStopMotion == any(isinstance(a, StopMotion) for a in actions)
        assert self.v.xBusy == self.brain.busy


EPOCHS, SEQS = st.sampled_from([0, 1, 2, 3, 0x10001]), st.sampled_from([0, 1, 2, 3, 65534, 65535])
SPOILT = st.sampled_from([-1, -1, -1, -1, 0, 2, 3, 5, 15])
ORDERS = st.one_of(
    st.tuples(st.just("claim"), EPOCHS, st.sampled_from([0, 0, 0, 1]), SPOILT),
    st.tuples(st.just("job"), EPOCHS, SEQS, st.sampled_from([0, 1, 3, 16, 17, 18, 19]), st.integers(0, 400), SPOILT),
    st.tuples(st.just("beat"), EPOCHS, st.integers(0, 3)),
    st.tuples(st.just("state"), EPOCHS, SEQS, st.integers(0, 11) | st.just(0xFFFF), SPOILT),
    st.tuples(st.just("wait"), st.sampled_from([10, 500, 1999, 2000, 2001])),
    st.tuples(st.just("finish"), st.sampled_from([Result.OK, Result.FAILED, Result.ABORTED]), st.integers(0, 9)),
    st.tuples(st.just("boot"), st.booleans()),
    st.tuples(st.just("safety"), st.integers(0, 1)),
    st.tuples(st.just("panel"), st.integers(1, 10)),
    st.tuples(st.just("fault"), st.integers(2, 15)),
    st.tuples(st.just("lead")),
)


def obey(pair: Pair, order: tuple) -> None:
    kind, *rest = order
    brain = pair.brain
    if kind == "claim":
        epoch, wrong, spoilt = rest
        words = frames.encode_command(frames.claim(epoch, (brain.memory.boot + wrong) & 0xFFFF, 0xABCD1234))
        pair.write(frames.CMD, _spoil(words, spoilt))
    elif kind == "job":
        epoch, seq, code, param, spoilt = rest
        command = Command(epoch=epoch, seq=seq, code=code, params=(param, 1, 2, 3, 4, 5, 6, 7), job=0x12345)
        pair.write(frames.CMD, _spoil(frames.encode_command(command), spoilt))
    elif kind == "beat":
        pair.write(frames.HB, frames.encode_heartbeat(Heartbeat(epoch=rest[0], counter=rest[1])))
    elif kind == "state":
        epoch, seq, command, spoilt = rest
        words = frames.encode_state_command(StateCommand(epoch=epoch, seq=seq, command=command))
        pair.write(frames.STATE, _spoil(words, spoilt))
    elif kind == "wait":
        pair.now_ms += rest[0]
    elif kind == "finish":
        pair.finish(rest[0], (rest[1], 2, 3, 4), rest[1])
    elif kind == "boot":
        pair.boot(kept=rest[0])
    elif kind == "safety":
        brain.safety = rest[0]
    elif kind == "panel":
        if "xFirstScan" not in pair.inputs:
            brain.press(rest[0])
            pair.inputs["iPanel"] = rest[0]
    elif kind == "fault":
        if "xFirstScan" not in pair.inputs and "iPanel" not in pair.inputs:
            brain.raise_fault(rest[0])
            pair.inputs["xOwnFault"] = True
    else:
        lead(pair)


def lead(pair: Pair) -> None:
    """Claim, beat, and lead to Execute, as a controller does, so that jobs have a chance."""
    pair.scan()
    epoch = pair.brain.memory.owner_epoch + 1
    pair.write(frames.CMD, frames.encode_command(frames.claim(epoch, pair.brain.memory.boot, 7)))
    pair.scan()
    for seq, command in enumerate((9, 1, 2, 5, 7), 1):
        pair.write(frames.HB, frames.encode_heartbeat(Heartbeat(epoch=epoch, counter=seq)))
        pair.write(frames.STATE, frames.encode_state_command(StateCommand(epoch=epoch, seq=seq, command=command)))
        pair.scan()
    code = min(pair.file.rules())
    params = tuple(max(0, _least(pair.file, code, n)) for n in range(8))
    job = Command(epoch=epoch, seq=1, code=code, params=params, job=99)
    pair.write(frames.CMD, frames.encode_command(job))


def _least(file: MachineFile, code: int, index: int) -> int:
    return next((p.min for p in file.rules()[code].params.values() if p.index == index), 0)


def _spoil(words: frames.Words, place: int) -> frames.Words:
    return words if not 0 <= place < len(words) else (*words[:place], words[place] ^ 0x0101, *words[place + 1 :])


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=40, deadline=None)
@given(orders=st.lists(ORDERS, max_size=25))
def test_function_block_keeps_the_machines_rules(name, orders):
    pair = Pair(FILES[name])
    pair.scan()
    for order in orders:
        obey(pair, order)
        pair.scan()


@pytest.mark.parametrize("name", FILES)
def test_function_block_does_a_job_and_tells_of_it(name):
    pair = Pair(FILES[name])
    lead(pair)
    pair.scan()
    assert pair.v.xBusy
    assert pair.v.xStart
    pair.finish(Result.OK, (5, 0, 0, 0), 0)
    pair.scan()
    status = frames.decode_status(pair.v.aStatus)
    assert (status.ack, status.result, status.data[0]) == (status.done, Result.OK, 5)


@pytest.mark.parametrize(
    "old, new",
    [
        ("(uiSeq <= uiAckSeq)", "(uiSeq < uiAckSeq)"),
        ("(udiEpoch > udiOwnerEpoch)", "(udiEpoch >= udiOwnerEpoch)"),
        ("(WORD_TO_UINT(aCmd[4]) = uiBoot)", "TRUE"),
        ("(udiSilence < 2000)", "(udiSilence < 3000)"),
        ("(aCmd[15] = aCmd[2])", "TRUE"),
        ("        iState := 9;", "        iState := 2;"),
        ("    uiStateAck := uiSeq;", "    uiStateAck := 0;"),
    ],
)
def test_a_rule_that_the_text_breaks_is_noticed(old, new, monkeypatch):
    """The comparison above is worth something: each of these faults in the text makes it fail."""
    text = function_block(FILES["applicator"])
    assert text.count(old) >= 1
    monkeypatch.setitem(TEXTS, "applicator", text.replace(old, new))

    @settings(max_examples=1500, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    @given(orders=st.lists(ORDERS, min_size=5, max_size=25))
    def compare(orders):
        pair = Pair(FILES["applicator"])
        pair.scan()
        for order in orders:
            obey(pair, order)
            pair.scan()

    with pytest.raises(AssertionError):
        compare()


def test_a_plain_machine_has_no_function_block():
    with pytest.raises(Fault) as fault:
        function_block(shipped_machine("checkweigher"))
    assert fault.value.code == 4201
