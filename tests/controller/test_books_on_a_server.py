"""Books on a database server: whose they are, what is said where they cannot be had, and a shift that lives on them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from controller.__main__ import main
from controller.books import OWNER, demand_own_books, open_line
from controller.commands.sim.scenario import load_scenario, shift_of
from controller.commands.sim.scenario_file import Scenario, ShiftPart
from controller.commands.sim.shift.playing import play
from controller.site_file import load_site
from packline.core.clock import ManualClock
from packline.core.faults import Fault
from packline.core.ids import SeededIds
from packline.store import Store
from tests.servers import Server

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "sites" / "demo.toml"


@pytest.fixture
def address(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with server.books() as made:
        monkeypatch.setenv("PACKLINE_DATABASE", made)
        yield made


def opened(name: str, folder: Path, *, owns: bool = False) -> Store:
    site = load_site(DEMO)
    site = site.model_copy(update={"site": site.site.model_copy(update={"name": name})})
    return open_line(site, folder, clock=ManualClock(), ids=SeededIds(name), owns=owns)


@pytest.mark.parametrize(
    "address,expected",
    [
        ("postgres://host/books", "Mend PACKLINE_DATABASE"),
        ("mysql://host/books", "Mend PACKLINE_DATABASE"),
        ("not an address", "Mend PACKLINE_DATABASE"),
        ("postgresql+asyncpg://host/books", "Mend PACKLINE_DATABASE"),
        ("postgresql://u:secret@127.0.0.1:1/books", "pip install packline[postgres]"),
    ],
)
def test_line_whose_database_cannot_be_had_is_not_started_and_told_what_to_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    address: str,
    expected: str,
) -> None:
    monkeypatch.setenv("PACKLINE_DATABASE", address)
    monkeypatch.setenv("PACKLINE_DATA", str(tmp_path))
    monkeypatch.setitem(sys.modules, "psycopg", None)  # as where the extra is not installed

    assert main(["items", str(DEMO), str(ROOT / "sites" / "demo-items.csv")]) == 1
    said = capsys.readouterr()
    assert "5002" in said.err + said.out
    assert expected in said.err + said.out
    assert "secret" not in said.err + said.out


def test_books_on_a_server_belong_to_the_first_site_that_opened_them(address: str, tmp_path: Path) -> None:
    with closing(opened("north", tmp_path)) as store:
        assert store.meta.get_now(OWNER) == "north"
    with pytest.raises(Fault, match="the books of north, expected those of south"):
        opened("south", tmp_path)
    opened("north", tmp_path).close()


def test_second_controller_of_the_same_site_is_told_before_anything_is_claimed(address: str, tmp_path: Path) -> None:
    with closing(opened("demo", tmp_path, owns=True)) as first:
        first.meta.put_now("running", "yes")
        with pytest.raises(Fault, match="packline demo at work"):
            demand_own_books(load_site(DEMO), tmp_path)
    demand_own_books(load_site(DEMO), tmp_path)


def test_nightly_copy_of_books_on_a_server_is_left_to_the_server(address: str, tmp_path: Path) -> None:
    with closing(opened("demo", tmp_path)) as store:
        assert store.is_on_server
        with pytest.raises(Fault, match="pg_dump"):
            store.backup(tmp_path / "copy.db")


@pytest.mark.timeout(300)
def test_shift_on_a_server_is_the_shift_in_memory(address: str, tmp_path: Path) -> None:
    shift = shift_of(Scenario(shift=ShiftPart(site=str(DEMO), orders=2)), DEMO, tmp_path)
    here, there = play(shift), play(replace(shift, url=address))

    assert (there.journal, there.truth, there.rows) == (here.journal, here.truth, here.rows)
    assert there.broken == ()


@pytest.mark.timeout(300)
def test_controller_that_dies_twice_finds_on_a_server_what_it_left(address: str, tmp_path: Path) -> None:
    path = ROOT / "sites" / "shift-rough.toml"
    scenario = load_scenario(path)
    scenario = scenario.model_copy(update={"shift": scenario.shift.model_copy(update={"orders": 6})})

    played = play(replace(shift_of(scenario, path, tmp_path), url=address))

    assert played.deaths == 2
    assert played.broken == ()
