"""Copies the tree and plants a fault in the copy, by a patch; the product has no switch for any of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NOT_NEEDED = ("docs/", "requirements/", ".ci/")
"""Parts of the tree that no test of a mutant reads."""
OF_THIS_PART = ("tests/crash/", "tests/mutants/")
"""Tests that start whole halls; `make test` runs them beside the mutants, on the tree as it is."""


class Stale(AssertionError):  # noqa: N818 - what it says of a patch
    """A patch does not fit the tree any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One planted fault: the rule it `breaks`, and the tests that must go `red` by it.

    A test is a pytest node id; without its [parameters] any of them will do.
    """

    name: str
    breaks: str
    red: tuple[str, ...]

    @property
    def patch(self) -> Path:
        """Give the file of the fault."""
        return HERE / f"{self.name}.patch"

    @property
    def quick(self) -> tuple[str, ...]:
        """Give those of `red` that need a proof that they are green without the fault; the others run in this very part."""
        return tuple(test for test in self.red if not test.startswith(OF_THIS_PART))


def table() -> dict[str, Mutant]:
    """Give all mutants by name, in the order of the table."""
    rows = tomllib.loads((HERE / "mutants.toml").read_text("utf-8"))
    return {name: Mutant(name=name, **{**row, "red": tuple(row["red"])}) for name, row in rows.items()}


def copy_tree(to: Path) -> Path:
    """Copy what git knows or would add, as it is on the disk now, with its byte code; gives `to`."""
    for name in _files():
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    return to


def plant(mutant: Mutant, tree: Path) -> list[str]:
    """Apply a mutant's patch to a copied tree; gives the files it changes. Raises Stale with the way to refresh it."""
    changed = changes(mutant.patch)
    for file in (tree / name for name in changed if (tree / name).exists()):
        mine = file.read_bytes()  # it may be one file with that of another copy
        file.unlink()
        file.write_bytes(mine)
    done = git("apply", "--whitespace=nowarn", str(mutant.patch), at=tree)
    if done.returncode:
        raise Stale(
            f"{mutant.patch.relative_to(ROOT)} does not apply any more: the lines it changes were edited.\n{done.stderr}"
            f"Refresh it: .venv/bin/python -m tests.mutants.refresh {mutant.name}"
        )
    for name in changed:
        # byte code is told from its source by second and size only, and a mutant may have both in common with it
        for stale in (tree / name).parent.glob(f"__pycache__/{Path(name).stem}.*"):
            stale.unlink()
    return changed


def changes(patch: Path) -> list[str]:
    """Give the files that a patch changes."""
    lines = patch.read_text("utf-8").splitlines()
    return [line.removeprefix("+++ b/") for line in lines if line.startswith("+++ b/")]


def git(*words: str, at: Path) -> subprocess.CompletedProcess[str]:
    """Run git on files in `at`, whatever repository may be around it."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env["GIT_CEILING_DIRECTORIES"] = str(at.resolve().parent)
    return subprocess.run(["git", *words], cwd=at, env=env, text=True, capture_output=True, check=False)


def _files() -> Sequence[str]:
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", at=ROOT)
    assert not listed.returncode, f"the mutants are copied by git: {listed.stderr}"
    names = [name for name in listed.stdout.split("\0") if name and not name.startswith(NOT_NEEDED)]
    return [name for name in names if (ROOT / name).is_file()] + list(_byte_code(names))


def _byte_code(names: Sequence[str]) -> Sequence[str]:
    """Give the byte code that is there already: a copy starts twice as fast with it."""
    folders = {Path(name).parent for name in names if name.endswith(".py")}
    return [str(code.relative_to(ROOT)) for part in folders for code in (ROOT / part).glob("__pycache__/*.pyc")]
