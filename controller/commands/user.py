"""`packline user SITE NAME`: add a user, or give one a new password."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path

from controller.commands.opening import open_books
from controller.sites import find_site
from packline.core.clock import WallClock
from packline.core.faults import Fault
from packline.orders.policy import ROLES
from web.doors import hash_password

LEAST_CHARACTERS = 8


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument("site", type=Path, help="site file")
    options.add_argument("name", help="user name")
    options.add_argument("--role", choices=ROLES, default="operator")


def run(chosen: argparse.Namespace) -> int:
    """Ask for the password (or read it from standard input) and store its hash."""
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(password) < LEAST_CHARACTERS:
        raise Fault(4301, where="password", seen=f"{len(password)} characters", expected=f"at least {LEAST_CHARACTERS}")
    with open_books(find_site(chosen.site)) as store:
        now = WallClock().now()
        if store.users.get(chosen.name):
            store.users.set_password(chosen.name, hash_password(password), now)
        else:
            store.users.create(chosen.name, role=chosen.role, password_hash=hash_password(password), now=now)
    print(f"{chosen.name} may sign in")
    return 0
