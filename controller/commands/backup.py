"""`packline backup SITE [FILE]`: copy the books while the line runs; `--restore FILE` puts a copy back."""

from __future__ import annotations

import argparse
from pathlib import Path

from controller.commands.opening import open_books
from controller.recovery import RESTORED
from controller.site_file import load_site
from controller.sites import find_site
from controller.starting import DATABASE, data_of, only_one
from packline.store import restore


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument("site", type=Path, help="site file")
    options.add_argument("file", type=Path, help="the copy")
    options.add_argument("--restore", action="store_true", help="put FILE in place of the books; stop `up` first")


def run(chosen: argparse.Namespace) -> int:
    """Copy or restore."""
    path = find_site(chosen.site)
    if chosen.restore:
        data = data_of(load_site(path), path)
        data.mkdir(parents=True, exist_ok=True)
        with only_one(data, "up"), only_one(data):
            restore(chosen.file, data / DATABASE, mark=RESTORED)
        print("restored; the next start compares the books with machines and hosts and asks about every order in work")
        return 0
    with open_books(path) as store:
        store.backup(chosen.file)
    print(f"copied to {chosen.file}")
    return 0
