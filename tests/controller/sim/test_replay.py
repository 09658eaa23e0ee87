"""`packline sim replay`: an untouched journal replays clean; what was changed, dropped or decided otherwise is told at its row."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from controller.__main__ import main
from controller.commands.sim.replay import picture
from controller.replay.lockstep import compare
from controller.replay.moment import Terms
from controller.replay.opening import events, recording
from controller.site_file import load_site
from packline.orders.policy import POLICY, Action, Reaction, Rule
from packline.store.codec import dumps
from packline.store.journal import digest
from packline.store.recorded import EXPORTED

SITE = Path("sites/demo.toml")
ORDERS = 3
MACHINE_FAILED = 2006
SCENARIO = f"""
[shift]
orders = {ORDERS}
seed = 5

[[faults]]
at_s = 0.5
device = "packer-1"
fault = "fail"
times = 1
"""
COLUMNS = ("seq", "at", "kind", "subject", "order_id", "station", "actor", "data")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Give the data folder of a small shift in which a machine failed and a person was asked, run once."""
    folder = tmp_path_factory.mktemp("run")
    scenario = folder / "scenario.toml"
    scenario.write_text(SCENARIO, "utf-8")
    assert main(["sim", "run", str(scenario), "--data", str(folder), "--json"]) == 0
    return folder


@pytest.fixture
def books(run, tmp_path):
    """Give a copy of its books that may be tampered with, as somebody does who holds the file."""
    path = tmp_path / "packline.db"
    shutil.copy(run / "packline.db", path)
    with sqlite3.connect(path) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'journal'")
        for (name,) in names.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("PRAGMA foreign_keys = OFF")
    connection.close()
    return path


def change(path, sql, *values):
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(sql, values)
    connection.close()


def row_of(path, kind, nth=0):
    """Give number and data of the nth row of a kind."""
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT seq, data FROM journal WHERE kind = ? ORDER BY seq", (kind,)).fetchall()[nth]
    connection.close()
    return found[0], json.loads(found[1])


def chain_again(path):
    """Number and hash the whole journal anew, as a forger does who knows how it is made."""
    connection = sqlite3.connect(path)
    prev = ""
    with connection:
        rows = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM journal ORDER BY seq").fetchall()
        for seq, row in enumerate(rows, 1):
            content = dict(zip(COLUMNS, row, strict=True)) | {"seq": seq, "data": json.loads(row[-1])}
            own = digest(prev, content)
            new = (seq, prev, own, row[0])
            connection.execute("UPDATE journal SET seq = ?, prev = ?, hash = ? WHERE seq = ?", new)
            prev = own
    connection.close()


def replayed(path, **terms):
    with recording(path) as recorded:
        return compare(recorded, Terms(site=load_site(SITE), **terms))


def test_an_untouched_journal_replays_clean_and_says_what_was_compared(run):
    report = replayed(run)
    assert report.divergence is None
    assert report.rows == report.compared["chain"] > 100
    for what in ("lifecycle", "messages", "decisions", "evidence", "questions", "tracking", "rows of the books"):
        assert report.compared[what] > 0, what


def test_a_run_whose_seed_is_known_is_played_again_as_a_whole(run, capsys):
    assert main(["sim", "replay", str(run), "--json"]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["compared"]["rows of the whole run"] == said["rows"] > 100


def test_one_changed_letter_breaks_the_chain_at_its_row(books):
    seq, data = row_of(books, "ParcelShipped")
    change(books, "UPDATE journal SET data = ? WHERE seq = ?", dumps({**data, "witness": "nobody"}), seq)
    found = replayed(books).divergence
    assert (found.seq, found.rule) == (seq, "chain")


def test_a_dropped_row_is_told_by_the_one_after_it(books):
    seq, _ = row_of(books, "EffectConfirmed", 3)
    change(books, "DELETE FROM journal WHERE seq = ?", seq)
    found = replayed(books).divergence
    assert (found.seq, found.rule) == (seq + 1, "chain")
    assert "rows are missing" in found.seen


def test_a_changed_label_number_is_told_at_its_row_also_when_the_chain_was_made_anew(books):
    seq, data = row_of(books, "LabelAssigned", 1)
    change(books, "UPDATE journal SET data = ? WHERE seq = ?", dumps({**data, "print_number": 77}), seq)
    chain_again(books)
    found = replayed(books).divergence
    assert (found.seq, found.rule) == (seq, "label number")
    assert "print 77" in found.seen
    assert f"print {data['print_number']}" in found.expected


def test_a_label_number_that_is_none_is_told_as_the_one_that_this_release_builds(books):
    seq, data = row_of(books, "LabelAssigned")
    wrong = data["sscc"][:-1] + str((int(data["sscc"][-1]) + 1) % 10)
    change(books, "UPDATE journal SET data = ? WHERE seq = ?", dumps({**data, "sscc": wrong}), seq)
    chain_again(books)
    found = replayed(books).divergence
    assert (found.seq, found.expected) == (seq, f"sscc {data['sscc']}")


@pytest.mark.parametrize(
    "kind, rule",
    [
        ("OrderReceived", "row"),
        ("EffectConfirmed", "proof"),
        ("LabelPrinted", "decision"),
        ("ParcelCollected", "routing"),
        ("PictureKept", "proof"),
        ("OrderClosed", "message"),
    ],
)
def test_a_row_that_was_taken_out_and_hidden_is_missed(books, kind, rule):
    nth = {"EffectConfirmed": _seal(books), "PictureKept": _of_label(books)}.get(kind, 0)
    seq, _ = row_of(books, kind, nth)
    change(books, "DELETE FROM journal WHERE seq = ?", seq)
    change(books, "DELETE FROM outbox")  # it has the numbers of before
    chain_again(books)
    found = replayed(books).divergence
    assert (found.rule, found.seq >= seq) == (rule, True)


def _nth(path, kind, holds):
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT data FROM journal WHERE kind = ? ORDER BY seq", (kind,)).fetchall()
    connection.close()
    return next(n for n, (text,) in enumerate(rows) if holds(json.loads(text)))


def _seal(path):
    return _nth(path, "EffectConfirmed", lambda data: data["kind"] == "seal")


def _of_label(path):
    return _nth(path, "PictureKept", lambda data: data["kind"] == "label" and data["note"] == "match")


def test_a_policy_of_another_release_parts_at_the_question_that_it_asks_otherwise(run):
    seq, data = row_of(run / "packline.db", "ExceptionOpened", _nth(run / "packline.db", "ExceptionOpened", _is_failed))
    other = {**POLICY, data["code"]: Rule(reaction=Reaction.ASK, actions=(Action.CLARIFY,))}
    found = replayed(run, policy=other).divergence
    assert (found.seq, found.rule) == (seq, "exception policy")
    assert found.expected == f"{data['code']}: clarify"


def _is_failed(data):
    return data["code"] == MACHINE_FAILED


def test_other_terms_of_a_site_part_where_they_matter(run):
    site = load_site(SITE)
    slower = site.model_copy(update={"policy": site.policy.model_copy(update={"approve_s": 900.0})})
    with recording(run) as recorded:
        found = compare(recorded, Terms(site=slower)).divergence
    assert found is not None
    assert (found.seq, found.rule) == (row_of(run / "packline.db", "ApprovalAsked")[0], "approval")


def test_a_divergence_shows_the_rows_around_it_and_both_sides(books, capsys):
    seq, data = row_of(books, "ParcelShipped")
    change(books, "UPDATE journal SET data = ? WHERE seq = ?", dumps({**data, "witness": "nobody"}), seq)
    assert main(["sim", "replay", str(books), "--json"]) == 1
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    found = said["divergence"]
    assert [row["seq"] for row in found["before"]] == [seq - 3, seq - 2, seq - 1]
    assert [row["seq"] for row in found["after"]] == [seq + 1, seq + 2, seq + 3]
    assert (said["ok"], found["row"]["data"]["witness"]) == (False, "nobody")
    lines = picture(replayed(books).divergence)
    assert lines[0] == f"DIVERGES at row {seq}: chain"
    assert any(line.startswith("> ") for line in lines)


def test_an_export_replays_as_its_books_do_and_without_the_other_tables_says_what_is_missing(run, tmp_path, capsys):
    whole, alone = tmp_path / "whole.jsonl", tmp_path / "alone.jsonl"
    assert main(["sim", "replay", str(run), "--export", str(whole)]) == 0
    rows = [json.loads(line) for line in whole.read_text("utf-8").splitlines()]
    assert {row["table"] for row in rows} <= {*EXPORTED, "end"}
    assert main(["sim", "replay", str(whole), "--against-site", str(SITE), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["ok"]
    alone.write_text("".join(dumps(row) + "\n" for row in rows if row["table"] in ("journal", "end")), "utf-8")
    assert main(["sim", "replay", str(alone), "--json"]) == 0
    notes = json.loads(capsys.readouterr().out.splitlines()[-1])["notes"]
    assert any("no rows of orders" in note for note in notes)
    assert any("no site file" in note for note in notes)


@pytest.mark.parametrize("table", ["inbox", "effect", "label", "outbox"])
def test_a_recording_that_lacks_the_rows_of_one_table_says_what_was_not_compared(books, table):
    """With the outbox gone nothing of what was told is compared, and nothing may look as if it had been."""
    whole = replayed(books)
    assert not whole.notes or "no rows" not in " ".join(whole.notes)
    change(books, f"DELETE FROM {table}")
    (note,) = (note for note in replayed(books).notes if "no rows" in note)
    assert note.startswith(f"the recording holds no rows of {table}: ")


@pytest.mark.parametrize("name", ["packline.db", "folder", "run.txt"])
def test_an_export_never_takes_the_place_of_books(books, capsys, name):
    (books.parent / "folder").mkdir(exist_ok=True)
    target = books if name == books.name else books.parent / name
    before = books.read_bytes()
    assert main(["sim", "replay", str(books), "--export", str(target), "--json"]) == 1
    (fault,) = json.loads(capsys.readouterr().out.splitlines()[-1])["faults"]
    assert (fault["code"], fault["expected"]) == (4201, "a name that ends in .jsonl")
    assert books.read_bytes() == before


def test_an_export_says_in_json_what_it_wrote(books, tmp_path, capsys):
    whole = tmp_path / "whole.jsonl"
    assert main(["sim", "replay", str(books), "--export", str(whole), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["ok"], said["export"]) == (True, str(whole))
    assert len(whole.read_text("utf-8").splitlines()) == said["rows"] + 1
    assert [path.name for path in whole.parent.glob("*.part")] == []


def test_a_journal_without_rows_agrees_with_no_release(run, tmp_path, capsys):
    whole, none = tmp_path / "whole.jsonl", tmp_path / "none.jsonl"
    assert main(["sim", "replay", str(run), "--export", str(whole)]) == 0
    none.write_text(dumps({"table": "end", "rows": {}}) + "\n", "utf-8")
    capsys.readouterr()
    assert main(["sim", "replay", str(none), "--json"]) == 1
    (fault,) = json.loads(capsys.readouterr().out.splitlines()[-1])["faults"]
    assert (fault["code"], fault["seen"]) == (4201, "a journal without rows")


def test_books_that_were_changed_behind_the_journal_are_told(books):
    change(books, "UPDATE parcel SET place = 'nowhere' WHERE lpn = (SELECT min(lpn) FROM parcel)")
    found = replayed(books).divergence
    assert (found.seq, found.rule) == (0, "books")
    assert "nowhere" in found.seen


@pytest.mark.parametrize(
    "sql, place, seen, expected",
    [
        ("UPDATE parcel SET state = 'x'", "table parcel row PL", "'x'", "one of open, "),
        ("UPDATE unit SET state = 'x'", "table unit row ", "'x'", "one of "),
        ("UPDATE orders SET content = '{}'", "table orders row marketplace-", "'{}'", "an order as JSON"),
        ("UPDATE effect SET state = 'x'", "table effect row ", "'x'", "one of "),
        ("UPDATE inbox SET received_at = 'x'", "table inbox row 1, received_at", "'x'", "a time in UTC"),
        ("UPDATE outbox SET body = '{' WHERE seq > 20", "table outbox row ", "'{'", "JSON"),
        ("UPDATE journal SET at = 'x' WHERE seq = 20", "table journal row 20, at", "'x'", "a time in UTC"),
    ],
)
def test_a_value_in_the_books_that_cannot_be_read_is_told_with_its_place(books, capsys, sql, place, seen, expected):
    change(books, sql)
    assert main(["sim", "replay", str(books), "--json"]) == 1
    (fault,) = json.loads(capsys.readouterr().out.splitlines()[-1])["faults"]
    assert (fault["code"], fault["seen"]) == (5002, seen)
    assert fault["where"].startswith(place) and fault["expected"].startswith(expected)


def test_what_is_no_recording_is_refused_with_what_to_name_instead(tmp_path, capsys):
    other = tmp_path / "other.jsonl"
    other.write_text('{"table": "nothing"}\n')
    assert main(["sim", "replay", str(other), "--json"]) == 1
    (fault,) = json.loads(capsys.readouterr().out.splitlines()[-1])["faults"]
    assert (fault["code"], fault["where"]) == (5002, f"{other} line 1")
    assert fault["remedy"]
    assert main(["sim", "replay", str(tmp_path / "none"), "--json"]) == 1


@pytest.mark.parametrize(
    "cut, seen",
    [
        (lambda lines: lines[:100], "the last line, and no end"),
        (lambda lines: [*lines[:99], lines[99][:20]], "a line that is cut off"),
        (lambda lines: [*lines[:1], *lines[2:]], "rows of inbox"),
    ],
)
def test_an_export_that_is_cut_is_no_divergence_of_the_release(run, tmp_path, capsys, cut, seen):
    whole, part = tmp_path / "whole.jsonl", tmp_path / "part.jsonl"
    assert main(["sim", "replay", str(run), "--export", str(whole)]) == 0
    part.write_text("".join(cut(whole.read_text("utf-8").splitlines(keepends=True))), "utf-8")
    assert main(["sim", "replay", str(part), "--json"]) == 1
    (fault,) = json.loads(capsys.readouterr().out.splitlines()[-1])["faults"]
    assert fault["where"].startswith(f"{part} line ")
    assert seen in fault["seen"] and "ends early" in fault["remedy"]


@pytest.mark.parametrize("verb", ["replay", "watch"])
def test_what_is_no_books_is_named_as_it_was_typed(verb, tmp_path, capsys):
    for content in (b"hello", b"", b"SQLite format 3\0 and no more"):
        path = tmp_path / "some.db"
        path.write_bytes(content)
        assert main(["sim", verb, str(path), "--json"]) == 1
        (fault,) = json.loads(capsys.readouterr().out.splitlines()[-1])["faults"]
        assert (fault["where"], fault["expected"]) == (str(path), "the books of a run")
        assert "packline.db" in fault["remedy"]


def test_an_export_cannot_be_watched_and_says_so(tmp_path, capsys):
    path = tmp_path / "run.jsonl"
    path.write_text('{"table": "end", "rows": {}}\n')
    assert main(["sim", "watch", str(path), "--json"]) == 1
    (fault,) = json.loads(capsys.readouterr().out.splitlines()[-1])["faults"]
    assert (fault["where"], fault["seen"]) == (str(path), "lines of JSON, as of an export")
    assert "not watched" in fault["remedy"]


def test_a_recording_can_be_watched_event_by_event(run):
    with recording(run) as recorded:
        times, kinds = zip(*((at, event.kind) for at, event in events(recorded)), strict=True)
    assert list(times) == sorted(times)
    assert kinds.count("ParcelShipped") == ORDERS
