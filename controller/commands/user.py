"""`packline user SITE NAME`: add a user, or give one a new password."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path

from controller.commands.opening import open_books
from controller.sites import find_site
from packline.core.clock import WallClock
from packline.orders.policy import ROLES
from packline.store.users import check_name, check_password
from web.doors import hash_password


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument("site", type=Path, help="site file")
    options.add_argument("name", help="user name")
    options.add_argument("--role", choices=ROLES, default="operator")


def run(chosen: argparse.Namespace) -> int:
    """Ask for the password (or read it from standard input) and store its hash."""
    check_name(chosen.name)
    path = find_site(chosen.site)
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    check_password(password)
    # books without anybody in them are of use to an administrator only
    with open_books(path, may_make=chosen.role == "admin") as store:
        now = WallClock().now()
        if store.users.get(chosen.name):
            store.users.set_password(chosen.name, hash_password(password), now)
        else:
            store.users.create(chosen.name, role=chosen.role, password_hash=hash_password(password), now=now)
    print(f"{chosen.name} may sign in")
    return 0
