"""A shift in virtual time: the same seed gives the same journal, byte for byte, wherever and however often it runs."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

from controller.__main__ import main
from controller.commands.demo import is_well

ROOT = Path(__file__).parents[3]
ORDERS = 2
WORDS = ["sim", "run", "--orders", str(ORDERS), "--json"]
MINORS = ("3.11", "3.12", "3.13")

pytestmark = pytest.mark.timeout(300)


def fresh(*words, python=sys.executable, **env):
    """Run in a process of its own and give what the last line says."""
    command = [python, "-m", "controller", *WORDS, *words]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@cache
def first():
    return fresh(PYTHONHASHSEED="1")


def here(capsys, *words):
    """Run in this process, where other shifts were played before."""
    assert main([*WORDS, *words]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def hashes(said):
    return said["journal_hash"], said["truth_hash"], said["virtual_seconds"]


def test_every_order_of_the_shift_ends_well():
    said = first()
    assert is_well(said, ORDERS)
    assert said["journal_rows"] > 10 * ORDERS


def test_neither_how_texts_are_hashed_nor_a_busy_computer_changes_the_journal():
    idle = hashes(first())
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        assert hashes(fresh(PYTHONHASHSEED="4711")) == idle
    finally:
        for process in busy:
            process.kill()
            process.wait()


def test_a_shift_in_a_process_that_has_played_others_gives_the_same(capsys):
    assert hashes(here(capsys, "--seed", "2"))[0] != hashes(first())[0]
    assert hashes(here(capsys)) == hashes(first())


def test_the_journal_is_the_same_on_disk(tmp_path, capsys):
    assert hashes(here(capsys, "--data", str(tmp_path))) == hashes(first())


def test_drawn_labels_and_pictures_give_the_journal_that_their_content_gives(capsys):
    assert hashes(here(capsys, "--pixels", "1")) == hashes(first())


@pytest.mark.wire
def test_machines_on_modbus_sockets_give_the_journal_of_machines_in_memory():
    assert hashes(fresh("--over", "modbus")) == hashes(first())


@pytest.mark.wire
def test_machines_on_opcua_sockets_give_the_rows_of_machines_in_memory_with_ties_in_an_order_that_repeats(tmp_path):
    """What OPC UA tells comes some steps of the loop later: of two rows of one instant another may be the first."""
    sockets = ("--orders", "2", "--over", "modbus", "--over", "opcua")
    memory = fresh("--orders", "2", "--data", str(tmp_path / "memory"))
    told = fresh(*sockets, "--data", str(tmp_path / "sockets"))

    assert rows(tmp_path / "sockets") == rows(tmp_path / "memory")
    assert told["virtual_seconds"] == memory["virtual_seconds"]
    assert hashes(fresh(*sockets)) == hashes(told)


def rows(folder):
    """Give what the journal says, but for the order of what happened in one instant."""
    with closing(sqlite3.connect(next(folder.glob("*.db")))) as books:
        return sorted(map(str, books.execute("SELECT at, kind, subject, order_id, station, actor, data FROM journal")))


@pytest.mark.parametrize("minor", MINORS)
def test_every_python_at_hand_gives_the_same_journal(minor):
    python = python_of(minor)
    if python is None:
        pytest.skip(f"no Python {minor} with the libraries of Packline at hand; PACKLINE_PYTHON_{minor} names one")
    said = first() if python == sys.executable else fresh(python=python)
    assert hashes(said) == hashes(first())


def python_of(minor):
    """Find an interpreter of a release that has what Packline needs."""
    named = os.environ.get(f"PACKLINE_PYTHON_{minor}")
    for python in filter(None, (named, sys.executable, shutil.which(f"python{minor}"))):
        check = f"import sys, simpy, sqlalchemy, pydantic, zxingcpp; assert sys.version.startswith('{minor}.')"
        if subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0:
            return python
    return None
