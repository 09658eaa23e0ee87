"""Fixtures: the plant of `rig.py`, running."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from PIL import Image

from tests.simulation.rig import (
    Hand,
    RawModbus,
    Served,
    label_bitmap,
    label_job,
    plant_spec,
    raw_exchange,
    running,
    without_opc_ua,
)
from tests.waiting import eventually


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """Serve the plant without its OPC UA devices."""
    async for plant in running(without_opc_ua(plant_spec())):
        yield plant


@pytest.fixture
async def served_whole() -> AsyncIterator[Served]:
    """Serve the whole plant."""
    async for plant in running(plant_spec()):
        yield plant


@pytest.fixture
def make_label_job() -> Callable[..., bytes]:
    return label_job


@pytest.fixture
def make_label() -> Callable[..., Image.Image]:
    return label_bitmap


@pytest.fixture
def raw() -> Callable[..., Awaitable[bytes]]:
    return raw_exchange


@pytest.fixture
def raw_modbus() -> type[RawModbus]:
    return RawModbus


@pytest.fixture
def hand() -> type[Hand]:
    return Hand


@pytest.fixture
def wait_until() -> Callable[..., Awaitable[Any]]:
    return eventually
