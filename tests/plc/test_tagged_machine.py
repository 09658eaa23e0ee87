"""A machine with tags, under a clock that the test moves: expected first, then fresh or not believed, written under leases."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncIterator

import pytest

from packline.core.clock import ManualClock
from packline.core.faults import Fault
from packline.core.files import parse
from plc.links import Area, LinkDown, LinkRefused, LinkSilent, NodeValue
from plc.machine_file import MachineFile, machines_folder
from plc.machine_view import Quality
from plc.memory_link import MemoryNodes, MemoryTables
from plc.tag_side import tag_set
from plc.tags.node_reader import NodeReader
from tests.plc.conftest import Bench, Controller

TAGS = """
[tags]
model_no = { address = 200, area = "input", type = "u16", poll = "once" }
eye      = { address = 3, area = "discrete", type = "bool" }
weight_g = { address = 300, area = "holding", type = "i32", scale = 0.1, range = [0, 5000], sentinels = [0x80000000], unit = "g" }
speed    = { address = 310, area = "holding", type = "u16", access = "rw", range = [0, 3000] }
lamp     = { address = 7, area = "coil", type = "bool", access = "rw", safe = false }
starts   = { address = 320, area = "holding", type = "u16", poll = "slow" }
[expect]
model = { tag = "model_no", equals = 42 }
[capability]
carton_present = "eye"
"""


def tagged_file(text: str = TAGS) -> MachineFile:
    raw = tomllib.loads((machines_folder() / "applicator.toml").read_text("utf-8"))
    return parse({**raw, **tomllib.loads(text)}, MachineFile, "tagged")


class Slowly(MemoryTables):
    """Tables whose every read takes 20 ms of the test's clock."""

    def __init__(self, tables: MemoryTables, clock: ManualClock) -> None:
        super().__init__(words=tables.words)
        self.clock = clock

    def read(self, area: Area, start: int, count: int) -> list[int]:
        self.clock.advance(0.02)
        return super().read(area, start, count)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench(tagged_file())
    yield made
    await made.close()


def furnished(bench: Bench, **given) -> Controller:
    controller = bench.controller(**given)
    put = controller.link.tables.put
    put(Area.INPUT, 200, [42])
    put(Area.DISCRETE, 3, [1])
    put(Area.HOLDING, 300, [0, 1234])
    return controller


async def ready(bench: Bench) -> Controller:
    controller = furnished(bench)
    await bench.do(controller.machine.make_ready())
    return controller


async def test_view_carries_tags_with_quality_and_the_parts_they_play(bench):
    controller = await ready(bench)
    view = controller.machine.view()
    assert view.tags["weight_g"].value == pytest.approx(123.4)
    assert view.tags["carton_present"].value is True
    assert view.inputs["carton_present"] == 1
    assert view.inputs["parcel_present"] == 0  # the words of STATUS are still there
    assert all(
        view.tags[name].is_good and view.tags[name].boot == view.boot for name in ("eye", "weight_g", "model_no")
    )


async def test_nothing_is_written_to_a_machine_that_is_not_what_its_file_says(bench):
    controller = furnished(bench)
    controller.link.tables.put(Area.INPUT, 200, [43])
    await bench.run_for(3)
    assert controller.link.written == []
    assert controller.link.tables.writes == []
    reason = controller.machine.view().reason()
    assert reason is not None
    assert (reason.code, reason.seen, reason.expected) == (1010, "model_no = 43", "42")
    controller.link.tables.put(Area.INPUT, 200, [42])
    await bench.do(controller.machine.make_ready())
    assert 1010 not in controller.machine.view().faults


async def test_expectation_that_cannot_be_read_refuses_too(bench):
    controller = furnished(bench)
    controller.link.tables.holes.add((Area.INPUT, 200))
    await bench.run_for(3)
    assert controller.link.written == []
    assert controller.machine.view().faults == (1010,)


async def test_expectations_are_looked_at_again_after_each_connect(bench):
    controller = await ready(bench)
    controller.link.faults.is_cut = True
    await bench.until(lambda: 1001 in controller.machine.view().faults)
    controller.link.tables.put(Area.INPUT, 200, [7])
    controller.link.faults.is_cut = False
    await bench.until(lambda: 1010 in controller.machine.view().faults)


async def test_picture_is_not_good_while_a_part_of_it_is_bad(bench):
    bench.file = tagged_file(TAGS + 'weight = "weight_g"\n')
    controller = await ready(bench)
    controller.link.tables.put(Area.HOLDING, 300, [0x8000, 0])
    await bench.until(lambda: not controller.machine.view().is_good)
    view = controller.machine.view()
    assert (view.quality, view.tags["weight"].value, view.faults) == (Quality.BAD, None, (1009,))
    fault = view.reason()
    assert fault is not None
    assert "no value" in fault.seen
    controller.link.tables.put(Area.HOLDING, 300, [0, 10])
    await bench.until(lambda: controller.machine.view().is_ready)


async def test_tag_that_nobody_stands_on_may_be_bad(bench):
    controller = await ready(bench)
    controller.link.tables.put(Area.HOLDING, 300, [0x8000, 0])
    await bench.until(lambda: controller.machine.view().tags["weight_g"].quality is Quality.BAD)
    assert controller.machine.view().is_ready


async def test_tags_are_stale_as_soon_as_the_link_is_lost(bench):
    controller = await ready(bench)
    controller.link.faults.is_cut = True
    await bench.until(lambda: not controller.machine.view().tags["eye"].is_good, 0.3)
    seen = controller.machine.view().tags["eye"]
    assert (seen.quality, seen.value) == (Quality.STALE, True)
    assert not controller.machine.view().is_good


async def test_restart_of_the_machine_is_noticed_and_its_tags_are_read_anew(bench):
    controller = await ready(bench)
    boot = controller.machine.view().boot
    before = len(controller.link.tables.reads)
    bench.plant.boot()
    await bench.until(lambda: controller.machine.view().boot != boot)
    await bench.run_for(0.3)
    view = controller.machine.view()
    assert view.tags["model_no"].boot == view.boot  # read once, but once for each start
    assert (Area.INPUT, 200, 1) in controller.link.tables.reads[before:]


async def test_status_goes_on_being_read_while_more_tags_are_due_than_there_is_time_for(bench):
    tags = "".join(f"t{n} = {{ address = {400 + 2 * n}, area = 'holding', type = 'u16' }}\n" for n in range(30))
    crowded = Bench(tagged_file(TAGS.replace("[tags]", "[tags]\n" + tags)))
    controller = furnished(crowded)
    controller.link.tables = Slowly(controller.link.tables, crowded.clock)
    await crowded.do(controller.machine.make_ready())
    ages = []
    for _ in range(100):
        await crowded.step()
        ages.append(controller.machine.view().age_s)
    assert max(ages) < 0.3
    assert controller.machine.view().owned  # its heartbeat came in time
    assert all(
        value.value is not None for name, value in controller.machine.view().tags.items() if name.startswith("t")
    )
    await crowded.close()


async def test_look_gives_parts_that_were_read_after_it_was_asked_for():
    crowd = "".join(f"t{n} = {{ address = {400 + 2 * n}, area = 'holding', type = 'u16' }}\n" for n in range(30))
    text = TAGS.replace('type = "bool" }\nweight', 'type = "bool", poll = "slow" }\nweight').replace(
        "[tags]", "[tags]\n" + crowd
    )
    raw = tomllib.loads((machines_folder() / "applicator.toml").read_text("utf-8"))
    raw["machine"]["slow_poll_ms"] = 20_000
    bench = Bench(parse({**raw, **tomllib.loads(text)}, MachineFile, "tagged"))
    controller = await ready(bench)
    controller.link.tables = Slowly(controller.link.tables, bench.clock)
    await bench.run_for(1.0)
    controller.link.tables.put(Area.DISCRETE, 3, [0])
    await bench.run_for(0.5)
    assert controller.machine.view().inputs["carton_present"] == 1
    view = await bench.do(controller.machine.look())
    assert view.inputs["carton_present"] == 0
    await bench.close()


async def test_slow_tags_are_read_seldom_and_are_not_stale_between(bench):
    controller = await ready(bench)
    controller.link.tables.reads.clear()
    await bench.run_for(3.0)
    reads = [start for _, start, _ in controller.link.tables.reads]
    assert 2 <= reads.count(320) <= 4
    assert reads.count(3) > 30
    assert 200 not in reads
    assert controller.machine.view().tags["starts"].is_good


async def test_merged_read_that_a_hole_refuses_is_split_and_stays_so():
    bench = Bench(tagged_file(TAGS.replace("[expect]", "[limits]\nmax_gap = 20\n[expect]")))
    controller = furnished(bench)
    controller.link.tables.holes.add((Area.HOLDING, 305))
    await bench.do(controller.machine.make_ready())
    await bench.run_for(0.5)
    assert controller.machine.view().tags["weight_g"].is_good
    controller.link.tables.reads.clear()
    await bench.run_for(1.0)
    assert (Area.HOLDING, 300, 11) not in controller.link.tables.reads
    await bench.close()


# -- writing -----------------------------------------------------------------------------------------------------------


async def test_tag_is_written_once_and_read_back(bench):
    controller = await ready(bench)
    await bench.do(controller.machine.write("speed", 77))
    assert controller.link.tables.writes[-1] == (Area.HOLDING, 310, (77,))
    await bench.until(lambda: controller.machine.view().tags["speed"].value == 77)


@pytest.mark.parametrize(
    "name, value, lease",
    [
        ("eye", 1, None),
        ("speed", 70_000, None),
        ("speed", 3_001, None),
        ("speed", "x", None),
        ("lamp", True, None),
        ("speed", 1, 2.0),
        ("none", 1, None),
    ],
)
async def test_write_that_the_file_does_not_allow_is_refused_before_anything_leaves(bench, name, value, lease):
    controller = await ready(bench)
    controller.link.tables.writes.clear()
    with pytest.raises((Fault, LinkRefused)):
        await bench.do(controller.machine.write(name, value, lease_s=lease))
    assert controller.link.tables.writes == []


async def test_nothing_is_written_to_a_machine_of_another_owner(bench):
    first = await ready(bench)
    second = furnished(bench, owner_id=78)
    await bench.until(lambda: second.machine.view().owned)
    await bench.until(lambda: not first.machine.view().owned)
    with pytest.raises(Fault):
        await bench.do(first.machine.write("speed", 5))


async def test_controller_that_lost_the_machine_does_not_even_write_its_safe_values(bench):
    first = await ready(bench)
    await bench.do(first.machine.write("lamp", True, lease_s=0.5))
    second = furnished(bench, owner_id=78)
    await bench.until(lambda: second.machine.view().owned and not first.machine.view().owned)
    first.link.tables.writes.clear()
    await bench.run_for(1.0)
    assert first.link.tables.writes == []


async def test_write_that_is_not_answered_says_so_and_is_not_repeated(bench):
    controller = await ready(bench)
    controller.link.faults.is_silent = True
    with pytest.raises((LinkSilent, Fault)):
        await bench.do(controller.machine.write("speed", 9))
    controller.link.faults.is_silent = False
    await bench.do(controller.machine.make_ready())
    assert [w for w in controller.link.tables.writes if w[1] == 310] == []


async def test_output_gets_its_safe_value_when_its_lease_ends(bench):
    controller = await ready(bench)
    await bench.do(controller.machine.write("lamp", True, lease_s=1.0))
    assert controller.link.tables.words[Area.COIL, 7] == 1
    await bench.run_for(0.8)
    await bench.do(controller.machine.write("lamp", True, lease_s=1.0))
    await bench.run_for(0.8)
    assert controller.link.tables.words[Area.COIL, 7] == 1
    await bench.run_for(0.4)
    assert controller.link.tables.words[Area.COIL, 7] == 0


async def test_output_gets_its_safe_value_when_the_logic_falls_silent(bench):
    controller = await ready(bench)
    await bench.do(controller.machine.write("lamp", True, lease_s=60.0))
    controller.is_ticking = False
    await bench.run_for(0.2)
    assert controller.link.tables.words[Area.COIL, 7] == 0


async def test_output_gets_its_safe_value_when_the_controller_leaves_or_comes_back(bench):
    controller = await ready(bench)
    await bench.do(controller.machine.write("lamp", True, lease_s=60.0))
    controller.task.cancel()
    await asyncio.wait({controller.task})
    assert controller.link.tables.words[Area.COIL, 7] == 0

    again = bench.controller(books=controller.books)
    again.link.tables = controller.link.tables
    again.link.tables.put(Area.COIL, 7, [1])  # a controller that was killed left it on
    await bench.do(again.machine.make_ready())
    await bench.run_for(0.1)
    assert again.link.tables.words[Area.COIL, 7] == 0


async def test_output_whose_lease_is_over_before_it_is_written_is_not_on_for_a_moment(bench):
    controller = await ready(bench)
    controller.link.tables.writes.clear()
    controller.is_ticking = False
    with pytest.raises(LinkSilent):
        await bench.do(controller.machine.write("lamp", True, lease_s=60.0))
    await bench.run_for(0.5)
    assert all(words == (0,) for area, at, words in controller.link.tables.writes if (area, at) == (Area.COIL, 7))


async def test_output_whose_safe_value_was_refused_gets_it_when_the_controller_leaves(bench):
    controller = await ready(bench)
    tables = controller.link.tables
    await bench.do(controller.machine.write("lamp", True, lease_s=0.3))
    await bench.until(lambda: tables.words[Area.COIL, 7] == 1)
    tables.holes.add((Area.COIL, 7))
    await bench.run_for(0.4)
    tables.holes.clear()
    controller.task.cancel()
    await asyncio.wait({controller.task})
    assert tables.words[Area.COIL, 7] == 0


# -- OPC UA ------------------------------------------------------------------------------------------------------------

NODES = """
[tags]
speed = { node = "M.Speed", type = "f64" }
count = { node = "M.Count", type = "u32" }
text  = { node = "M.Text", type = "string", poll = "slow" }
[limits]
max_nodes = 2
"""
SPEED, COUNT, TEXT = [("urn:packline:machine", f"s=M.{name}") for name in ("Speed", "Count", "Text")]


@pytest.fixture
async def nodes() -> tuple[ManualClock, MemoryNodes, NodeReader]:
    raw = tomllib.loads((machines_folder() / "packer.toml").read_text("utf-8"))
    file = parse({**raw, **tomllib.loads(NODES)}, MachineFile, "nodes")
    clock = ManualClock()
    link = MemoryNodes(clock=clock)
    link.values = {SPEED: NodeValue(value=1.5), COUNT: NodeValue(value=3), TEXT: NodeValue(value="a")}
    await link.connect()
    reader = NodeReader(tag_set(file), link, clock)
    await reader.begin()
    return clock, link, reader


async def steps(clock: ManualClock, reader: NodeReader, seconds: float) -> None:
    for _ in range(round(seconds / 0.05)):
        clock.advance(0.05)
        await reader.step()


async def test_fast_nodes_are_subscribed_and_slow_ones_read_in_one_call(nodes):
    clock, link, reader = nodes
    assert link.subscribed == [(2, 50, 20)]
    await steps(clock, reader, 0.2)
    assert set(link.reads) == {(SPEED, COUNT), (TEXT,)}
    assert [reader.store.get(name, clock.monotonic()).value for name in ("speed", "count", "text")] == [1.5, 3, "a"]
    link.put(COUNT, 4)
    assert reader.store.get("count", clock.monotonic()).value == 4


async def test_unchanged_node_stays_good_as_long_as_publishes_come(nodes):
    clock, link, reader = nodes
    await steps(clock, reader, 4.0)
    assert reader.store.get("speed", clock.monotonic()).is_good
    link.publishes = False
    with pytest.raises(LinkSilent):
        await steps(clock, reader, 2.0)
    assert not reader.store.get("speed", clock.monotonic()).is_good


async def test_reader_asks_to_be_called_so_often_that_an_unchanged_node_is_good_all_the_time(nodes):
    clock, _link, reader = nodes
    await reader.step()
    while clock.monotonic() < 12.0:
        clock.advance(max(reader.due_at() - clock.monotonic(), 0.001))
        assert reader.store.get("speed", clock.monotonic()).is_good
        await reader.step()


async def test_node_that_cannot_be_watched_is_read_as_often_as_it_would_be_told(nodes):
    clock, link, reader = nodes
    link.values[COUNT] = NodeValue(value=3)
    await link.connect()
    link.unwatched = {COUNT}
    await reader.begin()
    await reader.step()
    link.reads.clear()
    await steps(clock, reader, 1.0)
    assert link.reads.count((COUNT,)) >= 15
    link.put(COUNT, 4)
    await steps(clock, reader, 0.2)
    assert reader.store.get("count", clock.monotonic()).value == 4
    assert reader.store.get("speed", clock.monotonic()).is_good


async def test_subscription_that_lives_but_tells_nothing_is_found_out(nodes):
    clock, link, reader = nodes
    await steps(clock, reader, 6.0)
    link.is_deaf = True
    link.put(COUNT, 99)
    with pytest.raises(LinkDown, match="count"):
        await steps(clock, reader, 12.0)


async def test_node_of_the_wrong_type_or_unknown_is_bad(nodes):
    clock, link, reader = nodes
    link.put(SPEED, "fast")
    del link.values[TEXT]
    await steps(clock, reader, 1.5)
    assert reader.store.get("speed", clock.monotonic()).quality is Quality.BAD
    assert reader.store.get("text", clock.monotonic()).reason == "BadNodeIdUnknown"


async def test_node_is_written_with_its_own_type(nodes):
    _, link, reader = nodes
    with pytest.raises(ValueError):
        await reader.write("count", -1)
    await reader.write("count", 7)
    assert link.written == [{COUNT: (7, "u32")}]
