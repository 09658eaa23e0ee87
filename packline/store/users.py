"""People who may sign in, their sessions and their tries. All of it blocks: only the web and the command line use it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Delete, Row, Update, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.orders.policy import ROLES
from packline.store.schema import app_user, login_attempt, session
from packline.store.writer import Writer

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
    """A login; `role` is the user's role now. It is over at `idle_until` or `until`, whichever comes first."""

    user: str
    role: str
    csrf: str
    created_at: datetime
    seen_at: datetime
    idle_until: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """Wrong tries: of a user since the last right one, and from an address; with the time of the last of each."""

    user_failures: int
    user_last: datetime | None
    address_failures: int
    address_last: datetime | None


class Users:
    """Users, sessions and tries. Passwords are hashed, and tokens drawn and hashed, by the caller."""

    def __init__(self, writer: Writer, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock

    # --- users

    def add_now(self, name: str, *, role: str, password_hash: str) -> User:
        """Add a user; raises Fault 4301 for a taken name or an unknown role."""
        _check_role(role)
        at = self._clock.now()
        row = {"name": name, "role": role, "password_hash": password_hash, "created_at": at, "changed_at": at}
        try:
            self._writer.write_now(lambda connection: connection.execute(insert(app_user), row).rowcount)
        except IntegrityError as error:
            raise Fault(4301, where=f"user {name}", seen="a name that is taken", expected="a new name") from error
        return User(name=name, role=role, password_hash=password_hash, disabled=False, created_at=at)

    def get_now(self, name: str) -> User | None:
        """Give a user, disabled ones too."""
        query = select(app_user).where(app_user.c.name == name)
        row = self._writer.read_now(lambda connection: connection.execute(query).first())
        return None if row is None else _user(row)

    def all_now(self) -> list[User]:
        """List everybody by name."""
        query = select(app_user).order_by(app_user.c.name)
        return self._writer.read_now(lambda connection: [_user(row) for row in connection.execute(query)])

    def set_role_now(self, name: str, role: str) -> None:
        """Give a user another role; it holds from the next click on. Raises Fault 4301."""
        _check_role(role)
        self._change(name, role=role)

    def set_password_now(self, name: str, password_hash: str) -> None:
        """Change a password and end all the user's sessions. Raises Fault 4301."""
        self._change(name, end_sessions=True, password_hash=password_hash)

    def set_disabled_now(self, name: str, disabled: bool) -> None:
        """Lock a user out (and end the sessions), or let in again. Raises Fault 4301."""
        self._change(name, end_sessions=disabled, disabled=disabled)

    def delete_now(self, name: str) -> None:
        """Remove a user and the sessions; nothing if there is none."""
        self._execute(delete(app_user).where(app_user.c.name == name))

    # --- sessions

    def open_session_now(
        self, *, token_sha256: str, user: str, csrf: str, idle_until: datetime, until: datetime
    ) -> None:
        """Begin a session; only the SHA-256 of its token is kept."""
        at = self._clock.now()
        row = {"token_sha256": token_sha256, "user": user, "csrf": csrf, "created_at": at, "seen_at": at}
        row |= {"idle_until": idle_until, "until": until}
        self._writer.write_now(lambda connection: _begin(connection, row))

    def session_now(self, token_sha256: str) -> Session | None:
        """Give a session, over or not; None for an unknown one and for a disabled user."""
        query = (
            select(*(session.c[name] for name in Session.__slots__ if name != "role"), app_user.c.role)
            .join(app_user, app_user.c.name == session.c.user)
            .where(session.c.token_sha256 == token_sha256, ~app_user.c.disabled)
        )
        row = self._writer.read_now(lambda connection: connection.execute(query).first())
        return None if row is None else Session(**row._asdict())

    def touch_session_now(self, token_sha256: str, *, idle_until: datetime) -> None:
        """Note that the user is there."""
        change = update(session).where(session.c.token_sha256 == token_sha256)
        self._execute(change.values(seen_at=self._clock.now(), idle_until=idle_until))

    def end_session_now(self, token_sha256: str) -> None:
        """Sign out."""
        self._execute(delete(session).where(session.c.token_sha256 == token_sha256))

    def end_sessions_now(self, user: str) -> None:
        """Sign a user out everywhere."""
        self._execute(delete(session).where(session.c.user == user))

    # --- tries

    def attempt_now(self, user: str, address: str, *, ok: bool) -> None:
        """Write down a try to sign in."""
        row = {"user": user, "address": address, "at": self._clock.now(), "ok": ok}
        self._writer.write_now(lambda connection: connection.execute(insert(login_attempt), row).rowcount)

    def attempts_now(self, user: str, address: str, *, since: datetime) -> Tries:
        """Count wrong tries since `since`."""
        return self._writer.read_now(lambda connection: _tries(connection, user, address, since))

    def tidy_now(self, before: datetime) -> None:
        """Forget sessions that are over, and tries from before `before`."""
        now = self._clock.now()
        self._execute(delete(session).where((session.c.until <= now) | (session.c.idle_until <= now)))
        self._execute(delete(login_attempt).where(login_attempt.c.at < before))

    def _change(self, name: str, *, end_sessions: bool = False, **values: Any) -> None:
        change = update(app_user).where(app_user.c.name == name).values(**values, changed_at=self._clock.now())

        def work(connection: Connection) -> int:
            if end_sessions:
                connection.execute(delete(session).where(session.c.user == name))
            return connection.execute(change).rowcount

        if not self._writer.write_now(work):
            raise Fault(4301, where=f"user {name}", seen="no such user")

    def _execute(self, statement: Update | Delete) -> None:
        self._writer.write_now(lambda connection: connection.execute(statement).rowcount)


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Fault(4301, where="role", seen=role, expected=f"one of {', '.join(ROLES)}")


def _begin(connection: Connection, row: dict[str, Any]) -> None:
    query = select(session.c.token_sha256).where(session.c.user == row["user"]).order_by(session.c.seen_at.desc())
    surplus = connection.execute(query.offset(MOST_SESSIONS - 1).limit(-1)).scalars().all()
    connection.execute(delete(session).where(session.c.token_sha256.in_(surplus)))
    connection.execute(insert(session), row)


def _tries(connection: Connection, user: str, address: str, since: datetime) -> Tries:
    bad = select(func.count(), func.max(login_attempt.c.at)).where(login_attempt.c.at >= since, ~login_attempt.c.ok)
    good = select(func.max(login_attempt.c.id)).where(login_attempt.c.user == user, login_attempt.c.ok)
    of_user = bad.where(login_attempt.c.user == user, login_attempt.c.id > func.coalesce(good.scalar_subquery(), 0))
    user_failures, user_last = connection.execute(of_user).one()
    address_failures, address_last = connection.execute(bad.where(login_attempt.c.address == address)).one()
    return Tries(
        user_failures=user_failures,
        user_last=user_last,
        address_failures=address_failures,
        address_last=address_last,
    )


def _user(row: Row[Any]) -> User:
    return User(
        name=row.name,
        role=row.role,
        password_hash=row.password_hash,
        disabled=row.disabled,
        created_at=row.created_at,
    )
