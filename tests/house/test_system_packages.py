"""Without root, the system packages that are missing become one line to type."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "system-packages.sh"
USER, ROOT_USER = 1000, 0


@pytest.fixture
def run(tmp_path):
    """Run the script on a computer with `there` installed, as user `uid`; gives its end and what apt-get was asked."""
    asked = tmp_path / "asked"

    def stub(name: str, text: str) -> None:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def run_script(*packages: str, there: tuple[str, ...] = (), uid: int = USER):
        known = " ".join(f"{name}) printf installed ;;" for name in there)
        stub("dpkg-query", f"for package; do :; done; case $package in {known} *) exit 1 ;; esac")
        stub("apt-get", f'echo "$@" >> {asked}')
        stub("id", f"echo {uid}")
        environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
        done = subprocess.run([SCRIPT, *packages], env=environment, check=False, capture_output=True, text=True)
        return done, asked.read_text("utf-8").splitlines() if asked.exists() else []

    return run_script


def test_without_root_the_exact_line_is_printed_and_nothing_is_installed(run):
    done, asked = run("libzbar0", "chromium", "mbpoll", there=("chromium",))

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].strip() == (
        "sudo apt-get update && sudo apt-get install -y --no-install-recommends libzbar0 mbpoll"
    )
    assert asked == []


def test_as_root_only_what_is_missing_is_installed(run):
    done, asked = run("libzbar0", "chromium", there=("chromium",), uid=ROOT_USER)

    assert done.returncode == 0, done.stderr
    assert asked == ["update -qq", "install -y -qq --no-install-recommends libzbar0"]


def test_where_nothing_is_missing_nothing_is_asked_or_said(run):
    done, asked = run("libzbar0", there=("libzbar0",))

    assert (done.returncode, done.stderr, asked) == (0, "", [])
