"""Reads the numbers of a command line, says in plain words which it would have taken, and how many there are of what."""

from __future__ import annotations

import argparse

MOST_ORDERS = 1_000_000
MOST_SPEED = 1000
MOST_ROUNDS = 1000
MOST_PORT = 65535
MOST_JOBS, MOST_RUNS = 1024, 100_000
MOST_SECONDS = 86_400 * 31
MOST_LOOKS = 1_000_000_000
LEAST_EVERY_S, MOST_EVERY_S = 0.05, 3600.0


def orders(text: str) -> int:
    """Give a number of orders."""
    return _whole(text, MOST_ORDERS)


def rounds(text: str) -> int:
    """Give how often each tag is read."""
    return _whole(text, MOST_ROUNDS)


def jobs(text: str) -> int:
    """Give how many processes run at once."""
    return _whole(text, MOST_JOBS)


def pixels(text: str) -> int:
    """Give of how many parcels one is drawn in pixels; 0 is none."""
    return _whole(text, MOST_ORDERS, least=0)


def runs(text: str) -> int:
    """Give a number of independent runs."""
    return _whole(text, MOST_RUNS)


def seed(text: str) -> int:
    """Give what random numbers come from: any whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def looks(text: str) -> int:
    """Give a number of looks."""
    return _whole(text, MOST_LOOKS)


def every(text: str) -> float:
    """Give the seconds between two looks."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not LEAST_EVERY_S <= number <= MOST_EVERY_S:  # also what is no number at all (nan)
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {LEAST_EVERY_S} to {MOST_EVERY_S:.0f}")
    return number


def speed(text: str) -> float:
    """Give how many times faster than life things move."""
    return _above_zero(text, MOST_SPEED, "a number")


def port(text: str) -> int:
    """Give a port; 0 is any free one."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST_PORT)) and int(text) <= MOST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to {MOST_PORT} (0: any free one)")
    return int(text)


def seconds(text: str) -> float:
    """Give a number of seconds."""
    return _above_zero(text, MOST_SECONDS, "a number of seconds")


def _above_zero(text: str, most: float, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what} above 0 and at most {most}")
    return number


def _whole(text: str, most: int, least: int = 1) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
    return int(text)


def counted(number: int, what: str) -> str:
    """Say how many there are of what: `1 parcel`, `2 parcels`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
