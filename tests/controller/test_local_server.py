"""The local socket between web and controller."""

from __future__ import annotations

import asyncio
import gc
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from controller.local_server import MOST_WAIT_S, LocalServer
from controller.pulse import SILENT_S, Pulse
from packline.core.clock import ManualClock
from packline.core.faults import Fault
from packline.core.local import ask, socket_path
from tests.waiting import eventually, let_run


@pytest.fixture
async def woken(tmp_path: Path) -> AsyncIterator[list[int]]:
    """Serve the socket of a folder; gives what counts the nudges."""
    nudges: list[int] = []

    async def snapshot(seen: int | None, wait_s: float) -> dict[str, Any]:
        return {"run": {"id": "1"}, "long": "x" * 300_000, "patience": [seen, wait_s]}

    server = asyncio.ensure_future(LocalServer(tmp_path, snapshot=snapshot, wake=lambda: nudges.append(1)).run())
    await eventually(lambda: socket_path(tmp_path).exists())
    yield nudges
    server.cancel()
    await asyncio.gather(server, return_exceptions=True)
    assert not socket_path(tmp_path).exists()


async def asked(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Ask from another thread, as the web process does."""
    return await asyncio.to_thread(ask, folder, request, 10.0)


async def test_a_snapshot_is_answered_however_long(tmp_path: Path, woken: list[int]) -> None:
    assert (await asked(tmp_path, {"do": "snapshot"}))["run"] == {"id": "1"}


@pytest.mark.parametrize(
    "words, patience",
    [
        ({}, [None, 0.0]),
        ({"seen": 7, "wait_s": 0.25}, [7, 0.25]),
        ({"seen": 7, "wait_s": 3600}, [7, MOST_WAIT_S]),
        ({"seen": 7, "wait_s": -1}, [7, 0.0]),
        ({"seen": "7", "wait_s": 1}, [None, 0.0]),
        ({"seen": 7}, [None, 0.0]),
    ],
)
async def test_a_question_may_wait_for_another_picture_but_not_for_long(
    tmp_path: Path, woken: list[int], words: dict[str, Any], patience: list[Any]
) -> None:
    assert (await asked(tmp_path, {"do": "snapshot", **words}))["patience"] == patience


async def test_a_nudge_wakes_and_an_unknown_request_says_so(tmp_path: Path, woken: list[int]) -> None:
    assert await asked(tmp_path, {"do": "wake"}) == {"ok": True} and woken == [1]
    assert "no such request" in (await asked(tmp_path, {"do": "fly"}))["error"]


@pytest.mark.parametrize("rubbish", [b"nonsense\n", b"\xff\n", b"[1]\n", b"x" * 200_000])
async def test_rubbish_ends_that_connection_and_no_other(tmp_path: Path, woken: list[int], rubbish: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(socket_path(tmp_path))
    writer.write(rubbish)
    writer.write_eof()
    await reader.read()
    writer.close()
    assert await asked(tmp_path, {"do": "wake"}) == {"ok": True}


async def test_the_socket_is_the_owners_alone(tmp_path: Path, woken: list[int]) -> None:
    assert stat.S_IMODE(socket_path(tmp_path).stat().st_mode) == 0o600


async def test_a_socket_left_by_a_killed_run_is_replaced(tmp_path: Path) -> None:
    socket_path(tmp_path).touch()

    async def snapshot(seen: int | None, wait_s: float) -> dict[str, Any]:
        return {}

    server = asyncio.ensure_future(LocalServer(tmp_path, snapshot=snapshot, wake=lambda: None).run())
    await eventually(lambda: socket_path(tmp_path).is_socket())
    assert await asked(tmp_path, {"do": "snapshot"}) == {}
    server.cancel()
    await asyncio.gather(server, return_exceptions=True)


async def test_the_pulse_stops_with_its_loop_so_that_no_heartbeat_goes_out_for_dead_logic() -> None:
    clock = ManualClock()
    pulse = Pulse(clock)
    assert not pulse.is_alive()
    running = asyncio.ensure_future(pulse.run())
    for _ in range(20):
        await let_run()
        clock.advance(0.1)
        await let_run()
    assert pulse.is_alive()
    running.cancel()
    clock.advance(SILENT_S + 0.2)
    assert not pulse.is_alive()


def test_a_line_that_ends_while_a_question_waits_hangs_up(tmp_path: Path) -> None:
    async def never(seen: int | None, wait_s: float) -> dict[str, Any]:
        asked.set()
        return await asyncio.get_running_loop().create_future()

    async def live() -> None:
        serving = asyncio.ensure_future(LocalServer(tmp_path, snapshot=never, wake=lambda: None).run())
        await eventually(lambda: socket_path(tmp_path).exists())
        client.connect(str(socket_path(tmp_path)))
        client.sendall(b'{"do": "snapshot", "seen": 1, "wait_s": 0.5}\n')
        await asked.wait()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    asked = asyncio.Event()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5.0)
        asyncio.run(live())
        assert client.recv(1) == b""
    gc.collect()  # a connection that nobody closed is told here, and fails the test


@pytest.mark.parametrize("why", ["the line ends", "the books are away"])
async def test_a_question_that_is_not_answered_any_more_is_no_error_of_the_program(tmp_path: Path, why: str) -> None:
    """Each clean stop left a long error of asyncio in the log, and books that were away one with every look of the dashboard."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    asked_for = asyncio.Event()

    async def snapshot(_seen: int | None, _wait_s: float) -> dict[str, Any]:
        asked_for.set()
        if why == "the books are away":
            raise Fault(5002, where="database")
        await asyncio.Event().wait()
        return {}

    server = asyncio.ensure_future(LocalServer(tmp_path, snapshot=snapshot, wake=lambda: None).run())
    await eventually(lambda: socket_path(tmp_path).exists())
    reader, writer = await asyncio.open_unix_connection(socket_path(tmp_path))
    writer.write(b'{"do": "snapshot"}\n')
    await asked_for.wait()
    if why == "the line ends":
        server.cancel()
        # as the runner of the process does with whoever still waits
        for task in asyncio.all_tasks() - {asyncio.current_task(), server}:
            task.cancel()
    assert await reader.read() == b""
    writer.close()
    server.cancel()
    await asyncio.gather(server, return_exceptions=True)
    gc.collect()
    await let_run(10)
    assert complaints == []
