"""`make demo` passes its arguments on, and needs nothing that only the tests need."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORDS = "--orders 24 --exit --json"


def would_run(*words: str) -> list[str]:
    """Give the commands that make would run; none of them is run, and those of an outer make do not count."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")
    }
    command = ["make", "--dry-run", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def test_make_demo_passes_its_arguments_on():
    assert f".venv/bin/packline demo {WORDS} ||" in would_run("demo", f"ARGS={WORDS}")[-1]


def test_an_interrupt_is_the_usual_end_of_a_demo_unless_it_was_to_end_by_itself():
    assert '-z "--exit"' in would_run("demo", f"ARGS={WORDS}")[-1]
    assert '-z ""' in would_run("demo", "ARGS=--orders 24 --json")[-1]


def test_a_demo_on_a_fresh_machine_installs_no_library_of_the_tests():
    fresh = "\n".join(would_run("--always-make", "demo"))

    assert "-r requirements/build.txt -r requirements/run.txt" in fresh
    assert "requirements/test.txt" not in fresh
    assert "system-packages" not in fresh
