"""`packline sim run`: what it refuses before it plays, and what it says of a run."""

import json

import pytest

from controller.__main__ import main
from controller.commands.sim import INTERRUPTED, VERBS, running

FIGURES = {"parcels_shipped": 1, "orders_over": 1, "exceptions": 0}


@pytest.fixture
def nothing_is_played(monkeypatch):
    def play(*_):
        raise AssertionError("it was played")

    monkeypatch.setattr(running, "play", play)


def run(capsys, *words):
    code = main(["sim", "run", *map(str, words), "--json"])
    out, err = capsys.readouterr()
    return code, json.loads(out.splitlines()[-1]), err


def test_a_folder_with_the_books_of_another_run_is_refused_and_left_as_it_is(tmp_path, capsys, nothing_is_played):
    (tmp_path / "packline.db").write_bytes(b"another run")
    code, said, _ = run(capsys, "--data", tmp_path)
    assert (code, said["faults"][0]["seen"]) == (1, "the books of another run")
    assert said["faults"][0]["remedy"] == "Name an empty folder."
    assert [path.name for path in tmp_path.iterdir()] == ["packline.db"]


# -- Ctrl-C, and no word at all ----------------------------------------------------------------------------------------------


def test_a_run_that_is_interrupted_says_so(capsys, monkeypatch):
    def play(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "play", play)
    assert run(capsys) == (INTERRUPTED, {"ok": False, "interrupted": True}, "interrupted\n")


def test_without_an_action_every_one_is_listed_on_a_line_of_its_own(capsys):
    assert main(["sim"]) == 2
    told = capsys.readouterr().out.splitlines()
    assert set(VERBS) <= {line.split()[0] for line in told if line.startswith("  ")}
