"""Two peers of the served plant, each in a process of its own: a bare Modbus server, and one whose plant SimPy's own clock paces."""

import asyncio
import json
import sys
import threading
from collections.abc import Generator
from typing import Any

import simpy
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from simpy.rt import RealtimeEnvironment

HEARTBEAT_S = 1.0
"""What the plant does when nothing else is to be done: the next event that SimPy's real-time clock sleeps to."""
WORDS = 200


class Paced:
    """A plant in a thread of its own; a write takes effect when the plant looks at it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: list[asyncio.Future[None]] = []
        self._env = RealtimeEnvironment(strict=False)
        self._env.process(self._beat())
        threading.Thread(target=self._env.run, daemon=True).start()

    async def write(self) -> None:
        """Wait until the plant has taken a write."""
        taken: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(taken)
        await taken

    def _beat(self) -> Generator[simpy.Event, Any, None]:
        while True:
            yield self._env.timeout(HEARTBEAT_S)
            waiting, self._waiting = self._waiting, []
            for taken in waiting:
                self._loop.call_soon_threadsafe(taken.set_result, None)


async def main(kind: str) -> None:
    plant = Paced() if kind == "realtime" else None

    async def act(_f: int, _s: int, _a: int, _c: int, _registers: Any, values: Any) -> None:
        if plant is not None and values is not None:
            await plant.write()

    unit = SimDevice(id=0, simdata=[SimData(0, count=WORDS, values=0, datatype=DataType.REGISTERS)], action=act)
    server = ModbusTcpServer(unit, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    listening: Any = server.transport
    print(json.dumps({"address": f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.shutdown()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
