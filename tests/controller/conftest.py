"""The stations' rig serves the controller's tests too: real books, a hall that remembers."""

from __future__ import annotations

from tests.stations.conftest import empty_books, folder, life, rig

__all__ = ["empty_books", "folder", "life", "rig"]
