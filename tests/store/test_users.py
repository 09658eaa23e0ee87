from datetime import timedelta

import pytest

from packline.core.faults import Fault
from packline.store.users import MOST_SESSIONS

LIN = {"role": "operator", "password_hash": "argon2..."}


@pytest.fixture
def users(store, clock):
    store.users.create("lin", **LIN, now=clock.now())
    return store.users


def begin(users, clock, token: str = "t") -> None:
    users.begin_session(token, user="lin", csrf="c", now=clock.now(), idle_s=60, absolute_s=100)


def test_users_are_added_once_and_have_a_known_role(users, clock):
    assert users.get("lin").role == "operator"
    assert users.get("mei") is None
    assert [user.name for user in users.all()] == ["lin"]
    with pytest.raises(Fault):
        users.create("lin", **LIN, now=clock.now())
    with pytest.raises(Fault):
        users.create("mei", role="king", password_hash="", now=clock.now())
    with pytest.raises(Fault):
        users.set_role("mei", "admin", clock.now())


def test_role_holds_from_the_next_click_on(users, clock):
    begin(users, clock)

    users.set_role("lin", "supervisor", clock.now())

    assert users.session("t", clock.now()).role == "supervisor"


def test_session_ends_after_silence_and_after_its_time(users, clock):
    begin(users, clock)
    clock.advance(59)
    assert users.session("t", clock.now()).csrf == "c"

    users.touch_session("t", clock.now(), 60)
    clock.advance(40)
    assert users.session("t", clock.now() - timedelta(seconds=1)) is not None
    assert users.session("t", clock.now() + timedelta(seconds=1)) is None


def test_silent_session_is_over(users, clock):
    begin(users, clock)
    clock.advance(60)

    assert users.session("t", clock.now()) is None
    users.tidy(clock.now(), 0)


@pytest.mark.parametrize(
    "end",
    [
        lambda users, now: users.end_session("t"),
        lambda users, now: users.end_sessions("lin"),
        lambda users, now: users.set_password("lin", "new", now),
        lambda users, now: users.set_disabled("lin", True, now),
        lambda users, now: users.delete("lin"),
    ],
    ids=["sign out", "everywhere", "new password", "disabled", "deleted"],
)
def test_sessions_are_ended(users, clock, end):
    begin(users, clock)

    end(users, clock.now())

    assert users.session("t", clock.now()) is None


def test_session_of_a_user_who_was_locked_out_does_not_come_back_when_the_user_is_let_in_again(users, clock):
    begin(users, clock)

    users.set_disabled("lin", True, clock.now())
    users.set_disabled("lin", False, clock.now())

    assert users.session("t", clock.now()) is None


def test_token_itself_is_not_in_the_books(users, clock, path):
    begin(users, clock, "a-very-secret-token")

    assert not any(b"a-very-secret-token" in file.read_bytes() for file in path.parent.glob("books.db*"))


def test_oldest_session_makes_room(users, clock):
    for n in range(MOST_SESSIONS + 1):
        begin(users, clock, f"t{n}")
        clock.advance(0.1)

    assert users.session("t0", clock.now()) is None
    assert users.session("t1", clock.now()) is not None


def test_wrong_tries_are_counted_until_a_right_one(users, clock):
    start = clock.now()
    for user, address, ok in [("lin", "a", False), ("lin", "a", True), ("lin", "a", False), ("mei", "a", False)]:
        users.note_attempt(user, address, clock.now(), ok=ok)
    users.note_attempt("lin", "b", clock.now(), ok=False)

    assert users.failures("lin", "a", start) == (2, 3)
    assert users.failures("lin", "a", start + timedelta(seconds=1)) == (0, 0)
    clock.advance(10)
    users.tidy(clock.now(), 5)
    assert users.failures("lin", "a", start) == (0, 0)
