"""A pytest that is warm already: what is not ours is imported once, and each run is a fork of this process.

It is run as a file, so that nothing of ours is imported before a copied tree stands first in the path. It reads one JSON line
for each run, `{"tree", "words", "log"}`, and answers `{"code"}`.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import signal
import sys

NOT_OURS = (
    "PIL.ImageFile",
    "PIL.ImageFont",
    "_hypothesis_pytestplugin",
    "_pytest.junitxml",
    "_pytest.unittest",
    "alembic.command",
    "anyio._backends._asyncio",
    "anyio.pytest_plugin",
    "apscheduler.triggers.cron",
    "argon2",
    "biip",
    "cryptography.x509",
    "cv2",
    "escpos.printer",
    "h11",
    "httpx",
    "hypothesis",
    "multiprocessing.connection",
    "numpy.typing",
    "pydantic.dataclasses",
    "pydantic.json_schema",
    "pydantic.main",
    "pydantic.type_adapter",
    "pysqlite3.dbapi2",
    "pytest",
    "pytest_asyncio.plugin",
    "pytest_timeout",
    "simpy",
    "sqlalchemy.dialects.sqlite",
    "sqlite3",
    "xdist.plugin",
    "zxingcpp",
)
"""Libraries, and what pytest reads of its own for each run. One that is not there is left to the tests that want it."""
_DIE_WITH_PARENT = 1


def main() -> None:
    """Serve runs until standard input ends."""
    for name in NOT_OURS:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            become_pytest(**json.loads(line))
        _, status = os.waitpid(pid, 0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)


def become_pytest(tree: str, words: list[str], log: str) -> None:
    """Run pytest in `tree`, as if it had been started there; does not return."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    code = 3
    try:
        said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for handle, number in ((os.open(os.devnull, os.O_RDONLY), 0), (said, 1), (said, 2)):
            os.dup2(handle, number)
        os.chdir(tree)
        os.environ["PYTHONPATH"] = tree
        sys.path.insert(0, tree)
        code = int(importlib.import_module("pytest").main(words))
        atexit._run_exitfuncs()  # a fork ends without them, and folders that go when the tests do would stay
        sys.stdout.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
