"""What a foreign client waits for when it writes to the served plant; and whether time that runs faster still tells the truth."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from statistics import median, quantiles
from time import perf_counter
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient

from tests.bench.children import ROOT, child, environment
from tests.bench.gauge import Figure

pytestmark = pytest.mark.bench

Tell = Callable[[Figure], None]
WRITES, FEW = 400, 12
"""To the plant that SimPy's own clock paces each takes about a second."""
ZEROS = [0] * 16
"""A block without a checksum: the plant's machine looks at it and does nothing."""
ORDERS, FACTOR = 8, 5


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[str, str]]:
    """Serve the plant and both peers; gives where a client writes to."""
    words = ("sim", "serve", "--free", "--modbus", "0", "--opcua", "0", "--json")
    with (
        child("controller", *words) as ready,
        child("tests.bench.writes", "bare") as bare,
        child("tests.bench.writes", "realtime") as realtime,
    ):
        table = {machine["name"]: machine["address"] for machine in ready["machines"]}
        yield {"ours": table["turntable-1"], "bare": bare["address"], "realtime": realtime["address"]}


async def test_a_foreign_write_is_acknowledged(addresses: dict[str, str], tell: Tell):
    async with AsyncExitStack() as stack:
        clients = {}
        for name, address in addresses.items():
            host, _, port = address.partition(":")
            clients[name] = await stack.enter_async_context(AsyncModbusTcpClient(host, port=int(port), timeout=10))
        waits: dict[str, list[float]] = {name: [] for name in clients}
        for n in range(WRITES):
            for name in ("ours", "bare") if n % 2 else ("bare", "ours"):
                waits[name].append(await written(clients[name]))
        for _ in range(FEW):
            waits["realtime"].append(await written(clients["realtime"]))
    for peer, who in (("bare", "pymodbus server alone"), ("realtime", "SimPy RealtimeEnvironment, an event a second")):
        for what, of in (("p50", median), ("p95", lambda taken: quantiles(taken, n=20)[-1])):
            name = f"a foreign Modbus write to `sim serve` acknowledged, {what}"
            ours, theirs = of(waits["ours"]) * 1e3, of(waits[peer]) * 1e3
            tell(Figure(figure=name, ours=ours, peer=theirs, peer_name=f"{who}, {what}", unit="ms"))


async def written(client: AsyncModbusTcpClient) -> float:
    """Write a block and give the seconds until the answer is here."""
    begun = perf_counter()
    answer = await client.write_registers(0, ZEROS)
    assert not answer.isError()
    return perf_counter() - begun


def test_the_flow_of_a_scaled_run_is_that_of_a_virtual_one(tell: Tell):
    words = ("--orders", str(ORDERS), "--seed", "1", "--speed", "1", "--json")
    scaled = sim("scaled", *words, "--factor", str(FACTOR))
    # computing is modelled: what is drawn and read takes as long as here, FACTOR times
    virtual = sim("run", *words, "--pixels", "1", "--computing", str(FACTOR))
    late = f"processes late by at most {max(scaled['most_lag_s'].values())} s"
    name = f"mean time of a parcel in the hall, all time running {FACTOR} times faster ({late})"
    ours, peer = scaled["mean_flow_s"], virtual["mean_flow_s"]
    tell(Figure(figure=name, ours=ours, peer=peer, peer_name="the same in virtual time", unit="s"))


def sim(*words: str) -> dict[str, Any]:
    """Run a verb and give what its last line says."""
    command = [sys.executable, "-m", "controller", "sim", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr[-2000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))
