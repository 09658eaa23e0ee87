"""Commands that work on a line's books: no books are made in passing, and every refusal is one line with its own remedy."""

from __future__ import annotations

import argparse
import io
import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from controller.__main__ import _run, main
from controller.commands import twin
from controller.site_file import load_site
from controller.starting import DATABASE, database_url
from packline.core.clock import WallClock
from packline.core.ids import SystemIds
from packline.store import open_store

ROOT = Path(__file__).parents[2]
TABLE_REMEDY = "Free disk space"
GOOD = "correct horse"

Typed = Callable[..., tuple[int, str]]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a site whose books would lie beside it; there are none yet."""
    monkeypatch.delenv("PACKLINE_DATA", raising=False)
    monkeypatch.delenv("PACKLINE_DATABASE", raising=False)
    text = (ROOT / "sites" / "demo.toml").read_text("utf-8").replace('data = "../var/demo"', 'data = "data"')
    shutil.copy(ROOT / "sites" / "demo-items.csv", tmp_path)
    site = tmp_path / "site.toml"
    site.write_text(text, "utf-8")
    return site


@pytest.fixture
def books(path: Path) -> Path:
    """Make the books."""
    data = path.parent / "data"
    data.mkdir()
    open_store(database_url(data), clock=WallClock(), ids=SystemIds()).close()
    return data / DATABASE


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Type a command; gives its code and what it said of errors."""

    def run(*words: object, password: str = GOOD) -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
        code = main([str(word) for word in words])
        return code, capsys.readouterr().err

    return run


# -- no books in passing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [("backup", "copy.db"), ("items", "demo-items.csv"), ("user", "lin"), ("user", "lin", "--role", "supervisor")],
    ids=" ".join,
)
def test_a_command_makes_no_books(words: tuple[str, ...], path: Path, typed: Typed) -> None:
    verb, what, *more = words
    given = path.parent / what if "." in what else what
    code, said = typed(verb, path, given, *more)
    assert code == 1
    assert said.startswith("5002") and f"no books in {path.parent / 'data'}," in said and TABLE_REMEDY not in said
    assert sorted(file.name for file in path.parent.iterdir()) == ["demo-items.csv", "site.toml"]


def test_the_first_administrator_may_be_there_before_the_line(path: Path, typed: Typed) -> None:
    assert typed("user", path, "chief", "--role", "admin") == (0, "")
    assert typed("user", path, "lin") == (0, "")


def test_a_refused_password_makes_no_books_either(path: Path, typed: Typed) -> None:
    assert typed("user", path, "chief", "--role", "admin", password="short")[0] == 1
    assert not (path.parent / "data").exists()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_copy_of_the_books_and_books_that_were_put_back_are_read_by_their_owner_alone(
    path: Path, books: Path, typed: Typed
) -> None:
    """They hold people's names and addresses, and hashes of passwords."""
    copy = path.parent / "copy.db"
    assert typed("backup", path, copy) == (0, "")
    assert mode(copy) == 0o600
    assert typed("backup", path, copy, "--restore") == (0, "")
    assert mode(books) == 0o600


def test_a_data_folder_that_a_command_makes_is_its_owners_alone(path: Path, typed: Typed) -> None:
    assert typed("user", path, "chief", "--role", "admin") == (0, "")
    assert mode(path.parent / "data") == 0o700


def test_a_data_folder_that_was_there_stays_as_its_owner_wants_it(path: Path, books: Path, typed: Typed) -> None:
    (path.parent / "data").chmod(0o750)
    assert typed("user", path, "chief", "--role", "admin") == (0, "")
    assert mode(path.parent / "data") == 0o750


# -- users -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["li n", "", "x", "a" * 41, ".lin", "lin;", "lin\n"])
def test_a_name_that_the_dashboard_refuses_is_refused_here(name: str, path: Path, books: Path, typed: Typed) -> None:
    code, said = typed("user", path, name)
    assert code == 1
    assert said.startswith("4301") and "2 to 40 letters" in said and "supervisor" not in said


@pytest.mark.parametrize("password", ["123456789", "x" * 201])
def test_a_password_that_the_dashboard_refuses_is_refused_here(
    password: str, path: Path, books: Path, typed: Typed
) -> None:
    code, said = typed("user", path, "lin", password=password)
    assert code == 1
    assert said.startswith("4301") and "10 to 200" in said and "supervisor" not in said
    assert password not in said


def test_a_role_that_would_not_be_given_is_refused_and_the_password_stays(
    path: Path, books: Path, typed: Typed
) -> None:
    """It set the password, left the role as it was, and said that all was well."""
    assert typed("user", path, "lin", "--role", "supervisor") == (0, "")
    with closing(open_store(database_url(path.parent / "data"), clock=WallClock(), ids=SystemIds())) as store:
        before = store.users.get("lin")
    code, said = typed("user", path, "lin", "--role", "admin", password="another password")
    assert code == 1 and said.startswith("4301") and "--role" in said and "page Users" in said
    with closing(open_store(database_url(path.parent / "data"), clock=WallClock(), ids=SystemIds())) as store:
        assert store.users.get("lin") == before
    assert typed("user", path, "lin", password="another password") == (0, "")
    assert typed("user", path, "lin", "--role", "supervisor") == (0, "")


def test_a_disabled_user_is_not_said_to_be_let_in(
    path: Path, books: Path, typed: Typed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("user", path, "lin")
    with closing(open_store(database_url(path.parent / "data"), clock=WallClock(), ids=SystemIds())) as store:
        store.users.set_disabled("lin", True, WallClock().now())
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{GOOD}\n"))
    assert main(["user", str(path), "lin"]) == 0
    assert "disabled" in capsys.readouterr().out


def test_who_ends_a_question_at_the_keyboard_sees_no_program() -> None:
    class Asking:
        """A verb whose user presses Ctrl-D."""

        def run(self, _: object) -> int:
            raise EOFError

    assert _run(Asking(), argparse.Namespace()) == 130


# -- files that are not what they should be ----------------------------------------------------------------------------


def test_items_from_a_file_that_is_not_there_is_one_line(path: Path, books: Path, typed: Typed) -> None:
    code, said = typed("items", path, "/nope.csv")
    assert code == 1
    assert said.startswith("4201 file wrong: /nope.csv, saw no such file") and said.count("\n") == 1
    assert "Check the path" in said


@pytest.mark.parametrize("to", ["nowhere/copy.db", "."])
def test_a_backup_to_nowhere_says_so(to: str, path: Path, books: Path, typed: Typed) -> None:
    code, said = typed("backup", path, path.parent / to)
    assert code == 1
    assert said.startswith("5002") and "folder" in said and TABLE_REMEDY not in said


def _junk(copy: Path) -> None:
    copy.write_bytes(b"no database at all" * 100)


def _foreign(copy: Path) -> None:
    with sqlite3.connect(copy) as other:
        other.execute("CREATE TABLE cats (name TEXT)")
    other.close()


@pytest.mark.parametrize("spoil", [lambda copy: None, Path.mkdir, _junk, _foreign], ids=["gone", "dir", "junk", "cats"])
def test_what_is_no_copy_is_not_restored(spoil: Callable[[Path], None], path: Path, books: Path, typed: Typed) -> None:
    copy, before = path.parent / "copy.db", books.read_bytes()
    spoil(copy)
    code, said = typed("backup", path, copy, "--restore")
    assert code == 1
    assert said.startswith("5002") and "the books are as they were" in said and TABLE_REMEDY not in said
    assert books.read_bytes() == before
    assert not list(books.parent.glob("*.part*"))


def test_a_copy_goes_where_the_environment_says_that_the_books_are(
    path: Path, books: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, other = path.parent / "copy.db", path.parent / "elsewhere" / "other.db"
    assert typed("backup", path, copy) == (0, "")
    before = books.read_bytes()
    monkeypatch.setenv("PACKLINE_DATABASE", f"sqlite:///{other}")
    assert typed("backup", path, copy, "--restore") == (0, "")
    assert other.is_file() and books.read_bytes() == before


def test_a_copy_is_not_put_where_a_database_server_holds_the_books(
    path: Path, books: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, before = path.parent / "copy.db", books.read_bytes()
    assert typed("backup", path, copy) == (0, "")
    monkeypatch.setenv("PACKLINE_DATABASE", "postgresql://nowhere/books")
    code, said = typed("backup", path, copy, "--restore")
    assert code == 1 and said.startswith("5002") and "the database's own tools" in said
    assert books.read_bytes() == before


def _no_utf8(site: Path) -> None:
    site.write_bytes(b'[site]\nname = "\xff"')


@pytest.mark.parametrize(
    "spoil, remedy",
    [
        (Path.unlink, "lies no TOML file"),
        (lambda site: (site.unlink(), site.mkdir()), "Check the path"),
        (_no_utf8, "UTF-8"),
    ],
    ids=["gone", "dir", "bytes"],
)
def test_a_site_file_that_cannot_be_read_names_no_line_to_mend(
    spoil: Callable[[Path], None], remedy: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(path)
    assert main(["check", str(path)]) == 1
    said = capsys.readouterr().out
    assert said.startswith("4201") and remedy in said and "line that is named" not in said


@pytest.mark.parametrize("words", [("demo", "--orders"), ("demo", "--speed"), ("twin", "x.toml", "--orders")])
@pytest.mark.parametrize("number", ["abc", "0", "-1", "nan"])
def test_a_wrong_number_is_told_in_plain_words(
    words: tuple[str, ...], number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words[:-1], f"{words[-1]}={number}"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert f"'{number}' is not a" in said and "_positive" not in said


@pytest.mark.parametrize(
    "no_people, says, says_not", [(True, "/hands", "people wait"), (False, "people wait", "/hands")]
)
def test_a_twin_says_who_moves_things(
    no_people: bool, says: str, says_not: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twin._announce([], load_site(path), argparse.Namespace(json=False, no_people=no_people))
    said = capsys.readouterr().out
    assert says in said and says_not not in said
