"""Declared files say what is wrong in them; the local socket answers or says that nobody is there."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, model_validator

from packline.core import local
from packline.core.files import FileFaults, Mistake, Wrong, load_toml, parse


class Leg(BaseModel):
    model_config = ConfigDict(extra="forbid")
    height_mm: int
    colour: str = "red"


class Foot(BaseModel):
    felt: bool
    glued: bool = False

    @model_validator(mode="after")
    def _check(self) -> Foot:
        if self.felt and self.glued:
            raise Wrong(Mistake(at="glued", seen="felt and glued", expected="one of them"))
        return self


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    legs: dict[str, Leg] = {}
    spare: Leg | None = None
    feet: list[Foot] = []


def faults(raw: dict) -> list[tuple[int, str, str, str]]:
    """Give (code, where, seen, remedy) of everything wrong."""
    with pytest.raises(FileFaults) as found:
        parse(raw, Table, "t.toml")
    return [(f.code, f.where, f.seen, f.remedy) for f in found.value.faults]


def test_a_typo_gets_its_place_and_a_suggestion() -> None:
    ((code, where, seen, remedy),) = faults({"name": "x", "legs": {"front": {"height_mm": 1, "color": "blue"}}})
    assert (code, seen) == (4202, "color") and where == "t.toml [legs.front.color]"
    assert remedy == "Did you mean 'colour'?"


def test_all_mistakes_are_told_at_once() -> None:
    told = faults({"legs": {"front": {"height_mm": "tall"}, "back": {}}, "zzz": 1})
    assert [code for code, *_ in told] == [4201, 4201, 4201, 4202]
    assert {seen for _, _, seen, _ in told} == {"nothing", "'tall'", "zzz"}


def test_a_mistake_in_a_list_is_told_once_and_at_its_own_place() -> None:
    both = {"felt": True, "glued": True}
    told = faults({"name": "x", "feet": [{}, both, {"felt": True}, {"felt": "thick"}, both]})
    assert [(where, seen) for _, where, seen, _ in told] == [
        ("t.toml [feet.0.felt]", "nothing"),
        ("t.toml [feet.1.glued]", "felt and glued"),
        ("t.toml [feet.3.felt]", "'thick'"),
        ("t.toml [feet.4.glued]", "felt and glued"),
    ]


def test_a_contradiction_that_shows_late_has_the_place_it_has_in_the_file() -> None:
    told = faults({"legs": {"back": {"height_mm": 1}}, "name": "x", "feet": [{"felt": 3}, {"felt": True, "glued": 1}]})
    assert {where for _, where, _, _ in told} == {"t.toml [feet.0.felt]", "t.toml [feet.1.glued]"}


def test_a_key_like_nothing_gets_the_general_remedy() -> None:
    ((_, _, _, remedy),) = faults({"name": "x", "qqqqqq": 1})
    assert "Mend or remove" in remedy


@given(st.dictionaries(st.text(max_size=6), st.integers() | st.text(max_size=4), max_size=4))
def test_any_toml_table_is_read_or_refused_with_a_code(raw: dict) -> None:
    codes = [4201]
    try:
        parse(raw, Table, "t.toml")
    except FileFaults as found:
        codes = [fault.code for fault in found.faults]
    assert codes and set(codes) <= {4201, 4202}


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe", None], ids=["no toml", "no utf-8", "no file"])
def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "t.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FileFaults) as found:
        load_toml(path, Table)
    assert found.value.faults[0].code == 4201 and str(path) in str(found.value)


def test_a_right_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    path.write_text('name = "tisch"\n[legs.a]\nheight_mm = 700\n')
    assert load_toml(path, Table).legs["a"].height_mm == 700


# -- the local socket --------------------------------------------------------------------------------------------------


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[Callable[[bytes], None]]:
    """Serve one connection of the folder's socket with given bytes."""
    servers: list[socket.socket] = []

    def serve(answer: bytes) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(local.socket_path(tmp_path)))
        server.listen(1)
        servers.append(server)

        def run() -> None:
            line, _ = server.accept()
            with line:
                line.recv(65536)
                for start in range(0, len(answer), 50_000):
                    line.sendall(answer[start : start + 50_000])

        threading.Thread(target=run, daemon=True).start()

    yield serve
    for server in servers:
        server.close()


@pytest.mark.parametrize("answer", [{"a": 1}, {"long": "x" * 200_000}], ids=["short", "long"])
def test_a_question_is_answered_however_long_the_answer(
    tmp_path: Path, answers: Callable[[bytes], None], answer: dict
) -> None:
    answers(json.dumps(answer).encode() + b"\n")
    assert local.ask(tmp_path, {"do": "snapshot"}, timeout_s=10) == answer


@pytest.mark.parametrize("answer", [b"", b"[]\n", b"nonsense\n", b"\xff\xff\n"], ids=["end", "list", "text", "bytes"])
def test_an_answer_that_makes_no_sense_is_a_value_error(
    tmp_path: Path, answers: Callable[[bytes], None], answer: bytes
) -> None:
    answers(answer)
    with pytest.raises(ValueError):  # noqa: PT011
        local.ask(tmp_path, {"do": "snapshot"}, timeout_s=10)


def test_an_answer_is_bounded(
    tmp_path: Path, answers: Callable[[bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "MOST_ANSWER_BYTES", 1000)
    answers(b'"' + b"x" * 5000)
    with pytest.raises((ValueError, OSError)):
        local.ask(tmp_path, {"do": "snapshot"}, timeout_s=10)


def test_nobody_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        local.ask(tmp_path, {"do": "wake"})


@given(st.integers(0, 300))
def test_the_socket_path_fits_the_systems_limit(length: int) -> None:
    path = local.socket_path(Path("/tmp") / ("d" * min(length, 200)) / ("e" * max(0, length - 200)))
    assert len(str(path).encode()) <= 108
