"""Every route has an owner: who may call it, and who may not."""

import pytest

from tests.web.stage import PASSWORD, READY

ORDER = "marketplace-HM-10023"
PUBLIC, VIEWER, OPERATOR, SUPERVISOR, ADMIN = "", "viewer", "operator", "supervisor", "admin"
BY_SIGNATURE = "signature"
ROUTES = {
    "static": PUBLIC, "doors.login": PUBLIC, "doors.enter": PUBLIC, "doors.logout": PUBLIC, "doors.prefs": PUBLIC,
    "api.health": PUBLIC, "api.login": PUBLIC,
    "intake.feed": BY_SIGNATURE, "intake.courier": BY_SIGNATURE,
    "buyer.page": BY_SIGNATURE, "buyer.picture": BY_SIGNATURE, "buyer.answer": BY_SIGNATURE, "buyer.turn": BY_SIGNATURE,
    "overview.page": VIEWER, "plan.page": VIEWER, "plan.replay": VIEWER, "station.page": VIEWER, "orders.listing": VIEWER,
    "orders.page": VIEWER, "parcels.page": VIEWER, "parcels.picture": VIEWER, "exceptions.listing": VIEWER,
    "alarms.listing": VIEWER, "items.listing": VIEWER, "recovery.page": VIEWER, "account.page": VIEWER,
    "account.change": VIEWER, "scan.scan": VIEWER, "api.line": VIEWER, "api.exceptions": VIEWER, "stream.events": VIEWER,
    "stream.once": VIEWER,
    "acts.act": OPERATOR, "api.requests": OPERATOR, "quarantine.listing": OPERATOR, "quarantine.message": OPERATOR,
    "items.take": SUPERVISOR, "quarantine.dismiss": SUPERVISOR,
    "users.listing": ADMIN, "users.add": ADMIN, "users.role": ADMIN, "users.state": ADMIN, "users.password": ADMIN,
}  # fmt: skip
"""Who may call what. A route that is not here has no owner: somebody must decide."""
BELOW = {VIEWER: "", OPERATOR: "viewer", SUPERVISOR: "operator", ADMIN: "integrator"}
NAMES = {"lpn": READY, "order_id": ORDER, "picture_id": "x", "name": "label-1", "inbox_id": 1, "token": "x", "feed": "marketplace", "filename": "css/hmi.css"}  # fmt: skip


def routes(stage):
    """Give (endpoint, address, method) of everything that can be called."""
    with stage.app.test_request_context():
        urls = stage.app.url_map.bind("localhost")
        for rule in stage.app.url_map.iter_rules():
            address = urls.build(rule.endpoint, {name: NAMES[name] for name in rule.arguments})
            yield from (
                (rule.endpoint, address, method) for method in sorted((rule.methods or set()) & {"GET", "POST"})
            )


def test_every_route_has_an_owner_and_lets_nobody_in_below(furnished):
    known = list(routes(furnished))
    assert {endpoint for endpoint, _, _ in known} == set(ROUTES)
    clients = {role: furnished.client(role) for role in ("", "viewer", "operator", "integrator")}
    opened = []
    for endpoint, address, method in known:
        least = ROUTES[endpoint]
        if least in (PUBLIC, BY_SIGNATURE):
            continue
        for role in {"", BELOW[least]}:
            client = clients[role]
            answer = client.open(address, method=method, headers={"X-CSRF-Token": client.csrf})
            if answer.status_code not in (303, 401, 403):
                opened.append((endpoint, role, answer.status_code))

    assert opened == [] and furnished.controller.handled == []


def test_what_a_signature_opens_is_shut_without_one(furnished):
    client = furnished.client("admin")
    for endpoint, address, method in routes(furnished):
        if ROUTES[endpoint] == BY_SIGNATURE:
            assert client.open(address, method=method, data=b"{}").status_code in (400, 401, 404), endpoint


def test_every_post_of_a_session_needs_its_token(furnished):
    client = furnished.client("admin")
    shut = {
        endpoint: client.open(address, method="POST").status_code
        for endpoint, address, method in routes(furnished)
        if method == "POST" and ROUTES[endpoint] != BY_SIGNATURE and endpoint not in ("doors.enter", "api.login")
    }

    assert len(shut) > 8 and set(shut.values()) == {403}


def test_signing_in_gives_a_new_session_and_never_takes_one_that_was_brought_along(stage):
    client = stage.app.test_client()
    client.set_cookie("packline", "a-session-that-a-stranger-chose")
    client.post("/api/login", json={"user": "viewer", "password": PASSWORD})
    first = client.get_cookie("packline").value
    client.post("/api/login", json={"user": "viewer", "password": PASSWORD})

    assert len({first, client.get_cookie("packline").value, "a-session-that-a-stranger-chose"}) == 3


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example", "\\\\evil.example", "javascript:alert(1)", "/%5c%5cevil", "http:evil"])  # fmt: skip
def test_no_link_leads_out_of_the_house_after_signing_in(stage, target):
    form = {"user": "viewer", "password": PASSWORD, "next": target}
    answer = stage.app.test_client().post("/login", data=form)

    where = answer.headers["Location"]
    assert answer.status_code == 303 and where.startswith("/") and not where.startswith(("//", "/\\", "/\t"))
