"""`packline sim run`: what it refuses before it plays, and what it says of a run."""

import json
import signal
import tempfile

import pytest

from controller.__main__ import main
from controller.commands.sim import INTERRUPTED, VERBS, qa, report, running
from controller.commands.sim.shift import playing

FIGURES = {"parcels_shipped": 1, "orders_over": 1, "exceptions": 0}


@pytest.fixture
def nothing_is_played(monkeypatch):
    def play(*_):
        raise AssertionError("it was played")

    monkeypatch.setattr(running, "play_or_fall", play)


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


@pytest.mark.parametrize("name, seen", [("x.txt", "x.txt"), ("folder", "a folder"), ("x.jsonl.zip", "x.jsonl.zip")])
def test_a_recording_that_could_not_be_read_again_is_refused_before_playing(
    name, seen, tmp_path, capsys, nothing_is_played
):
    (tmp_path / "folder").mkdir()
    code, said, _ = run(capsys, "--record", tmp_path / name)
    assert (code, said["ok"], said["faults"][0]["seen"]) == (1, False, seen)


def test_what_only_a_shift_knows_is_not_taken_for_a_model(tmp_path, capsys):
    words = ["--orders", 3, "--speed", 2, "--pixels", 0, "--over", "modbus", "--data", tmp_path, "--record", "x.jsonl"]
    code, said, _ = run(capsys, "sites/model-queue.toml", *words)
    assert code == 1
    assert [fault["where"] for fault in said["faults"]] == [
        "--orders", "--speed", "--pixels", "--over", "--data", "--record",
    ]  # fmt: skip
    assert {fault["expected"] for fault in said["faults"]} == {"only for shifts"}


@pytest.mark.parametrize("words", [("--pixels", "-1"), ("--pixels", "all")])
def test_a_share_of_pixels_below_none_is_wrong_usage(words):
    with pytest.raises(SystemExit) as ended:
        main(["sim", "run", *words])
    assert ended.value.code == 2


# -- what is said of a run ---------------------------------------------------------------------------------------------------

NEVER = """
[shift]
orders = 1
pixels = 0
[[faults]]
device = "arm-1"
fault = "jam"
when = { fact = "label_printed", nth = 200 }
[[faults]]
device = "arm-1"
fault = "slow"
at_s = 1
for_s = 1
[[faults]]
device = "packer-1"
fault = "lost_answer"
at_s = 50000
[[faults]]
device = "controller"
fault = "kill_after_commit"
when = { commit = 100000 }
"""


def test_faults_that_never_struck_are_named(tmp_path, capsys):
    path = tmp_path / "never.toml"
    path.write_text(NEVER, "utf-8")
    code, said, err = run(capsys, path)
    assert (code, said["ok"], said["faults"]) == (0, True, 1)
    assert [fault["device"] for fault in said["not_struck"]] == ["arm-1", "packer-1", "controller"]
    assert (
        "3 of 4 faults never struck: arm-1 jam (label_printed 200), packer-1 lost_answer (50000 s), "
        "controller kill_after_commit (commit 100000)"
    ) in err


IN_VAIN = """
[shift]
orders = 1
pixels = 0
[[faults]]
device = "scan-gate"
fault = "no_read"
at_s = 0
for_s = 0.1
times = 1
[[faults]]
device = "packer-1"
fault = "jam"
at_s = 0
for_s = 60
times = 1
"""


def test_a_fault_that_lay_in_wait_and_met_nothing_has_not_struck(tmp_path, capsys):
    """No parcel is at the gate in the first tenth of a second; the packer has one to seal within the minute."""
    path = tmp_path / "vain.toml"
    path.write_text(IN_VAIN, "utf-8")
    _, said, err = run(capsys, path)
    assert (said["faults"], said["kinds"]) == (1, {"packer-1 jam": 1})
    assert [fault["device"] for fault in said["not_struck"]] == ["scan-gate"]
    assert "1 of 2 faults never struck: scan-gate no_read (0 s)" in err


# -- Ctrl-C, and no word at all ----------------------------------------------------------------------------------------------


def test_a_run_that_is_interrupted_says_how_far_it_came(capsys, monkeypatch):
    def play(_, tell):
        counts = dict.fromkeys(("inducted", "packed", "labelled", "approved", "delivered", "exceptions"), 0)
        tell({**counts, "orders": 9, "orders_over": 4, "left_door": 3})
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "play_or_fall", play)
    code, said, err = run(capsys)
    assert code == INTERRUPTED
    assert (said["ok"], said["interrupted"], said["orders_over"], said["left_door"]) == (False, True, 4, 3)
    assert "orders were over, 3 parcels had left the door and nothing was seen to be broken" in err


def test_a_run_that_is_interrupted_says_what_was_kept_of_it(capsys, monkeypatch, tmp_path):
    def play(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "play_or_fall", play)
    monkeypatch.setattr(running, "play_recorded", play)
    _, _, err = run(capsys, "--data", tmp_path / "books", "--record", tmp_path / "shift.jsonl")
    assert f"the books are in {tmp_path / 'books'}, without a note" in err
    assert f"{tmp_path / 'shift.jsonl'} was not written" in err


@pytest.mark.parametrize("kept", [False, True], ids=["alone", "recorded"])
def test_a_shift_that_falls_over_is_told_like_what_a_campaign_finds(capsys, tmp_path, monkeypatch, kept):
    def falls(*_):
        raise ZeroDivisionError("a line that falls")

    monkeypatch.setattr(playing, "play", falls)
    words = ("--record", tmp_path / "shift.jsonl") if kept else ()
    code, said, _ = run(capsys, *words)
    assert (code, said["ok"], said["broken"]) == (1, False, ["crash: ZeroDivisionError a line that falls"])


def test_a_run_that_is_told_to_end_leaves_no_folder(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(running, "play_or_fall", lambda *_: signal.raise_signal(signal.SIGTERM))
    code, said, _ = run(capsys)
    assert (code, said["interrupted"], [*tmp_path.iterdir()]) == (INTERRUPTED, True, [])


def test_without_an_action_every_one_is_listed_on_a_line_of_its_own(capsys):
    assert main(["sim"]) == 2
    told = capsys.readouterr().out.splitlines()
    assert set(VERBS) <= {line.split()[0] for line in told if line.startswith("  ")}


@pytest.mark.parametrize("verb", ["run", "qa", "report"])
@pytest.mark.parametrize("key", ["orders_over", "orders_over_ge"])
def test_fewer_orders_than_the_file_expects_to_be_over_are_refused_before_anything_is_played(
    verb, key, tmp_path, capsys, monkeypatch, nothing_is_played
):
    monkeypatch.setattr(qa, "_trial", lambda _: pytest.fail("it was played"))
    monkeypatch.setattr(report, "play_one", lambda _: pytest.fail("it was played"))
    path = tmp_path / "six.toml"
    path.write_text(f"[shift]\norders = 6\n[expect]\n{key} = 6\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["sim", verb, str(path), "--orders", "2", "--json"]) == 1
    (fault,) = json.loads(capsys.readouterr().out.splitlines()[-1])["faults"]
    assert (fault["code"], fault["where"], fault["seen"]) == (4201, f"{path} [expect.{key}]", "6")
    assert fault["expected"] == "at most 2, which --orders says"
