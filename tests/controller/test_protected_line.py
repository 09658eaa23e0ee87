"""A line with protected machines, run from distrust over a wrong password to work: its log and its books keep the secrets."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from controller.__main__ import main
from controller.line import Given, Line
from controller.links import real_links
from controller.site_file import load_site
from controller.site_security import pki_folder
from packline.core.clock import LoopClock
from packline.core.ids import SystemIds
from packline.store import open_store
from plc.certificates import fingerprint
from plc.machine_file import shipped_machine
from plc.trust import TrustFolder
from simulation.mounts.address_space import AddressSpace
from simulation.mounts.modbus import ModbusMount
from simulation.mounts.opcua import OpcUaMachineMount
from simulation.mounts.shield import Shield
from simulation.mounts.wire import Wire
from tests.plc.craft import Made, key, made
from tests.plc.protected import Plant
from tests.waiting import eventually

pytestmark = [pytest.mark.wire, pytest.mark.timeout(120)]

T = TypeVar("T")
DEMO = Path(__file__).parents[2] / "sites" / "demo.toml"
ANY, NOBODY = "127.0.0.1:0", "127.9.9.9:1"
PASSWORD, GUESS = "correct horse battery staple", "incorrect zebra"
IN_CLEAR = 'mount = "twin"\nsecurity = "none: twins on this computer, loopback only"\n'
ARM, PACKER = '"127.0.0.1:15022"\n', '"opc.tcp://127.0.0.1:14840"\n'
TLS = 'security = { policy = "TLS1.2" }\n'
UA = 'security = { policy = "Basic256Sha256", user = "line", password_file = "packers-word" }\n'


class Plants:
    """An arm over TLS and a packer over OPC UA that know our certificate; they move nothing."""

    def __init__(self, folder: Path, client: Made) -> None:
        self.arm_shows, self.packer_shows = made(name="arm"), made(name="packer", secret=key(2048, 6))
        clients = TrustFolder(folder).trust(client.certificate).parent
        tls = Shield(policy="TLS1.2", own=self.arm_shows.kept(folder / "arm"), clients=clients)
        own = self.packer_shows.kept(folder / "packer")
        ua = Shield(policy="Basic256Sha256", own=own, clients=clients, user="line", password=PASSWORD)
        arm, packer = shipped_machine("applicator"), shipped_machine("packer")
        self.space = AddressSpace(ua)
        self.arm = ModbusMount(ANY, arm, Plant(arm), Wire(), tls)
        self.packer = OpcUaMachineMount(f"opc.tcp://{ANY}", packer, Plant(packer), Wire(), self.space)

    async def open(self) -> tuple[str, str]:
        await self.space.start()
        return await self.arm.open(), await self.packer.open()

    async def close(self) -> None:
        await self.arm.close()
        await self.packer.close()
        await self.space.stop()


def site_file(folder: Path, arm: str, packer: str) -> Path:
    """Write the demo's site with two protected machines; nobody else of it is there."""
    text = DEMO.read_text("utf-8")
    for old, new in ((ARM + IN_CLEAR, f'"{arm}"\n{TLS}'), (PACKER + IN_CLEAR, f'"{packer}"\n{UA}')):
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "site.toml").write_text(text.replace("127.0.0.1:1", NOBODY), "utf-8")
    return folder / "site.toml"


async def in_thread(work: Callable[..., T], *args: Any) -> T:
    return await asyncio.to_thread(work, *args)


@asynccontextmanager
async def running(path: Path, data: Path) -> AsyncIterator[Line]:
    clock, ids, rng = LoopClock(), SystemIds(), random.Random(1)
    store = open_store(f"sqlite:///{data / 'books.db'}", clock=clock, ids=ids)
    links = real_links(clock, rng, "http://127.9.9.9:18081")
    given = Given(
        site=load_site(path), folder=path.parent, data=data, store=store, links=links, clock=clock, ids=ids, rng=rng,
        offload=in_thread, secret=b"x" * 32,
    )  # fmt: skip
    line = Line(given)
    task = asyncio.ensure_future(line.run())
    try:
        yield line
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await links.http.aclose()
        await links.video.aclose()
        store.close()


def words_of(books: Path) -> str:
    """Give everything that the books hold."""
    with closing(sqlite3.connect(books)) as db:
        return "\n".join(db.iterdump())


async def test_neither_log_nor_books_of_a_protected_run_hold_a_password_a_key_or_the_way_to_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    data = tmp_path / "data"
    pki, word = pki_folder(data), tmp_path / "packers-word"
    client = made(name="controller", uri="urn:test:packline", ends=timedelta(days=20), secret=key(2048, 3))
    own = client.kept(pki)
    word.write_text(GUESS, "utf-8")
    word.chmod(0o600)
    plants = Plants(tmp_path / "plants", client)
    TrustFolder(pki).trust(plants.packer_shows.certificate)
    arm, packer = await plants.open()
    async with running(site_file(tmp_path, arm, packer), data) as line:
        said = lambda *codes: all(f"{code} " in caplog.text for code in codes)  # noqa: E731
        await eventually(lambda: said("arm-1: 1011", "packer-1: 1016", "1020"))
        reason = line.equipment.machines["arm-1"].view().reason()
        assert reason is not None
        assert "pki trust SITE pki/refused/arm-" in reason.remedy  # what the station shows and writes down
        TrustFolder(pki).trust(plants.arm_shows.certificate)
        word.write_text(PASSWORD, "utf-8")
        await eventually(lambda: all(line.equipment.machines[name].view().is_good for name in ("arm-1", "packer-1")))
    await plants.close()
    books = words_of(data / "books.db")
    for telling in (fingerprint(plants.arm_shows.certificate)[:16], "BadUserAccessDenied"):
        assert telling in caplog.text
    assert "pki/own/certificate.pem" in books  # what ends soon rang, and stands in the books by its short name
    kept = [line for line in own.key_file.read_text("utf-8").splitlines() if not line.startswith("-----")]
    for secret in (PASSWORD, GUESS, str(pki), str(word), kept[0], kept[-2]):
        assert secret not in caplog.text
        assert secret not in books


async def test_tags_are_read_from_a_protected_server_as_the_site_file_says(tmp_path: Path, capsys) -> None:
    data = tmp_path / "data"
    pki, word = pki_folder(data), tmp_path / "packers-word"
    client = made(name="controller", uri="urn:test:packline", secret=key(2048, 3))
    client.kept(pki)
    word.write_text(PASSWORD, "utf-8")
    word.chmod(0o600)
    plants = Plants(tmp_path / "plants", client)
    arm, packer = await plants.open()
    site = site_file(tmp_path, arm, packer)
    site.write_text(site.read_text("utf-8").replace('data = "../var/demo"', 'data = "data"'), "utf-8")
    words = ["import", "packer-1", "--site", str(site), "--json"]
    try:
        assert await in_thread(main, words) == 1  # nobody said yet that its certificate is to be believed
        assert json.loads(capsys.readouterr().out)["faults"][0]["code"] == 1011
        TrustFolder(pki).trust(plants.packer_shows.certificate)
        assert await in_thread(main, words) == 0
    finally:
        await plants.close()
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert any("STATUS" in note for note in notes)
