"""Printer, scanners and cameras of the twin in the same process: what their drivers open, without a socket in between."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Protocol

from labeling.transport import CONNECT_S
from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.core.pictures import Still
from packline.core.scans import Scan
from simulation.mounts.tcp import RawDevice
from simulation.mounts.wire import Cord, Wire

EXPOSURE_S = 0.04
"""From the question to the exposure of the picture that answers it: a camera of 25 frames a second."""
MOST_KEPT = 64


class Picture(Protocol):
    """One picture of a camera: bytes of a file, its number, when its exposure began."""

    @property
    def jpeg(self) -> bytes: ...
    @property
    def frame(self) -> int: ...
    @property
    def captured_at(self) -> datetime: ...


class Shutter(Protocol):
    """What takes pictures."""

    async def shoot(self) -> Picture:
        """Take one now."""
        ...


class MemoryPlug:
    """Where a device is plugged in; pulled, whoever is connected hears of it at once."""

    def __init__(self) -> None:
        self.is_open = False
        self._leave: list[Callable[[], None]] = []

    async def open(self) -> str:
        """Plug it in."""
        self.is_open = True
        return "memory"

    async def close(self) -> None:
        """Pull it."""
        self.is_open = False
        leaving, self._leave = self._leave, []
        for leave in leaving:
            leave()

    def enter(self, leave: Callable[[], None]) -> None:
        """Connect; `leave` is called when the plug is pulled. Raises ConnectionRefusedError."""
        if not self.is_open:
            raise ConnectionRefusedError("connection refused")
        self._leave.append(leave)

    def forget(self, leave: Callable[[], None]) -> None:
        """Note that somebody hung up by himself."""
        if leave in self._leave:
            self._leave.remove(leave)


class Pipe:
    """Bytes on their way to one reader."""

    def __init__(self) -> None:
        self._data: deque[bytes] = deque()
        self._news = asyncio.Event()
        self.is_closed = False

    def put(self, data: bytes) -> None:
        """Send; what comes after the end is lost."""
        if not self.is_closed:
            self._data.append(data)
            self._news.set()

    def close(self) -> None:
        """End it: the reader hears of it behind what came before."""
        self.is_closed = True
        self._news.set()

    async def get(self) -> bytes:
        """Wait for bytes; raises ConnectionResetError at the end."""
        while not self._data:
            if self.is_closed:
                raise ConnectionResetError("the connection was closed")
            self._news.clear()
            await self._news.wait()
        data = b"".join(self._data)
        self._data.clear()
        return data


class MemoryPort:
    """A RawPort to a printer. One peer at a time, as on port 9100: the next one waits until the first has gone."""

    def __init__(
        self, printer: RawDevice, plug: MemoryPlug, wire: Wire, turn: asyncio.Lock, clock: Clock, cord: Cord
    ) -> None:
        self._printer, self._plug, self._wire, self._turn, self._clock = printer, plug, wire, turn, clock
        self._cord = cord
        cord.at_the_end(self._leave)
        self._pipe: Pipe | None = None
        self._has_turn = False

    async def connect(self, timeout_s: float = CONNECT_S) -> None:
        if self._cord.is_cut:
            raise ConnectionRefusedError("the cord is cut")
        pipe = self._pipe = Pipe()  # whoever leaves while he waits for his turn has none any more
        self._plug.enter(self._leave)
        try:
            await self._clock.within(timeout_s, self._turn.acquire())
        except TimeoutError:
            await self.close()
            raise
        self._has_turn = True
        if pipe.is_closed:
            self._let_go()
            raise ConnectionResetError("the printer went away")
        self._printer.connected(self._wire.late(pipe.put))

    async def send(self, data: bytes) -> None:
        self._open()
        await self._wire.carry_request()
        await self._printer.room()
        self._open()
        self._printer.receive(data)

    async def receive(self, timeout_s: float) -> bytes:
        return await self._clock.within(timeout_s, self._open().get())

    async def close(self) -> None:
        self._plug.forget(self._leave)
        self._leave()

    def _leave(self) -> None:
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.close()
        self._let_go()

    def _let_go(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._printer.disconnected()
            self._turn.release()

    def _open(self) -> Pipe:
        if self._pipe is None:
            raise ConnectionResetError("the port is not connected")
        return self._pipe


class MemoryLine:
    """A line of a scanner that listens: what it reads comes as text with an end, and any bytes to it trigger a read."""

    def __init__(self, plug: MemoryPlug, peers: list[Pipe], trigger: Callable[[], None]) -> None:
        self._plug, self._peers, self._trigger = plug, peers, trigger
        self._pipe: Pipe | None = None

    async def connect(self) -> None:
        pipe = Pipe()
        self._plug.enter(self._leave)
        self._pipe = pipe
        self._peers.append(pipe)

    async def send(self, data: bytes) -> None:
        self._open()
        self._trigger()

    async def receive(self) -> bytes:
        return await self._open().get()

    async def close(self) -> None:
        self._plug.forget(self._leave)
        self._leave()

    def _leave(self) -> None:
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            self._peers.remove(pipe)
            pipe.close()

    def _open(self) -> Pipe:
        if self._pipe is None:
            raise ConnectionResetError("the link is not connected")
        return self._pipe


class MemoryReader:
    """A fixed reader as the line's Scanner; with the plug pulled it is not connected, and what it reads is lost."""

    def __init__(self, name: str, plug: MemoryPlug, trigger: Callable[[], None], clock: Clock) -> None:
        self.name = name
        self._plug, self._trigger, self._clock = plug, trigger, clock
        self._texts: asyncio.Queue[str] = asyncio.Queue(MOST_KEPT)

    async def scans(self) -> AsyncIterator[Scan]:
        """Give scans for ever."""
        while True:
            text = await self._texts.get()
            symbology, text = (text[:3], text[3:]) if text.startswith("]") else ("", text)
            yield Scan(text=text, device=self.name, at=self._clock.now(), symbology=symbology)

    async def trigger(self) -> None:
        """Ask it to read again."""
        if self._plug.is_open:
            self._trigger()

    def is_connected(self) -> bool:
        """Tell whether scans would arrive now."""
        return self._plug.is_open

    def take(self, text: str) -> None:
        """Take what the device has read."""
        if self._plug.is_open and not self._texts.full():
            self._texts.put_nowait(text)


class MemoryCamera:
    """A camera as the line's Camera: every still is exposed after the question, but what the device does wrong."""

    def __init__(self, name: str, camera: Shutter, plug: MemoryPlug, wire: Wire, clock: Clock) -> None:
        self.name = name
        self._camera, self._plug, self._wire, self._clock = camera, plug, wire, clock

    async def still(self, timeout_s: float = 3.0) -> Still:
        """Give a frame; raises Fault 1005 when none comes in time."""
        try:
            return await self._clock.within(timeout_s, self._shoot())
        except (TimeoutError, OSError) as error:
            raise Fault(1005, where=f"camera {self.name}", seen="no answer", expected="a frame") from error

    async def _shoot(self) -> Still:
        if not self._plug.is_open:
            raise ConnectionRefusedError("connection refused")
        await self._wire.carry_request()
        await self._clock.sleep(EXPOSURE_S)
        shot = await self._camera.shoot()
        await self._wire.carry_answer()
        return Still(jpeg=shot.jpeg, camera=self.name, frame=shot.frame, captured_at=shot.captured_at)
