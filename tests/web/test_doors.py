"""Who gets in, for how long, and how often one may try."""

import pytest
from sqlalchemy import select

from packline.core.clock import ManualClock
from packline.core.ids import SeededIds
from packline.store import open_store, schema
from tests.web.stage import PASSWORD, START
from web import doors

WRONG = {"user": "operator", "password": "guess"}
RIGHT = {"user": "operator", "password": PASSWORD}


def test_right_password_opens_a_session_whose_cookie_scripts_cannot_read(stage):
    answer = stage.app.test_client().post("/api/login", json=RIGHT)

    assert answer.status_code == 200 and answer.json["csrf"]
    assert "HttpOnly" in answer.headers["Set-Cookie"] and "SameSite=Lax" in answer.headers["Set-Cookie"]


def test_wrong_password_unknown_name_and_disabled_user_are_refused_alike(stage):
    stage.store.users.set_disabled("viewer", True, START)
    tries = [WRONG, {"user": "nobody", "password": PASSWORD}, {"user": "viewer", "password": PASSWORD}]

    answers = [stage.app.test_client().post("/api/login", json=body) for body in tries]

    assert [(a.status_code, a.json) for a in answers] == [(401, {"error": "door.wrong"})] * 3


def test_token_is_not_what_the_database_keeps(stage):
    client = stage.client("operator")
    token = client.get_cookie("packline").value

    assert token.encode() not in (stage.settings.data / "books.db").read_bytes()


def test_five_wrong_tries_make_the_sixth_wait_even_with_the_right_password(stage):
    client = stage.app.test_client()
    for _ in range(5):
        assert client.post("/api/login", json=WRONG).status_code == 401

    locked = client.post("/api/login", json=RIGHT)

    assert locked.status_code == 429 and int(locked.headers["Retry-After"]) >= 30


def test_the_wait_ends_and_a_good_sign_in_forgives_the_wrong_ones(stage):
    client = stage.app.test_client()
    for _ in range(5):
        client.post("/api/login", json=WRONG)
    stage.clock.advance(31)

    assert client.post("/api/login", json=RIGHT).status_code == 200
    assert client.post("/api/login", json=WRONG).status_code == 401


@pytest.mark.parametrize("failures, pause_s", [(0, 0), (4, 0), (5, 30), (6, 60), (9, 480), (10, 900), (500, 900)])
def test_pause_doubles_up_to_a_quarter_of_an_hour(failures, pause_s):
    assert doors.pause_after(failures, 5) == pause_s


def test_session_ends_after_silence_and_after_its_longest_time(stage):
    idle, busy = stage.client("viewer"), stage.client("operator")
    for _ in range(5):
        stage.clock.advance(doors.IDLE_S * 0.7)
        last = busy.get("/api/line").status_code

    assert idle.get("/api/line").status_code == 401
    assert last == 401  # 14 hours of work are beyond the longest session


def test_signing_out_ends_the_session_on_the_server(stage):
    client = stage.client("operator")
    token = client.get_cookie("packline").value
    client.post("/logout", data={"csrf": client.csrf})
    client.set_cookie("packline", token)

    assert client.get("/api/line").status_code == 401


def test_disabling_a_user_ends_open_sessions_at_once(stage):
    client = stage.client("operator")
    stage.store.users.set_disabled("operator", True, stage.clock.now())

    assert client.get("/api/line").status_code == 401


def test_first_admin_is_made_once_and_can_sign_in(tmp_path):
    clock, ids = ManualClock(START), SeededIds("first")
    store = open_store(f"sqlite:///{tmp_path / 'new.db'}", clock=clock, ids=ids, inline=True)
    try:
        password = doors.first_admin(store, ids, clock)
        again = doors.first_admin(store, ids, clock)

        assert password and again is None
        assert doors.Doors(store=store, clock=clock, ids=ids).enter("admin", password, "::1").visitor.role == "admin"
    finally:
        store.close()


def test_sign_ins_and_refusals_are_in_the_journal_without_passwords(stage):
    stage.client("operator")
    stage.app.test_client().post("/api/login", json={"user": "operator", "password": "hunter22hunter22"})

    kinds = {row.kind for row in journal(stage)}
    assert {"SignedIn", "SignInRefused"} <= kinds
    assert "hunter22" not in str([dict(row.data) for row in journal(stage)])


def test_next_page_after_sign_in_is_never_another_site(stage):
    for target in ("//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"):
        answer = stage.app.test_client().post("/login", data={**RIGHT, "next": target})
        assert answer.headers["Location"] == "/"
    kept = stage.app.test_client().post("/login", data={**RIGHT, "next": "/orders?show=all"})
    assert kept.headers["Location"] == "/orders?show=all"


def test_last_administrator_can_neither_be_disabled_nor_demoted(stage):
    client = stage.client("admin")

    client.post("/users/admin/state", data={"disabled": "yes", "csrf": client.csrf})
    client.post("/users/admin/role", data={"role": "viewer", "csrf": client.csrf})

    admin = stage.store.users.get("admin")
    assert not admin.disabled and admin.role == "admin"


def test_new_user_gets_a_password_that_is_shown_once_and_works(stage):
    client = stage.client("admin")
    page = client.post("/users", data={"name": "lin", "role": "operator", "csrf": client.csrf}).text
    password = page.split('class="secret">')[1].split("<")[0]

    assert stage.app.test_client().post("/api/login", json={"user": "lin", "password": password}).status_code == 200
    assert password not in client.get("/users").text


def test_changing_ones_password_needs_the_old_one_and_ends_every_other_session(stage):
    mine, elsewhere = stage.client("operator"), stage.client("operator")
    new = "a sentence nobody else knows"
    wrong = mine.post("/account", data={"old": "guess", "new": new, "csrf": mine.csrf})
    short = mine.post("/account", data={"old": PASSWORD, "new": "short", "csrf": mine.csrf})
    assert "not right" in wrong.text and "10 to 200" in short.text

    changed = mine.post("/account", data={"old": PASSWORD, "new": new, "csrf": mine.csrf})

    assert "was changed" in changed.text and mine.get("/api/line").status_code == 200
    assert elsewhere.get("/api/line").status_code == 401
    assert stage.app.test_client().post("/api/login", json=RIGHT).status_code == 401
    assert stage.app.test_client().post("/api/login", json={**RIGHT, "password": new}).status_code == 200


def journal(stage):
    query = select(schema.journal).order_by(schema.journal.c.seq)
    return stage.store.writer.read_now(lambda db: db.execute(query).all())


def test_a_password_is_kept_at_the_price_that_owasp_asks():
    assert doors.hash_password("any password at all").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
