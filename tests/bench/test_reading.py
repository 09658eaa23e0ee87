"""What it costs to read many values, beside pymodbus and asyncua alone and beside a client in C."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, cast

import pytest
from asyncua import Client, ua
from asyncua.common.subscription import DataChangeEvent
from pymodbus.client import AsyncModbusTcpClient

from packline.core.clock import LoopClock
from packline.core.files import parse
from plc.drivers.modbus import ModbusLink
from plc.drivers.opcua import OpcUaLink
from plc.links import Area, NodeId, NodeValue, RegisterLink
from plc.machine_file import MachineFile
from plc.tag_side import tag_set
from plc.tags.plan import plan
from plc.tags.register_reader import RegisterReader
from tests.bench.children import child
from tests.bench.gauge import ROUNDS, Figure, Round, figure, in_turns
from tests.bench.values import COUNT, NAMESPACE
from tests.peers.foreign import built_or_skipped

pytestmark = pytest.mark.bench

Tell = Callable[[Figure], None]
READS = 100
REGISTERS = 100
SCATTERED = 200
DEVICES, HERTZ, SECONDS = 100, 10, 5
AIM_MISSED_PCT = 0.1
TRANSPORTS = ("pymodbus", "lean")
PYMODBUS, LIBMODBUS = "pymodbus: the same read by its own async client", "libmodbus: the same read by a client in C"


# -- Modbus ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def libmodbus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the client and server in C."""
    return built_or_skipped(tmp_path_factory.mktemp("libmodbus"))


@pytest.fixture(scope="module")
def port(libmodbus: Path) -> Iterator[int]:
    """Serve 256 registers from C."""
    with subprocess.Popen([libmodbus, "serve"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield int(json.loads(server.stdout.readline())["port"])
        finally:
            server.kill()


def modbus_file(tags: Mapping[str, Mapping[str, Any]], transport: str = "pymodbus", **limits: Any) -> MachineFile:
    """Give a machine of plain words."""
    head = {"model": "m", "title": "m", "source": "bench", "protocol": "modbus", "address_base": 0, "poll_ms": 100}
    head |= {"transport": transport, "request_timeout_ms": 10_000}  # a busy computer connects a hundred times slowly
    return parse({"machine": head, "handshake": {"kind": "none"}, "limits": limits, "tags": tags}, MachineFile, "bench")


def words(addresses: range) -> dict[str, dict[str, Any]]:
    """Give one u16 a register."""
    return {f"w{at}": {"address": at, "area": "holding", "type": "u16"} for at in addresses}


def numbers(addresses: range) -> dict[str, dict[str, Any]]:
    """Give one scaled number with a range a register."""
    part = {"area": "holding", "type": "i16", "scale": 0.1, "range": (-3000, 3000)}
    return {f"n{at}": {"address": at, **part} for at in addresses}


class Shifting:
    """Reads by turns from two places, so that every word of an answer differs from the one before."""

    def __init__(self, link: ModbusLink) -> None:
        self._link, self._shift = link, 0

    async def read_registers(self, area: Area, start: int, count: int) -> Sequence[int]:
        """Read from `start` or from the next register."""
        self._shift ^= 1
        return await self._link.read_registers(area, start + self._shift, count)


@asynccontextmanager
async def linked(file: MachineFile, port: int) -> AsyncIterator[ModbusLink]:
    link = ModbusLink(file, f"127.0.0.1:{port}")
    await link.connect()
    try:
        yield link
    finally:
        await link.close()


@asynccontextmanager
async def bare(port: int) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=5, retries=0)
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


def in_c(program: Path, port: int, times: int) -> dict[str, float]:
    """Let the client in C read; gives its median and processor time of one read, in seconds."""
    order = [str(program), "repeat", str(port), "1", "0", str(REGISTERS), str(times)]
    told = json.loads(subprocess.run(order, check=True, capture_output=True, text=True).stdout)
    return {name.removesuffix("_us"): value / 1e6 for name, value in told.items()}


async def cpu_in_turns(ours: Round, peer: Round, *, things: int) -> tuple[list[float], list[float]]:
    """Give what processor time one thing costs this process, of each round."""
    taken: dict[Round, list[float]] = {ours: [], peer: []}
    for number in range(ROUNDS + 1):
        for work in (ours, peer) if number % 2 else (peer, ours):
            begun = process_time()
            await work()
            if number:
                taken[work].append((process_time() - begun) / things)
    return taken[ours], taken[peer]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_hundred_registers_are_read_in_one_request(port: int, libmodbus: Path, tell: Tell, transport: str):
    file = modbus_file(words(range(REGISTERS)), transport)
    async with linked(file, port) as link, bare(port) as client:

        async def ours() -> None:
            for _ in range(READS):
                assert (await link.read_registers(Area.HOLDING, 0, REGISTERS))[99] == 99

        theirs = reads(client)
        wall = await in_turns(ours, theirs, things=READS)
        cpu = await cpu_in_turns(ours, theirs, things=READS)
    c = [in_c(libmodbus, port, 1000) for _ in range(ROUNDS)]
    told = f"100 registers in one Modbus read, transport {transport}"
    for name, mine, peer, peer_name in (
        ("wall time", wall[0], wall[1], PYMODBUS),
        ("wall time", wall[0], [run["p50"] for run in c], LIBMODBUS),
        ("processor time", cpu[0], cpu[1], PYMODBUS),
        ("processor time", cpu[0], [run["cpu"] for run in c], LIBMODBUS),
    ):
        tell(figure(f"{told}, {name}", ours=mine, peer=peer, peer_name=peer_name, unit="us/read"))


def reads(client: AsyncModbusTcpClient) -> Round:
    """Give the bare work of pymodbus' client."""

    async def theirs() -> None:
        for _ in range(READS):
            answer = await client.read_holding_registers(0, count=REGISTERS, device_id=1)
            assert answer.registers[99] == 99

    return theirs


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("changes", ["none", "all"])
@pytest.mark.parametrize("kind", ["plain", "scaled"])
async def test_a_hundred_tags_of_one_request_are_decoded_and_kept(
    port: int, tell: Tell, transport: str, changes: str, kind: str
):
    make = words if kind == "plain" else numbers
    whole, file = modbus_file(make(range(REGISTERS + 1)), transport), modbus_file(make(range(REGISTERS)))
    async with linked(whole, port) as link, bare(port) as client:
        source = link if changes == "none" else cast("RegisterLink", Shifting(link))
        reader = RegisterReader(tag_set(file), source, LoopClock())
        first = next(iter(file.tags))

        async def ours() -> None:
            for _ in range(READS):
                reader.want([first])
                await reader.step()
            assert reader.store.get(first, LoopClock().monotonic()).is_good

        cpu = await cpu_in_turns(ours, reads(client), things=READS)
    name = f"100 {kind} tags read, decoded, kept with quality and time, {changes} changed, transport {transport}"
    tell(figure(f"{name}, processor time", ours=cpu[0], peer=cpu[1], peer_name=PYMODBUS, unit="us/read"))


async def test_scattered_tags_are_read_in_few_requests(port: int, tell: Tell):
    tags = words(range(250))
    scattered = {name: tag for n, (name, tag) in enumerate(tags.items()) if n % 5 != 3}  # 200 tags with holes between
    file = modbus_file(scattered, max_gap=4)
    requests = plan(file.wired.values(), file.limits).requests
    assert len(scattered) == SCATTERED
    assert len(requests) * 10 <= SCATTERED
    async with linked(file, port) as link, bare(port) as client:
        reader = RegisterReader(tag_set(file), link, LoopClock())

        async def ours() -> None:
            reader.want(file.tags)
            for _ in requests:
                await reader.step()
            assert reader.store.get("w249", LoopClock().monotonic()).value == 249

        async def one_by_one() -> None:
            for tag in file.wired.values():
                answer = await client.read_holding_registers(tag.start, count=1, device_id=1)
                assert answer.registers[0] == tag.start

        wall = await in_turns(ours, one_by_one, things=1)
        cpu = await cpu_in_turns(ours, one_by_one, things=1)
    peer_name = "pymodbus: one request a tag"
    told = f"{SCATTERED} scattered tags in {len(requests)} requests"
    tell(figure(f"{told}, wall time", ours=wall[0], peer=wall[1], peer_name=peer_name, unit="ms"))
    tell(figure(f"{told}, processor time", ours=cpu[0], peer=cpu[1], peer_name=peer_name, unit="ms"))
    tell(
        Figure(
            figure=f"requests for {SCATTERED} scattered tags",
            ours=len(requests),
            peer=SCATTERED,
            peer_name="one a tag",
            unit="requests",
        )
    )


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_hundred_devices_are_polled_ten_times_a_second(port: int, libmodbus: Path, tell: Tell, transport: str):
    file = modbus_file(words(range(REGISTERS)), transport)
    clock, scans = LoopClock(), HERTZ * SECONDS
    async with AsyncExitStack() as stack:
        links = [await stack.enter_async_context(linked(file, port)) for _ in range(DEVICES)]
        readers = [RegisterReader(tag_set(file), link, clock) for link in links]
        begins_at, missed = clock.monotonic() + 0.5, 0

        async def poll(reader: RegisterReader, offset_s: float) -> None:
            """Read all tags at each beat; a beat whose answer is not here when the next one comes is missed."""
            nonlocal missed
            for beat in range(scans):
                at = begins_at + offset_s + beat / HERTZ
                await clock.sleep(max(0.0, at - clock.monotonic()))
                reader.want(["w0"])
                await reader.step()
                missed += clock.monotonic() > at + 1 / HERTZ
            assert reader.store.get("w99", clock.monotonic()).value == 99

        cpu = process_time()
        await asyncio.gather(*(poll(reader, n / DEVICES / HERTZ) for n, reader in enumerate(readers)))
        cpu = process_time() - cpu
    told = f"{DEVICES} devices polled at {HERTZ} Hz, 100 tags each, transport {transport}"
    missed_pct = 100 * missed / (scans * DEVICES)
    unit = "% of scans missed"
    tell(Figure(figure=told, ours=missed_pct, peer=AIM_MISSED_PCT, peer_name="the aim", unit=unit))
    c = median(in_c(libmodbus, port, 1000)["cpu"] for _ in range(5)) * DEVICES * HERTZ
    tell(figure(f"{told}, of one core", ours=[cpu / SECONDS], peer=[c], peer_name=LIBMODBUS, unit="s/s"))


# -- OPC UA ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve a thousand values."""
    with child("tests.bench.values") as said:
        yield said["url"]


def patient(url: str) -> Client:
    """Give asyncua's own client, which does not give up on a busy computer."""
    return Client(url, timeout=30, watchdog_intervall=30)


def opcua_file(count: int) -> MachineFile:
    head: dict[str, Any] = {"model": "m", "title": "m", "source": "bench", "protocol": "opcua", "namespace": NAMESPACE}
    tags = {f"v{n}": {"node": f"s=V{n}", "type": "u16"} for n in range(count)}
    return parse({"machine": head, "handshake": {"kind": "none"}, "tags": tags}, MachineFile, "bench")


async def test_a_hundred_values_are_read_in_one_call(url: str, tell: Tell):
    places: list[NodeId] = [(NAMESPACE, f"s=V{n}") for n in range(100)]
    link = OpcUaLink(opcua_file(100), url)
    await link.connect()
    async with patient(url) as client:
        index = await client.get_namespace_index(NAMESPACE)
        nodes = [client.get_node(f"ns={index};s=V{n}") for n in range(100)]

        async def ours() -> None:
            for _ in range(20):
                assert all(value.is_good for value in await link.read_nodes(places))

        async def theirs() -> None:
            for _ in range(20):
                assert len(await client.read_values(nodes)) == 100

        wall = await in_turns(ours, theirs, things=20)
        cpu = await cpu_in_turns(ours, theirs, things=20)
    await link.close()
    peer_name = "asyncua: read_values of the same nodes"
    told = "100 OPC UA values in one call, with quality and time"
    tell(figure(f"{told}, wall time", ours=wall[0], peer=wall[1], peer_name=peer_name, unit="ms/call"))
    tell(figure(f"{told}, processor time", ours=cpu[0], peer=cpu[1], peer_name=peer_name, unit="ms/call"))


class Changes:
    """Changes all values and waits until each was told once."""

    def __init__(self, control: Client, index: int) -> None:
        self._go = control.get_node(f"ns={index};s=Go")
        self._number = 0
        self._told: set[object] = set()
        self._all = asyncio.Event()

    def tell(self, place: object, value: object) -> None:
        if value == self._number:
            self._told.add(place)
            if len(self._told) == COUNT:
                self._all.set()

    async def change(self) -> None:
        self._number += 1
        self._told.clear()
        self._all.clear()
        await self._go.write_value(self._number, ua.VariantType.UInt16)
        async with asyncio.timeout(60):
            await self._all.wait()


@asynccontextmanager
async def our_items(url: str, changes: Changes) -> AsyncIterator[None]:
    link = OpcUaLink(opcua_file(COUNT), url)
    await link.connect()

    def hear(place: NodeId, value: NodeValue) -> None:
        changes.tell(place, value.value)

    await link.subscribe([(NAMESPACE, f"s=V{n}") for n in range(COUNT)], hear, publish_ms=50, sample_ms=20)
    try:
        yield
    finally:
        await link.close()


@asynccontextmanager
async def their_items(url: str, changes: Changes) -> AsyncIterator[None]:
    async with patient(url) as client:
        index = await client.get_namespace_index(NAMESPACE)
        subscription = await client.create_subscription(50, queue_maxsize=4 * COUNT)
        nodes = [client.get_node(f"ns={index};s=V{n}") for n in range(COUNT)]
        await subscription.subscribe_data_change(nodes, queuesize=10)

        async def listen() -> None:
            async for event in subscription:
                assert isinstance(event, DataChangeEvent)
                changes.tell(event.node.nodeid, event.value)

        task = asyncio.ensure_future(listen())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})


async def test_a_thousand_monitored_items_tell_each_change(url: str, tell: Tell):
    taken: dict[str, list[float]] = {"ours": [], "theirs": []}
    async with patient(url) as control:
        changes = Changes(control, await control.get_namespace_index(NAMESPACE))
        for _ in range(3):
            for name, items in (("ours", our_items), ("theirs", their_items)):
                async with items(url, changes):
                    await changes.change()
                    for _ in range(3):
                        begun = process_time()
                        await changes.change()
                        taken[name].append((process_time() - begun) / COUNT)
    told = f"{COUNT} monitored OPC UA items, one change told, processor time"
    peer_name = "asyncua: its subscription as an iterator"
    tell(figure(told, ours=taken["ours"], peer=taken["theirs"], peer_name=peer_name, unit="us/change"))
