"""Who starts a line: the books lie beside the site file, and nothing is touched while another holds books or ports."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from controller import ports, processes
from controller.__main__ import main
from controller.commands.up import Greeter
from controller.ports import hold_ports
from controller.processes import Pace, run_controller
from controller.site_file import load_site
from controller.sites import free_offset, moved
from controller.starting import data_of, ending_signals, only_one
from controller.supervisor import Child
from packline.core.faults import Fault

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _no_folder_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PACKLINE_DATA", raising=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a site of its own, with free ports and its books beside it."""
    folder = tmp_path / "my-line"
    folder.mkdir()
    text = (ROOT / "sites" / "demo.toml").read_text("utf-8").replace('data = "../var/demo"', 'data = "data"')
    shutil.copy(ROOT / "sites" / "demo-items.csv", folder)
    site = folder / "site.toml"
    site.write_text(moved(text, free_offset(text)), "utf-8")
    return site


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Give somebody else's server."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server


def with_port(path: Path, key: str, port: int) -> None:
    old = getattr(load_site(path).web, key)
    path.write_text(path.read_text("utf-8").replace(f"\n{key} = {old}", f"\n{key} = {port}"), "utf-8")


def test_the_books_are_the_same_from_whichever_folder_a_command_is_typed(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = load_site(path)
    monkeypatch.chdir(path.parent)
    from_beside = data_of(site, Path("site.toml"))
    monkeypatch.chdir(tmp_path)
    assert data_of(site, Path("my-line/site.toml")) == from_beside == path.parent / "data"


def test_the_data_folder_may_be_chosen_from_outside(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKLINE_DATA", "/elsewhere")
    assert data_of(load_site(path), path) == Path("/elsewhere")


def test_a_port_on_which_somebody_listens_is_a_fault(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "PATIENCE_S", 0.0)
    taken = listener.getsockname()[1]
    said: list[str] = []
    with pytest.raises(Fault) as caught, hold_ports("site.toml", "127.0.0.1", {"web.port": taken}, said.append):
        raise AssertionError("held what another has")
    assert (caught.value.code, caught.value.where) == (4201, "site.toml [web.port]")
    assert f"127.0.0.1:{taken}" in caught.value.seen and "another port" in caught.value.remedy


def test_a_port_that_a_killed_line_still_holds_is_waited_for(listener: socket.socket) -> None:
    taken = listener.getsockname()[1]
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        listener.close()

    with hold_ports("site.toml", "127.0.0.1", {"web.port": taken}, say):
        assert len(said) == 1 and "waiting" in said[0]


def test_a_child_may_listen_on_the_port_that_is_held_for_it(path: Path) -> None:
    web = load_site(path).web
    with (
        hold_ports("site.toml", web.host, {"web.port": web.port}, lambda text: None),
        socket.create_server((web.host, web.port)) as server,
        socket.create_connection((web.host, web.port)),
        server.accept()[0] as met,
    ):
        assert met.getsockname()[1] == web.port


@pytest.mark.parametrize("key", ["port", "video_port"])
def test_up_touches_nothing_while_somebody_else_has_its_port(
    key: str,
    path: Path,
    listener: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(ports, "PATIENCE_S", 0.0)
    with_port(path, key, listener.getsockname()[1])
    assert main(["up", str(path)]) == 1
    said = capsys.readouterr()
    assert f"[web.{key}]" in said.err and "http://" not in said.out
    assert {file.name for file in (path.parent / "data").iterdir()} == {"up.lock"}


@pytest.mark.parametrize(
    "old, new, said",
    [
        ('file = "applicator"', 'file = "aplicator"', "aplicator"),
        ('file = "applicator"', 'file = "turntable"', "[stations.label-1.machine]"),
        ('items = "demo-items.csv"', 'items = "nowhere.csv"', "[site.items]"),
    ],
    ids=["no such machine file", "another machine", "no items"],
)
def test_up_starts_nothing_for_a_site_whose_controller_could_never_run(
    path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    """The dashboard came up, and the controller ended at every start, with the cause in a log."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    assert main(["up", str(path)]) == 1
    told = capsys.readouterr()
    assert said in told.err and told.err.startswith("4201") and told.out == ""
    assert not (path.parent / "data").exists()


def test_up_touches_nothing_while_another_up_has_the_books(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = path.parent / "data"
    data.mkdir()
    monkeypatch.chdir(tmp_path)
    with only_one(data, "up"), pytest.raises(SystemExit) as ended:
        main(["up", "my-line/site.toml"])
    assert str(data) in str(ended.value)
    assert capsys.readouterr().out == ""
    assert {file.name for file in data.iterdir()} == {"up.lock"}


def test_a_second_controller_on_the_same_books_is_refused_before_it_opens_them(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "prepare", lambda: None)  # logging is that of the tests
    data = path.parent / "data"
    data.mkdir()

    def run(line: Coroutine[Any, Any, None]) -> None:
        line.close()
        pytest.fail("a second controller runs")

    with only_one(data), pytest.raises(SystemExit, match="another controller works in"):
        run_controller(path, Pace(run=run))
    assert {file.name for file in data.iterdir()} == {"controller.lock"}


def test_a_successor_waits_for_a_controller_that_is_still_ending(tmp_path: Path) -> None:
    """The supervisor was killed and started again at once: its first controller takes a moment to leave its machines."""
    before = ExitStack()
    before.enter_context(only_one(tmp_path))
    waited = [0]

    class Ending:
        """An event whose first wait is the moment in which the one before ends."""

        def wait(self, _: float) -> None:
            waited[0] += 1
            before.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "Event", Ending)
        with only_one(tmp_path, patience_s=10.0):
            assert waited == [1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda one: one.name)
def test_a_line_leaves_its_machines_when_it_is_told_to_end_or_its_terminal_closes(number: signal.Signals) -> None:
    left: list[str] = []

    async def line() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.Event().wait()
        finally:
            left.append("left")

    asyncio.run(processes._until_sigterm(line()))
    assert left == ["left"]


def test_a_line_that_was_started_to_outlive_its_terminal_does() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert ending_signals() == [signal.SIGTERM, signal.SIGINT]
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_address_is_said_once_and_only_when_the_dashboard_answers(tmp_path: Path) -> None:
    said: list[str] = []
    web = Child(name="web", command=[], probe=lambda: True)
    greeter = Greeter(tmp_path, web, "dashboard at http://127.0.0.1:8080", said.append)
    greeter.look()
    assert said == []
    web.answered_at = 1.0
    greeter.look()
    greeter.look()
    assert said == ["dashboard at http://127.0.0.1:8080"]


def test_the_first_password_is_said_once(tmp_path: Path) -> None:
    said: list[str] = []
    greeter = Greeter(tmp_path, Child(name="web", command=[], probe=lambda: True), "", said.append)
    (tmp_path / "first-admin").write_text("ABCD-EFGH")
    greeter.look()
    greeter.look()
    assert len(said) == 1 and "ABCD-EFGH" in said[0]
