"""Declares the first word of a verb that does several things."""

from __future__ import annotations

import argparse
from collections.abc import Mapping


def declare(options: argparse.ArgumentParser, actions: Mapping[str, str]) -> None:
    """Add the argument `action`: one of the names, each with what it does."""
    options.add_argument("action", choices=actions, help="; ".join(f"{name}: {text}" for name, text in actions.items()))
