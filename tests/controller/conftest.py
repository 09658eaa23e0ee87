"""The stations' rig serves the controller's tests too: real books, a hall that remembers."""

from __future__ import annotations

from tests.stations.conftest import database, life, rig

__all__ = ["database", "life", "rig"]
