"""Foreign peers: each test that needs one says plainly when it is absent."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.peers import npm
from tests.peers.foreign import built_or_skipped


@pytest.fixture(scope="session")
def packages() -> Path:
    """Give the folder with the foreign JavaScript libraries."""
    try:
        return npm.installed()
    except npm.Absent as absent:
        pytest.skip(str(absent))


@pytest.fixture(scope="session")
def mbpoll() -> str:
    """Give Debian's mbpoll."""
    path = shutil.which("mbpoll")
    if path is None:
        pytest.skip("mbpoll is absent: install Debian's package mbpoll")
    return path


@pytest.fixture(scope="session")
def libmodbus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the client and server on Debian's libmodbus."""
    return built_or_skipped(tmp_path_factory.mktemp("libmodbus"))
