"""The tutorial of a new machine is run as it is written: each command of the page, in an empty folder, with what it promises."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorials" / "integrator-new-machine.md"
TWIN = "packline twin"

pytestmark = [pytest.mark.wire, pytest.mark.timeout(300)]


def parts() -> Iterator[tuple[str, str]]:
    """Give every block of the page: its language and its text."""
    yield from re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)


def shell(folder: Path) -> dict[str, str]:
    """Give an environment in which `packline` is the command of this tree."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    command = bin_folder / "packline"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m controller "$@"\n')
    command.chmod(0o755)
    path = os.environ.get("PYTHONPATH", "")
    return {
        **os.environ,
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{path}",
        "PYTHONUNBUFFERED": "1",
    }


def test_each_command_of_the_tutorial_does_what_the_page_says(tmp_path):
    environment, folder, said = shell(tmp_path), tmp_path, ""
    port = _free_port()
    twins = []
    try:
        for language, text in parts():
            text = text.replace("15100", str(port))
            if language == "csv":
                (folder / "tags.csv").write_text(text)
            elif language == "sh" and text.startswith(TWIN):
                twins.append(_twin(text, folder, environment))
            elif language == "sh":
                said = _typed(text, folder, environment)
                if "cd my-sealer" in text:
                    folder = tmp_path / "my-sealer"
            elif not text.startswith("packline"):  # what a terminal shows; a command that is only talked of is not run
                missing = [line for line in text.splitlines() if line not in said]
                assert not missing, f"the page promises {missing}, seen:\n{said}"
    finally:
        for twin in twins:
            twin.terminate()
            twin.wait()
            assert twin.stdout is not None
            twin.stdout.close()
    assert (folder / "line.svg").exists()
    assert twins


def test_the_page_runs_every_verb_that_it_is_about():
    typed = " ".join(text for language, text in parts() if language == "sh")
    for verb in ("machine new", "check", "twin", "probe", "watch", "machine try", "site new", "site show"):
        assert f"packline {verb}" in typed


def _typed(text: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["sh", "-e", "-c", text],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # a terminal shows both
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}"
    return done.stdout


def _twin(text: str, folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    twin = subprocess.Popen(
        shlex.split(text), cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert twin.stdout is not None
    line = twin.stdout.readline()
    assert "listens at" in line, line
    return twin


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
