"""`packline backup SITE [FILE]`: copy the books while the line runs; `--restore FILE` puts a copy back."""

from __future__ import annotations

import argparse
from pathlib import Path

from controller.commands.folders import make_folder, owners_alone
from controller.commands.opening import open_books
from controller.recovery import RESTORED
from controller.site_file import load_site
from controller.sites import find_site
from controller.starting import books_file, data_of, only_one
from packline.core.faults import Fault
from packline.store import restore

OWN_TOOLS = "Restore it by the database's own tools, or take PACKLINE_DATABASE out of the environment."


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
        books = books_file(data)
        if books is None:
            seen = "PACKLINE_DATABASE names a database that is no file"
            raise Fault(5002, where=str(path), seen=seen, expected="books in a file", remedy=OWN_TOOLS)
        for folder in (data, books.parent):
            make_folder(folder, is_private=True)
        with only_one(data, "up"), only_one(data), owners_alone():
            restore(chosen.file, books, mark=RESTORED)
        print("restored; the next start compares the books with machines and hosts and asks about every order in work")
        return 0
    with open_books(path) as store, owners_alone():
        store.backup(chosen.file)
    print(f"copied to {chosen.file}")
    return 0
