"""Foreign peers: each test that needs one says plainly when it is absent."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.peers import npm


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
