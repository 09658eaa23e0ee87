"""Users: add, role, disable, new password."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, abort, request

from packline.core.faults import Fault
from packline.orders.policy import ROLES
from packline.store import Store
from packline.store.users import NAME
from web import face, speech
from web.audit import note
from web.doors import hash_password, new_password
from web.guard import needs, visitor
from web.room import room

blueprint = Blueprint("users", __name__)


@blueprint.get("/users")
@needs("admin")
def listing() -> tuple[str, int]:
    """List users."""
    return _show()


@blueprint.post("/users")
@needs("admin")
def add() -> tuple[str, int]:
    """Add a user with a generated password."""
    name, role = request.form.get("name", "").strip(), request.form.get("role", "")
    if not NAME.fullmatch(name):
        return _show(error=speech.say("users.bad_name"))
    if role not in ROLES:
        abort(400)
    password = new_password(room().settings.ids)
    try:
        _store().users.create(name, role=role, password_hash=hash_password(password), now=_now())
    except Fault:
        return _show(error=speech.say("users.exists"))
    note(_store(), _now(), "UserAdded", name, actor=visitor().name, role=role)
    return _show(said=speech.say("users.added", name=name), password=password)


@blueprint.post("/users/<name>/role")
@needs("admin")
def role(name: str) -> tuple[str, int]:
    """Give another role."""
    wanted = request.form.get("role", "")
    if wanted not in ROLES:
        abort(400)
    if wanted != "admin" and _is_last_admin(name):
        return _show(error=speech.say("users.last_admin"))
    _store().users.set_role(_known(name), wanted, _now())
    note(_store(), _now(), "UserRoleChanged", name, actor=visitor().name, role=wanted)
    return _show(said=speech.say("users.changed", name=name))


@blueprint.post("/users/<name>/state")
@needs("admin")
def state(name: str) -> tuple[str, int]:
    """Lock out, or let in again."""
    disabled = request.form.get("disabled") == "yes"
    if disabled and _is_last_admin(name):
        return _show(error=speech.say("users.last_admin"))
    _store().users.set_disabled(_known(name), disabled, _now())
    note(_store(), _now(), "UserDisabled" if disabled else "UserEnabled", name, actor=visitor().name)
    return _show(said=speech.say("users.changed", name=name))


@blueprint.post("/users/<name>/password")
@needs("admin")
def password(name: str) -> tuple[str, int]:
    """Give a new generated password."""
    fresh = new_password(room().settings.ids)
    _store().users.set_password(_known(name), hash_password(fresh), _now())
    note(_store(), _now(), "UserPasswordReset", name, actor=visitor().name)
    return _show(said=speech.say("users.new_password", name=name), password=fresh)


def _show(*, error: str = "", said: str = "", password: str = "") -> tuple[str, int]:
    return face.page("users.html", people=_store().users.all(), roles=ROLES, error=error, said=said, password=password)


def _known(name: str) -> str:
    if _store().users.get(name) is None:
        abort(404)
    return name


def _is_last_admin(name: str) -> bool:
    admins = {user.name for user in _store().users.all() if user.role == "admin" and not user.disabled}
    return admins == {name}


def _store() -> Store:
    return room().settings.store


def _now() -> datetime:
    return room().settings.clock.now()
