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
from packline.store.users import User, check_name, check_password
from web.doors import hash_password

USUAL = "operator"


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument("site", type=Path, help="site file")
    options.add_argument("name", help="user name")
    options.add_argument("--role", choices=ROLES, help=f"of a new user (default: {USUAL}); who is there keeps the role")


def run(chosen: argparse.Namespace) -> int:
    """Ask for the password (or read it from standard input) and store its hash."""
    check_name(chosen.name)
    path = find_site(chosen.site)
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    check_password(password)
    # books without anybody in them are of use to an administrator only
    with open_books(path, may_make=chosen.role == "admin") as store:
        now = WallClock().now()
        known = store.users.get(chosen.name)
        if known is not None:
            _demand_same_role(known, chosen.role)
            store.users.set_password(chosen.name, hash_password(password), now)
        else:
            role = chosen.role or USUAL
            store.users.create(chosen.name, role=role, password_hash=hash_password(password), now=now)
    if known is not None and known.disabled:
        print(f"{chosen.name} has a new password, and is disabled: an administrator lets in again on the page Users")
    else:
        print(f"{chosen.name} may sign in")
    return 0


def _demand_same_role(known: User, role: str | None) -> None:
    """Raise Fault 4301 for another role than the user has: a password must not be all that changes then, unsaid."""
    if role not in (None, known.role):
        remedy = "An administrator gives another role on the page Users; for a new password alone leave out --role."
        raise Fault(4301, where="--role", seen=str(role), expected=known.role, remedy=remedy)
