"""People who may sign in, their sessions and their tries. All of it blocks: only the web and the command line use it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Delete, Row, Update, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from packline.core.faults import Fault
from packline.orders.policy import ROLES
from packline.store.schema import app_user, login_attempt, session
from packline.store.writer import Writer

NAME = re.compile(r"\w[\w.-]{1,39}")
LEAST_PASSWORD_CHARS = 10
MOST_PASSWORD_CHARS = 200

MOST_SESSIONS = 20
"""Sessions of one user; the one that was silent longest ends when one more begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody with a role of `policy.ROLES`."""

    name: str
    role: str
    password_hash: str
    disabled: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A login that is good; `role` is the user's role now."""

    user: str
    role: str
    csrf: str
    created_at: datetime
    seen_at: datetime


def check_name(name: str) -> None:
    """Raise Fault 4301 for a name that nobody may have, at whichever door it comes in."""
    if not NAME.fullmatch(name):
        expected = "2 to 40 letters, digits, dots, dashes or underscores, no dot or dash first"
        raise Fault(4301, where="user name", seen=repr(name[:60]), expected=expected, remedy="Choose such a name.")


def check_password(password: str) -> None:
    """Raise Fault 4301 for a password that is too short or too long; it is never shown."""
    if not LEAST_PASSWORD_CHARS <= len(password) <= MOST_PASSWORD_CHARS:
        seen, expected = f"{len(password)} characters", f"{LEAST_PASSWORD_CHARS} to {MOST_PASSWORD_CHARS}"
        raise Fault(4301, where="password", seen=seen, expected=expected, remedy="Choose a password of that length.")


class Users:
    """Users, sessions and tries. Hashing passwords and drawing tokens is the caller's."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    # --- users

    def create(self, name: str, *, role: str, password_hash: str, now: datetime) -> User:
        """Add a user; raises Fault 4301 for a taken or impossible name, or an unknown role."""
        check_name(name)
        _check_role(role)
        row = {"name": name, "role": role, "password_hash": password_hash, "created_at": now, "changed_at": now}
        try:
            self._writer.write_now(lambda connection: connection.execute(insert(app_user), row).rowcount)
        except IntegrityError as error:
            where, remedy = f"user {name}", "Choose another name."
            raise Fault(4301, where=where, seen="a name that is taken", expected="a new name", remedy=remedy) from error
        return User(name=name, role=role, password_hash=password_hash, disabled=False, created_at=now)

    def get(self, name: str) -> User | None:
        """Give a user, disabled ones too."""
        query = select(app_user).where(app_user.c.name == name)
        row = self._writer.read_now(lambda connection: connection.execute(query).first())
        return None if row is None else _user(row)

    def all(self) -> list[User]:
        """List everybody by name."""
        query = select(app_user).order_by(app_user.c.name)
        return self._writer.read_now(lambda connection: [_user(row) for row in connection.execute(query)])

    def set_role(self, name: str, role: str, now: datetime) -> None:
        """Give a user another role; it holds from the next click on. Raises Fault 4301."""
        _check_role(role)
        self._change(name, now, role=role)

    def set_password(self, name: str, password_hash: str, now: datetime) -> None:
        """Change a password and end all the user's sessions. Raises Fault 4301."""
        self._change(name, now, end_sessions=True, password_hash=password_hash)

    def set_disabled(self, name: str, disabled: bool, now: datetime) -> None:
        """Lock a user out (and end the sessions), or let in again. Raises Fault 4301."""
        self._change(name, now, end_sessions=disabled, disabled=disabled)

    def delete(self, name: str) -> None:
        """Remove a user and the sessions; nothing if there is none."""
        self._execute(delete(app_user).where(app_user.c.name == name))

    # --- sessions

    def begin_session(
        self, token: str, *, user: str, csrf: str, now: datetime, idle_s: float, absolute_s: float
    ) -> None:
        """Begin a session under `token` (only its SHA-256 is kept): over after `idle_s` of silence or `absolute_s`."""
        row = {"token_sha256": _digest(token), "user": user, "csrf": csrf, "created_at": now, "seen_at": now}
        row |= {"idle_until": now + timedelta(seconds=idle_s), "until": now + timedelta(seconds=absolute_s)}
        self._writer.write_now(lambda connection: _begin(connection, row))

    def session(self, token: str, now: datetime) -> Session | None:
        """Give the session of `token` if it is good at `now` and its user is not disabled."""
        query = (
            select(session.c.user, app_user.c.role, session.c.csrf, session.c.created_at, session.c.seen_at)
            .join(app_user, app_user.c.name == session.c.user)
            .where(session.c.token_sha256 == _digest(token), ~app_user.c.disabled)
            .where(session.c.idle_until > now, session.c.until > now)
        )
        row = self._writer.read_now(lambda connection: connection.execute(query).first())
        return None if row is None else Session(**row._asdict())

    def touch_session(self, token: str, now: datetime, idle_s: float) -> None:
        """Note that the user is there: the silence counts from `now`."""
        change = update(session).where(session.c.token_sha256 == _digest(token))
        self._execute(change.values(seen_at=now, idle_until=now + timedelta(seconds=idle_s)))

    def end_session(self, token: str) -> None:
        """Sign out."""
        self._execute(delete(session).where(session.c.token_sha256 == _digest(token)))

    def end_sessions(self, user: str) -> None:
        """Sign a user out everywhere."""
        self._execute(delete(session).where(session.c.user == user))

    # --- tries

    def note_attempt(self, user: str, address: str, now: datetime, *, ok: bool) -> None:
        """Write down a try to sign in."""
        row = {"user": user, "address": address, "at": now, "ok": ok}
        self._writer.write_now(lambda connection: connection.execute(insert(login_attempt), row).rowcount)

    def failures(self, user: str, address: str, since: datetime) -> tuple[int, int]:
        """Count wrong tries since `since`: (of this user after the last right one, from this address)."""
        return self._writer.read_now(lambda connection: _failures(connection, user, address, since))

    def tidy(self, now: datetime, keep_s: float) -> None:
        """Forget sessions that are over, and tries older than `keep_s`."""
        self._execute(delete(session).where((session.c.until <= now) | (session.c.idle_until <= now)))
        self._execute(delete(login_attempt).where(login_attempt.c.at < now - timedelta(seconds=keep_s)))

    def _change(self, name: str, now: datetime, *, end_sessions: bool = False, **values: Any) -> None:
        change = update(app_user).where(app_user.c.name == name).values(**values, changed_at=now)

        def work(connection: Connection) -> int:
            if end_sessions:
                connection.execute(delete(session).where(session.c.user == name))
            return connection.execute(change).rowcount

        if not self._writer.write_now(work):
            raise Fault(4301, where=f"user {name}", seen="no such user", remedy="Check the name, or add the user.")

    def _execute(self, statement: Update | Delete) -> None:
        self._writer.write_now(lambda connection: connection.execute(statement).rowcount)


def _check_role(role: str) -> None:
    if role not in ROLES:
        expected = f"one of {', '.join(ROLES)}"
        raise Fault(4301, where="role", seen=role, expected=expected, remedy="Choose one of these roles.")


def _begin(connection: Connection, row: dict[str, Any]) -> None:
    query = select(session.c.token_sha256).where(session.c.user == row["user"]).order_by(session.c.seen_at.desc())
    surplus = connection.execute(query.offset(MOST_SESSIONS - 1)).scalars().all()
    connection.execute(delete(session).where(session.c.token_sha256.in_(surplus)))
    connection.execute(insert(session), row)


def _failures(connection: Connection, user: str, address: str, since: datetime) -> tuple[int, int]:
    bad = select(func.count()).select_from(login_attempt).where(login_attempt.c.at >= since, ~login_attempt.c.ok)
    good = select(func.max(login_attempt.c.id)).where(login_attempt.c.user == user, login_attempt.c.ok)
    of_user = bad.where(login_attempt.c.user == user, login_attempt.c.id > func.coalesce(good.scalar_subquery(), 0))
    of_address = bad.where(login_attempt.c.address == address)
    return connection.execute(of_user).scalar_one(), connection.execute(of_address).scalar_one()


def _user(row: Row[Any]) -> User:
    return User(
        name=row.name,
        role=row.role,
        password_hash=row.password_hash,
        disabled=row.disabled,
        created_at=row.created_at,
    )


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
