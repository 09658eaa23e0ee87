"""Makes a mutant's patch fit the tree again: `python -m tests.mutants.refresh NAME [FOLDER]`.

Without FOLDER the patch is planted in a copy of the tree, as far as it goes; what fits is written back at once. If a hunk
does not fit, the copy is left for a person to plant the fault by hand, and `refresh NAME FOLDER` makes the patch of it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutants.planting import HERE, ROOT, changes, copy_tree, git, table

CONTEXT_LINES = 2


def refresh(name: str) -> int:
    """Plant what still fits; gives the exit code."""
    patch = table()[name].patch
    copy = copy_tree(Path(tempfile.mkdtemp(prefix=f"{name}-")))
    done = git("apply", "--reject", "-C1", "--recount", str(patch), at=copy)
    if done.returncode:
        print(f"{done.stderr}\nPlant the fault by hand in {copy} (what did not fit is in *.rej), then:")
        print(f"  .venv/bin/python -m tests.mutants.refresh {name} {copy}")
        return 1
    return write(name, copy)


def write(name: str, copy: Path) -> int:
    """Write the patch anew from a copy in which the fault is planted; gives the exit code."""
    patch = HERE / f"{name}.patch"
    files = changes(patch)
    text = "".join(difference(file, copy) for file in files)
    if not text:
        print(f"{copy} differs from the tree in none of {files}")
        return 1
    patch.write_text(text, "utf-8")
    shutil.rmtree(copy)
    print(f"{patch.relative_to(ROOT)} fits again; see that it is still red: pytest tests/mutants -k {name}")
    return 0


def difference(file: str, copy: Path) -> str:
    """Give the unified diff of one file, as git apply reads it."""
    words = ["diff", "--no-index", "--no-color", f"-U{CONTEXT_LINES}", "--", str(ROOT / file), str(copy / file)]
    lines = subprocess.run(["git", *words], text=True, capture_output=True, check=False).stdout.splitlines(
        keepends=True
    )
    body = [line for line in lines if not line.startswith(("diff --git", "index ", "--- ", "+++ "))]
    return "".join([f"--- a/{file}\n", f"+++ b/{file}\n", *body]) if body else ""


if __name__ == "__main__":
    _, wanted, *folder = sys.argv
    sys.exit(write(wanted, Path(folder[0])) if folder else refresh(wanted))
