"""A small plant for the tests, on ports that the system chooses, and tiny clients for its devices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

from PIL import Image

from labeling.content import LabelContent, ShipTo
from labeling.drawing import draw
from labeling.drivers import escpos
from packline.core.identity import Sscc
from plc.handshake import frames
from plc.handshake.frames import Command, Heartbeat, StateCommand, Status
from plc.machine_file import shipped_machine
from plc.packml import TOWARDS_EXECUTE, State
from simulation.spec import (
    CameraSpec,
    MachineSpec,
    PlantSpec,
    PrinterSpec,
    ScannerSpec,
    StationSpec,
    StockSpec,
)
from simulation.twin import Twin
from tests.waiting import eventually

ANY = "127.0.0.1:0"
PATIENCE_S = 20.0


def plant_spec(**changes: Any) -> PlantSpec:
    """Give the demo's plant in small."""
    parts: dict[str, Any] = {
        "machines": (
            MachineSpec(name="turntable-1", file=shipped_machine("turntable"), address=ANY, at="induct-1"),
            MachineSpec(name="packer-1", file=shipped_machine("packer"), address=f"opc.tcp://{ANY}", at="pack-1"),
            MachineSpec(name="arm-1", file=shipped_machine("applicator"), address=ANY, at="label-1"),
            MachineSpec(name="gate-1", file=shipped_machine("courier_gate"), address=ANY, at="gate-1"),
        ),
        "printers": (
            PrinterSpec(name="printer-1", address=ANY, at="label-1"),
            PrinterSpec(name="printer-bench", address=ANY, at="bench-1"),
        ),
        "cameras": (
            CameraSpec(name="cam-table", address=ANY, looks_at="induct-1"),
            CameraSpec(name="cam-verify", address=ANY, looks_at="label-1"),
            CameraSpec(name="cam-bench", address=ANY, looks_at="bench-1"),
        ),
        "scanners": (
            ScannerSpec(name="scan-induct", driver="tcp", address=ANY, at="induct-1"),
            ScannerSpec(name="scan-pack", driver="tcp", address=ANY, at="pack-1", fixed=True),
            ScannerSpec(
                name="scan-gate", driver="autoid", address=f"opc.tcp://{ANY}", at="gate-1", fixed=True, reads="label"
            ),
        ),
        "stations": (
            StationSpec(name="induct-1", kind="turntable"),
            StationSpec(name="pack-1", kind="pack", feeds="label-1"),
            StationSpec(name="label-1", kind="print_apply", lanes={1: "gate-1", 2: "hold-1", 3: "clarify-1"}),
            StationSpec(name="bench-1", kind="bench", run_by="person"),
            StationSpec(name="hold-1", kind="hold", run_by="person"),
            StationSpec(name="gate-1", kind="courier_gate"),
            StationSpec(name="clarify-1", kind="clarification", run_by="person"),
        ),
        "stock": (
            StockSpec(
                sku="TEA-250", name="龙井绿茶 Longjing 250 g", barcode="6901234567892", colour="#2f7d4f", count=5
            ),
            StockSpec(
                sku="MUG-1", name="Mug", barcode="6901234567908", size_mm=(110, 90, 100), colour="#aa3344", count=3
            ),
        ),
        "slots": ("H01", "H02"),
        "speed": 200.0,
        "first_plate": 1000,
    }
    return PlantSpec(**(parts | changes))


def without_opc_ua(spec: PlantSpec) -> PlantSpec:
    """Leave out what needs an OPC UA address space, whose building takes seconds."""
    return replace(
        spec,
        machines=tuple(m for m in spec.machines if m.file.machine.protocol != "opcua"),
        scanners=tuple(s for s in spec.scanners if s.driver != "autoid"),
    )


class Hand:
    """The shortest controller there is: claims a machine, keeps its heart beating, sends jobs and waits for their ends."""

    def __init__(self, read: Callable[[str], Awaitable[Any]], write: Callable[[str, Any], Awaitable[None]]) -> None:
        self._read = read
        self._write = write
        self._epoch = 0
        self._seq = 0
        self._beat = 0

    async def status(self) -> Status:
        return frames.decode_status(await self._read("STATUS"))

    async def take(self) -> None:
        """Claim the machine and lead it to Execute."""
        status = await self.status()
        self._epoch, self._seq = status.owner_epoch + 1, 0
        await self._write("CMD", frames.encode_command(frames.claim(self._epoch, status.boot, 4711)))
        for number in range(1, 8):
            await self.beat()
            status = await self.status()
            if status.state == State.EXECUTE:
                return
            command = StateCommand(epoch=self._epoch, seq=number, command=TOWARDS_EXECUTE[State(status.state)])
            await self._write("STATE", frames.encode_state_command(command))
        raise AssertionError(f"the machine stays in state {status.state}")

    async def beat(self) -> None:
        self._beat += 1
        await self._write("HB", frames.encode_heartbeat(Heartbeat(epoch=self._epoch, counter=self._beat)))

    async def start(self, code: int, *params: int, job: int = 99) -> Command:
        """Send a job."""
        self._seq += 1
        words = (*params, *(0,) * (8 - len(params)))
        command = Command(epoch=self._epoch, seq=self._seq, code=code, params=words, job=job)
        await self.beat()
        await self._write("CMD", frames.encode_command(command))
        return command

    async def do(self, code: int, *params: int) -> Status:
        """Send a job and wait for its end."""
        return await self.ended(await self.start(code, *params))

    async def ended(self, command: Command) -> Status:
        async def end() -> Status | None:
            await self.beat()
            status = await self.status()
            assert status.rej != command.id, f"refused: {status.rej_code}"
            return status if status.done == command.id else None

        return cast(Status, await eventually(end))


class RawModbus:
    """Modbus TCP in twenty lines, so that the server is not judged by its own library."""

    def __init__(self, address: str) -> None:
        self._host, _, port = address.partition(":")
        self._port = int(port)
        self._number = 0

    async def __aenter__(self) -> RawModbus:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def ask(self, pdu: bytes, unit: int = 1) -> bytes:
        """Send one request and give the answer's PDU."""
        self._number += 1
        head = self._number.to_bytes(2) + b"\0\0" + (len(pdu) + 1).to_bytes(2) + bytes((unit,))
        self._writer.write(head + pdu)
        async with asyncio.timeout(PATIENCE_S):
            answer = await self._reader.readexactly(7)
            body = await self._reader.readexactly(int.from_bytes(answer[4:6]) - 1)
        assert answer[:2] == self._number.to_bytes(2)
        return body

    async def read(self, first: int, count: int) -> tuple[int, ...]:
        body = await self.ask(b"\x03" + first.to_bytes(2) + count.to_bytes(2))
        assert body[0] == 3, body
        return tuple(int.from_bytes(body[i : i + 2]) for i in range(2, len(body), 2))

    async def write(self, first: int, words: Any) -> None:
        data = b"".join(word.to_bytes(2) for word in words)
        body = await self.ask(b"\x10" + first.to_bytes(2) + len(words).to_bytes(2) + bytes((len(data),)) + data)
        assert body[0] == 0x10, body

    def hand(self) -> Hand:
        """Give a controller's hand over this connection, for the register map of the shipped files."""
        places = {"CMD": 0, "HB": 16, "STATE": 20, "STATUS": 100}
        return Hand(
            lambda block: self.read(places[block], frames.BLOCK_WORDS[block]),
            lambda block, words: self.write(places[block], words),
        )


async def raw_exchange(address: str, data: bytes, answer_bytes: int) -> bytes:
    """Send bytes to a raw port and give that many bytes of its answer."""
    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(data)
        async with asyncio.timeout(PATIENCE_S):
            return await reader.readexactly(answer_bytes)
    finally:
        writer.close()


def label_bitmap(lpn: str, number: int) -> Image.Image:
    """Draw the label of carton `lpn` with print number `number`."""
    to = ShipTo(recipient="李小明", lines=("文三路 269 号",), city="杭州", country="CN", postcode="310012")
    sscc = Sscc.build(0, "9521321", number).text
    return draw(
        LabelContent(lpn=lpn, sscc=sscc, print_number=number, merchant="山茶花 Camellia", order_ref="HM-1", ship_to=to)
    )


def label_job(lpn: str, number: int, process_id: bytes = b"0001") -> bytes:
    """Give the ESC/POS bytes that print that label, of a host that does not ask to be told of changes."""
    return escpos.job(label_bitmap(lpn, number), process_id).replace(escpos.TELL_CHANGES, b"", 1)


class Served:
    """A running twin and where its devices listen."""

    def __init__(self, twin: Twin, addresses: dict[str, str]) -> None:
        self.twin = twin
        self.addresses = addresses
        self.floor = twin.floor
        self.truth = twin.truth

    async def fault(self, device: str, fault: str, **how: Any) -> None:
        await self.twin.misbehaviour.fault(device, fault, **how)

    async def mend(self, device: str = "") -> None:
        await self.twin.misbehaviour.mend(device)


async def running(spec: PlantSpec) -> AsyncIterator[Served]:
    twin = Twin(spec)
    devices = await twin.start()
    try:
        yield Served(twin, {device.name: device.address for device in devices})
    finally:
        await twin.stop()
