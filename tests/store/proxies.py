"""A wire between us and the database server that is cut at a chosen moment of a commit."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import URL, make_url

COMMIT = b"COMMIT\0"
PORT = 5432
THREAD_S = 10.0
"""Threads of a test end in a moment; one that does not is not waited for."""


class CutWire:
    """Passes on what it hears. `cut`, once set, says when the next commit loses its wire: "before" it arrives, or "after" it is done."""

    def __init__(self, address: str, folder: Path) -> None:
        self.cut = ""
        self.cuts = 0
        self._to = make_url(address)
        self._folder = folder
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(folder / f".s.PGSQL.{PORT}"))
        self._door.listen()
        self._ends = [self._door]
        self._threads: list[threading.Thread] = []
        self._start(self._welcome)

    @property
    def address(self) -> str:
        """Give the address of the same database by way of this wire."""
        to, query = self._to, {"host": str(self._folder), "port": str(PORT)}
        here = URL.create("postgresql", to.username, to.password, database=to.database, query=query)
        return here.render_as_string(hide_password=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(THREAD_S)
        for end in self._ends:
            end.close()

    def _start(self, work: Callable[..., None], *ends: socket.socket) -> None:
        thread = threading.Thread(target=work, args=ends, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _welcome(self) -> None:
        while True:
            try:
                ours, _ = self._door.accept()
            except OSError:
                return
            server = self._server()
            self._ends += [ours, server]
            self._start(_pour, server, ours)
            self._start(self._pass_on, ours, server)

    def _server(self) -> socket.socket:
        host = str(self._to.query.get("host") or self._to.host or "localhost")
        port = self._to.port or PORT
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _pass_on(self, ours: socket.socket, server: socket.socket) -> None:
        while said := _heard(ours):
            when = self.cut if COMMIT in said else ""
            if when:
                self.cut, self.cuts = "", self.cuts + 1
                self._cut(when, said, ours, server)
                return
            with suppress(OSError):  # the server has gone; its side tells ours
                server.sendall(said)
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    @staticmethod
    def _cut(when: str, said: bytes, ours: socket.socket, server: socket.socket) -> None:
        """Close our side first, so that no answer comes through; the server goes on with what it heard."""
        ours.shutdown(socket.SHUT_RDWR)
        if when == "after":
            server.sendall(said)
        server.shutdown(socket.SHUT_WR)


def _pour(source: socket.socket, to: socket.socket) -> None:
    while said := _heard(source):
        try:
            to.sendall(said)
        except OSError:
            return


def _heard(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""
