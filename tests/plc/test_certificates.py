"""A device's certificate is believed for good reasons only, and each bad one has a fault of its own."""

from datetime import timedelta
from pathlib import Path

import pytest

from plc import certificates
from plc import trust as trust_folder
from plc.certificate_rules import Wanted, judge
from plc.certificates import days_left, read_der, uris, warning
from plc.own_certificate import make_own, read_own
from plc.security import Allow, LinkBarred, Protection, Secured, Unprotected, password, reach_of
from plc.trust import TrustFolder
from tests.plc.craft import CLIENT, NOW, URI, key, made, uses

WANTED = Wanted(where="plc-7", host="127.0.0.1", uri=URI)
DAY = timedelta(days=1)


def fault_of(certificate, trust: TrustFolder, wanted: Wanted = WANTED) -> LinkBarred | None:
    try:
        judge(certificate, wanted, trust, NOW)
    except LinkBarred as fault:
        return fault
    return None


@pytest.fixture
def trust(tmp_path: Path) -> TrustFolder:
    return TrustFolder(tmp_path / "pki")


def test_a_trusted_certificate_in_order_is_believed(trust):
    good = made().certificate
    trust.trust(good)
    assert fault_of(good, trust) is None


def test_a_stranger_is_refused_and_kept_for_a_look(trust):
    stranger = made().certificate
    fault = fault_of(stranger, trust)
    assert fault is not None
    assert (fault.code, fault.where) == (1011, "plc-7")
    assert certificates.thumbprint(stranger) in fault.seen
    (kept,) = trust.refused()
    assert f"packline pki trust SITE pki/refused/{kept.name}" in fault.remedy
    assert fault_of(stranger, trust) is not None
    assert len(trust.refused()) == 1


def test_strangers_do_not_fill_the_disk(trust, monkeypatch):
    monkeypatch.setattr(trust_folder, "MOST_REFUSED", 2)
    for name in ("a", "b", "c"):
        assert fault_of(made(name=name).certificate, trust)
    assert len(trust.refused()) == 2


@pytest.mark.parametrize(
    "changes, code, seen",
    [
        ({"begins": -9 * DAY, "ends": -DAY}, 1012, "valid"),
        ({"begins": DAY}, 1012, "valid"),
        ({"hosts": ("10.0.0.9", "plc-9")}, 1013, "plc-9"),
        ({"hosts": ()}, 1013, "no host"),
        ({"uri": "urn:test:other"}, 1013, "urn:test:other"),
        ({"purposes": CLIENT}, 1014, "no server authentication"),
        ({"purposes": None}, 1014, "no server authentication"),
        ({"usage": uses(digital_signature=False)}, 1014, "digital signature"),
        ({"usage": uses(data_encipherment=False)}, 1014, "encipherment"),
        ({"usage": uses(key_encipherment=False)}, 1014, "encipherment"),
        ({"usage": None}, 1014, "digital signature"),
        ({"secret": key(1024)}, 1014, "RSA of 1024 bits"),
    ],
)
def test_each_defect_of_a_trusted_certificate_has_its_own_fault(trust, changes, code, seen):
    bad = made(**changes).certificate
    trust.trust(bad)
    fault = fault_of(bad, trust)
    assert fault is not None
    assert fault.code == code
    assert seen in fault.seen
    assert fault.expected
    assert fault.remedy


def test_over_tls_no_application_uri_is_asked_for_and_a_missing_usage_means_any(trust):
    plain = made(uri="urn:test:other", purposes=None, usage=None).certificate
    trust.trust(plain)
    assert fault_of(plain, trust, Wanted(where="plc-7", host="127.0.0.1")) is None


def test_what_a_trusted_authority_signed_is_believed_and_nothing_else_of_that_name(trust):
    authority = made(name="plant ca", is_authority=True, usage=uses(key_cert_sign=True), secret=key(2048, 1))
    forger = made(name="plant ca", is_authority=True, usage=uses(key_cert_sign=True), secret=key(2048, 2))
    trust.trust(authority.certificate)
    assert fault_of(made(issuer=authority).certificate, trust) is None
    forged = fault_of(made(issuer=forger).certificate, trust)
    assert forged is not None
    assert forged.code == 1011


@pytest.mark.parametrize("usage", [uses(), uses(key_cert_sign=True), None])
def test_a_machines_own_certificate_vouches_for_no_other(trust, usage):
    machine = made(name="plc", secret=key(2048, 1), usage=usage)
    trust.trust(machine.certificate)
    fault = fault_of(made(issuer=machine).certificate, trust)
    assert fault is not None
    assert fault.code == 1011


def test_an_authority_that_ran_out_vouches_for_nobody(trust):
    old = made(name="ca", is_authority=True, usage=uses(key_cert_sign=True), secret=key(2048, 1), ends=-DAY)
    trust.trust(old.certificate)
    fault = fault_of(made(issuer=old).certificate, trust)
    assert fault is not None
    assert fault.code == 1012


def test_distrust_outweighs_the_authority(trust):
    authority = made(name="ca", is_authority=True, usage=uses(key_cert_sign=True), secret=key(2048, 1))
    trust.trust(authority.certificate)
    stolen = made(issuer=authority).certificate
    trust.distrust(stolen)
    fault = fault_of(stolen, trust)
    assert fault is not None
    assert fault.code == 1011
    trust.trust(stolen)
    assert fault_of(stolen, trust) is None


def test_our_own_certificate_says_who_we_are_and_its_key_is_ours_alone(tmp_path):
    made_own = make_own(tmp_path, name="Packline demo", uri="urn:x:packline:demo", hosts=["plant", "10.0.0.2"], now=NOW)
    own = read_own(tmp_path, NOW)
    assert own == made_own
    assert (own.uri, uris(own.certificate)) == ("urn:x:packline:demo", ["urn:x:packline:demo"])
    assert certificates.hosts(own.certificate) == ["plant", "10.0.0.2"]
    assert own.key_file.stat().st_mode & 0o777 == 0o600
    own.key_file.chmod(0o640)
    with pytest.raises(LinkBarred) as barred:
        read_own(tmp_path, NOW)
    assert (barred.value.code, barred.value.seen) == (1017, "mode 640")


def test_own_certificate_that_is_missing_or_ran_out_is_not_used(tmp_path):
    with pytest.raises(LinkBarred) as barred:
        read_own(tmp_path, NOW)
    assert barred.value.code == 1017
    assert "packline pki init" in barred.value.remedy
    made(ends=-DAY).kept(tmp_path)
    with pytest.raises(LinkBarred) as barred:
        read_own(tmp_path, NOW)
    assert barred.value.code == 1017


def test_a_device_may_show_its_authority_behind_its_own_certificate():
    authority = made(name="authority", is_authority=True)
    own = made(issuer=authority)
    assert read_der(own.der + authority.der, "there") == own.certificate
    for torn in (b"", b"0", own.der[:-1], own.der[:3], b"\x30\xff" + own.der):
        with pytest.raises(LinkBarred) as barred:
            read_der(torn, "there")
        assert barred.value.code == 1014


def test_a_certificate_warns_a_month_before_its_end():
    assert warning(made(ends=31 * DAY).certificate, NOW, "own") is None
    soon = made(ends=29 * DAY).certificate
    assert days_left(soon, NOW) == 28  # begun days do not count
    fault = warning(soon, NOW, "own")
    assert fault is not None
    assert fault.code == 1020
    over = warning(made(ends=-timedelta(seconds=1)).certificate, NOW, "own")
    assert over is not None
    assert over.code == 1022


def test_a_password_is_read_from_a_file_of_ours_alone_and_stands_nowhere_else(tmp_path):
    file = tmp_path / "secret"
    file.write_text("s3cret\n", "utf-8")
    file.chmod(0o600)
    said = Protection(policy="Basic256Sha256", user="packline", password_file="secret")
    reach = reach_of(said, Allow(), folder=tmp_path, pki=tmp_path)
    assert isinstance(reach.protection, Secured)
    assert password(reach.protection) == "s3cret"
    assert "s3cret" not in f"{said!r} {reach!r}"
    file.chmod(0o644)
    with pytest.raises(LinkBarred) as barred:
        password(reach.protection)
    assert barred.value.code == 1017
    assert "chmod 600" in barred.value.remedy
    assert barred.value.where.endswith("/secret")
    assert str(tmp_path) not in barred.value.text()
    file.chmod(0o600)
    for content, seen in (("", "an empty file"), (None, "no such file or directory")):
        file.write_text(content, "utf-8") if content is not None else file.unlink()
        with pytest.raises(LinkBarred) as barred:
            password(reach.protection)
        assert barred.value.seen == seen
        assert "Write the password" in barred.value.remedy


def test_none_is_taken_with_a_reason_only(tmp_path):
    reach = reach_of("none: closed machine network", Allow(), folder=tmp_path, pki=tmp_path)
    assert reach.protection == Unprotected(why="closed machine network")
