"""Reads the numbers of a command line, and says in plain words which it would have taken."""

from __future__ import annotations

import argparse

MOST_ORDERS = 1_000_000
MOST_SPEED = 1000


def orders(text: str) -> int:
    """Give a number of orders."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MOST_ORDERS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {MOST_ORDERS}")
    return int(text)


def speed(text: str) -> float:
    """Give how many times faster than life things move."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= MOST_SPEED:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0 and at most {MOST_SPEED}")
    return number
