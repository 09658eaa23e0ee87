"""Other sites, other roles and strangers stay outside."""

import pytest

from tests.web.stage import READY

PAGES = ["/", "/orders", "/exceptions", "/alarms", "/items", "/recovery", f"/parcels/{READY}", "/station/label-1"]
ASK = {"action": "station", "args": {"station": "label-1", "action": "hold"}, "key": "k" * 12}


@pytest.mark.parametrize("path", [*PAGES, "/quarantine", "/users", "/pictures/x"])
def test_strangers_are_sent_to_the_door(stage, path):
    answer = stage.app.test_client().get(path)

    assert answer.status_code == 303 and answer.headers["Location"].startswith("/login?next=")


@pytest.mark.parametrize("path", ["/api/line", "/api/exceptions", "/live", "/live/once"])
def test_programs_without_a_session_get_401(stage, path):
    answer = stage.app.test_client().get(path)

    assert answer.status_code == 401


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_for_a_viewer(furnished, path):
    assert furnished.client("viewer").get(path).status_code == 200


@pytest.mark.parametrize("role, path", [("viewer", "/quarantine"), ("operator", "/users"), ("integrator", "/users")])
def test_pages_above_a_role_are_forbidden(stage, role, path):
    assert stage.client(role).get(path).status_code == 403


def test_viewer_may_look_but_not_act(stage):
    client = stage.client("viewer")

    assert stage.post(client, "/api/requests", ASK).status_code == 403


@pytest.mark.parametrize("token", ["", "wrong", "0" * 43])
def test_post_without_the_sessions_token_changes_nothing(stage, token):
    client = stage.client("operator")

    answer = client.post("/api/requests", json=ASK, headers={"X-CSRF-Token": token})

    assert answer.status_code == 403
    assert stage.controller.handled == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_post_from_another_site_is_refused_even_with_the_token(stage, headers):
    client = stage.client("operator")

    assert stage.post(client, "/api/requests", ASK, **headers).status_code == 403


def test_token_of_another_session_does_not_fit(stage):
    mine, other = stage.client("operator"), stage.client("supervisor")
    mine.csrf = other.csrf

    assert stage.post(mine, "/api/requests", ASK).status_code == 403


def test_every_answer_carries_a_policy_without_inline_code(furnished):
    for path in [*PAGES, "/login", "/static/css/hmi.css", "/nowhere", "/api/health"]:
        with furnished.client("viewer").get(path) as answer:
            headers = answer.headers
        policy = headers["Content-Security-Policy"]
        assert "unsafe" not in policy and "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_pages_hold_no_inline_script_style_or_handler(furnished):
    client = furnished.client("admin")
    for path in [*PAGES, "/users", "/quarantine", "/login"]:
        page = client.get(path).text
        assert "<style" not in page and " style=" not in page and " onclick=" not in page
        assert page.count("<script") == page.count("<script src=")


def test_pages_are_not_kept_by_the_browser_but_hashed_assets_are(stage):
    client = stage.client("viewer")
    page = client.get("/")
    sheet = page.text.split('rel="stylesheet" href="')[1].split('"')[0]

    assert page.headers["Cache-Control"] == "no-store"
    with client.get(sheet) as kept:
        assert "immutable" in kept.headers["Cache-Control"]


def test_https_marks_the_cookie_and_asks_for_https_for_ever(tmp_path):
    from tests.web.stage import PASSWORD, Stage

    stage = Stage(tmp_path, https=True)
    try:
        answer = stage.app.test_client().post("/api/login", json={"user": "viewer", "password": PASSWORD})
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-packline=") and "Secure" in cookie
        assert "max-age" in answer.headers["Strict-Transport-Security"]
    finally:
        stage.close()


def test_a_crash_says_nothing_of_its_cause(stage, monkeypatch):
    def explode(*_args, **_kwargs):
        raise ZeroDivisionError("the secret inside")

    monkeypatch.setattr(stage.store.views, "orders", explode)
    answer = stage.client("viewer").get("/orders")

    assert answer.status_code == 500 and "secret" not in answer.text


def test_nothing_is_shown_as_html_that_the_world_wrote(furnished):
    furnished.exception(3001, station="label-1", subject="<script>alert(1)</script>")
    furnished.hub.poll()

    page = furnished.client("viewer").get("/exceptions").text
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


@pytest.mark.parametrize(
    "path, subject",
    [
        ("/parcels/PL9999999998", "no parcel PL9999999998"),
        ("/orders/marketplace-HM-0", "no order marketplace-HM-0"),
        ("/station/label-9", "no station label-9"),
        ("/pictures/01NONE", "no picture 01NONE"),
        ("/nowhere", "no page /nowhere"),
    ],
)
def test_a_page_that_is_not_there_names_what_there_is_none_of(furnished, path, subject):
    page = furnished.client("viewer").get(path)
    assert page.status_code == 404 and subject in page.text


def test_a_stranger_and_a_holder_of_an_old_link_are_told_no_names(furnished):
    for path in ("/nowhere-secret", "/buyer/nowhere-secret", "/buyer/nowhere-secret/pictures/x"):
        page = furnished.app.test_client().get(path)
        assert page.status_code == 404 and "no page" not in page.text
