"""Lets people in: passwords, sessions, back-off after wrong tries."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from packline.core.clock import Clock
from packline.core.ids import Ids
from packline.store import Store
from packline.store.users import User
from web.audit import note

IDLE_S = 4 * 3600.0
MOST_S = 12 * 3600.0
TOUCH_S = 60.0
"""A session that is used is noted at most this often: reading a page need not write the books."""

MOST_NAME_CHARS = 80
FREE_TRIES = 5
FIRST_WAIT_S = 30.0
MOST_WAIT_S = 900.0
WATCHED_S = 3600.0
FREE_TRIES_ADDRESS = 20

MOST_VERIFYING = 2
VERIFY_PATIENCE_S = 5.0

# OWASP Password Storage Cheat Sheet: argon2id, 19 MiB, 2 iterations, 1 lane; measured 46 ms on one of two cores.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody signed in. `csrf` belongs to this session only."""

    name: str
    role: str
    csrf: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A fresh session: the cookie's `token` (never stored as it is) and the visitor."""

    token: str
    visitor: Visitor


class Refused(Exception):  # noqa: N818 - the trade's word
    """Nobody was let in. `reason` is a key of the catalogue; `wait_s` how long to wait before another try."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_s = wait_s


class Doors:
    """Signs people in and out. At most MOST_VERIFYING passwords are checked at once, so a flood cannot starve the line."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._verifying = threading.BoundedSemaphore(MOST_VERIFYING)

    def enter(self, name: str, password: str, address: str) -> Pass:
        """Sign in; raises Refused. The same work is done for a name that does not exist."""
        name = name[:MOST_NAME_CHARS]  # no user's is longer, and what strangers type is kept in the journal for ever
        self._wait_over(name, address)
        users, now = self._store.users, self._clock.now()
        user = self._tried(name, password, address)
        if user is None:
            note(self._store, now, "SignInRefused", name, actor=name, address=address)
            raise Refused("door.wrong")
        token, csrf = self._ids.token(), self._ids.token()
        users.begin_session(token, user=name, csrf=csrf, now=now, idle_s=IDLE_S, absolute_s=MOST_S)
        note(self._store, now, "SignedIn", name, actor=name, address=address)
        return Pass(token=token, visitor=Visitor(name=name, role=user.role, csrf=csrf))

    def who(self, token: str) -> Visitor | None:
        """Give who holds `token`; None when the session is over, or the person was disabled."""
        now = self._clock.now()
        session = self._store.users.session(token, now)
        if session is None:
            return None
        if (now - session.seen_at).total_seconds() >= TOUCH_S:
            self._store.users.touch_session(token, now, IDLE_S)
        return Visitor(name=session.user, role=session.role, csrf=session.csrf)

    def leave(self, token: str, name: str) -> None:
        """End the session."""
        self._store.users.end_session(token)
        note(self._store, self._clock.now(), "SignedOut", name, actor=name)

    def _wait_over(self, name: str, address: str) -> None:
        """Raise Refused while the pause after the last wrong try lasts; it doubles with each, up to MOST_WAIT_S."""
        now = self._clock.now()
        wrong = self._wrong(name, address, now, WATCHED_S)
        for tries, free, whose in zip(wrong, (FREE_TRIES, FREE_TRIES_ADDRESS), (0, 1), strict=True):
            pause_s = pause_after(tries, free)
            if pause_s and self._wrong(name, address, now, pause_s)[whose]:
                raise Refused("door.locked", pause_s)

    def _wrong(self, name: str, address: str, now: datetime, within_s: float) -> tuple[int, int]:
        return self._store.users.failures(name, address, now - timedelta(seconds=within_s))

    def _tried(self, name: str, password: str, address: str) -> User | None:
        """Give the user whose password this is; None for nobody's. Tries that came together are counted one by one."""
        if not self._verifying.acquire(timeout=VERIFY_PATIENCE_S):
            raise Refused("door.busy", VERIFY_PATIENCE_S)
        try:
            self._wait_over(name, address)  # whoever stood in the queue may have been the sixth
            user = self._store.users.get(name)
            usable = user is not None and not user.disabled
            right = _matches(user.password_hash if user and usable else _nobodys_hash(), password) and usable
            self._store.users.note_attempt(name, address, self._clock.now(), ok=right)
            return user if right else None
        finally:
            self._verifying.release()


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def hash_password(password: str) -> str:
    """Give the argon2id hash of `password`."""
    return _HASHER.hash(password)


@cache
def _nobodys_hash() -> str:
    """Give a hash that takes as long to check as anybody's."""
    return hash_password("nobody has this password")


def new_password(ids: Ids) -> str:
    """Give a password of 100 random bits that can be read out and typed: five groups of four."""
    alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    number = int.from_bytes(sha256(ids.token().encode()).digest(), "big")
    letters = [alphabet[number >> 5 * i & 31] for i in range(20)]
    return "-".join("".join(letters[i : i + 4]) for i in range(0, 20, 4))


def first_admin(store: Store, ids: Ids, clock: Clock) -> str | None:
    """Make the user "admin" in empty books and give the password, to be shown once; None when there are users."""
    if store.users.all():
        return None
    password = new_password(ids)
    store.users.create("admin", role="admin", password_hash=hash_password(password), now=clock.now())
    note(store, clock.now(), "UserAdded", "admin", actor="first start", role="admin")
    return password


def pause_after(failures: int, free: int) -> float:
    """Give the pause in seconds after so many wrong tries: none for `free`, then doubling, at most MOST_WAIT_S."""
    return min(MOST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures - free, 10)) if failures >= free else 0.0
