from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from ecluse.engines.docker.https import certificates
from ecluse.engines.docker.https.authority import Authority, certificate_path, own_certificate
from ecluse.engines.docker.https.certificates import Pair, Unusable
from ecluse.errors import EngineError
from ecluse.model.product import Tls

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
AUTHORITY = certificates.make_authority("box", NOW)
HOST = "hello.test.localhost"


def parts(pem: str) -> tuple[str, str]:
    """Certificate and key."""
    key, mark, rest = pem.partition("-----BEGIN CERTIFICATE-----")
    return mark + rest, key


def test_an_authority_says_whose_it_is_and_lasts_ten_years() -> None:
    made = x509.load_pem_x509_certificate(AUTHORITY.certificate.encode())
    assert made.subject.rfc4514_string() == "CN=Ecluse local authority of box\\, 2026-03-02"
    assert made.not_valid_after_utc.year == 2036
    assert AUTHORITY.key not in repr(AUTHORITY)


def test_a_certificate_is_for_ninety_days_and_renewed_thirty_before() -> None:
    pem = certificates.issue(AUTHORITY, "test of comptoir", [HOST], NOW)
    assert certificates.expiry(pem) == NOW + timedelta(days=90)
    for days, serves in ((0, True), (59, True), (60, False), (91, False)):
        now = NOW + timedelta(days=days)
        assert certificates.still_serves(pem, AUTHORITY, [HOST], now) is serves


def test_other_hosts_or_another_authority_ask_for_another_certificate() -> None:
    pem = certificates.issue(AUTHORITY, "test of comptoir", [HOST], NOW)
    assert not certificates.still_serves(pem, AUTHORITY, [HOST, "b.localhost"], NOW)
    assert not certificates.still_serves(pem, certificates.make_authority("box", NOW), [HOST], NOW)
    assert not certificates.still_serves("nonsense", AUTHORITY, [HOST], NOW)


def test_a_star_stands_for_one_label() -> None:
    pem = certificates.issue(AUTHORITY, "x", ["*.test.localhost", "one.localhost"], NOW)
    hosts = [HOST, "a.b.test.localhost", "one.localhost", "test.localhost"]
    assert certificates.uncovered(pem, hosts) == ["a.b.test.localhost", "test.localhost"]


def test_a_certificate_of_ones_own_must_fit_its_key_and_the_day() -> None:
    certificate, key = parts(certificates.issue(AUTHORITY, "x", [HOST], NOW))
    _, other = parts(certificates.issue(AUTHORITY, "x", [HOST], NOW))
    assert parts(certificates.combine(certificate, key, NOW)) == (certificate, key)
    for text, secret, now, message in (
        (certificate, other, NOW, "is not for the key beside it"),
        (certificate, key, NOW + timedelta(days=91), "expired on 2026-05-31"),
        (certificate, key, NOW - timedelta(days=2), "is valid only from 2026-03-02 on"),
        ("nonsense", key, NOW, "holds no certificate in PEM"),
        (certificate, "nonsense", NOW, "has no key in PEM beside it"),
    ):
        with pytest.raises(Unusable, match=message):
            certificates.combine(text, secret, now)


def test_files_that_will_not_do_are_named(tmp_path: Path) -> None:
    certificate, key = tmp_path / "own.crt", tmp_path / "own.key"
    tls = Tls("files", str(certificate), str(key))
    with pytest.raises(EngineError, match=rf"cannot read {certificate}: No such file"):
        own_certificate(tls, [HOST])
    texts = parts(certificates.issue(AUTHORITY, "x", [HOST], datetime.now(UTC)))
    certificate.write_text(texts[0])
    key.write_text(texts[1])
    key.chmod(0o644)
    with pytest.raises(EngineError, match=rf"others than its owner may read the key {key}"):
        own_certificate(tls, [HOST])
    key.chmod(0o600)
    assert own_certificate(tls, [HOST])
    with pytest.raises(EngineError, match=rf"{certificate} is not for b.localhost"):
        own_certificate(tls, [HOST, "b.localhost"])


async def nowhere() -> Pair | None:
    return None


async def test_the_authority_of_a_machine_is_made_once(tmp_path: Path) -> None:
    authority = Authority(tmp_path, nowhere)
    first = await authority.certify("x", [HOST], None)
    assert "whoever trusted an earlier one must trust this one" in (authority.news() or "")
    assert authority.news() is None
    known = certificate_path(tmp_path).read_text()
    assert await Authority(tmp_path, nowhere).certify("x", [HOST], first) == first
    assert certificate_path(tmp_path).read_text() == known
    assert (tmp_path / "authority" / "authority.key").stat().st_mode & 0o777 == 0o600
    assert Pair(known, "").certificate == known


async def test_an_authority_whose_files_are_gone_is_the_one_that_is_kept_elsewhere(tmp_path: Path) -> None:
    async def kept() -> Pair:
        return AUTHORITY

    authority = Authority(tmp_path, kept)
    assert authority.pair() is None
    pem = await authority.certify("x", [HOST], None)
    assert authority.pair() == AUTHORITY
    assert certificates.still_serves(pem, AUTHORITY, [HOST], datetime.now(UTC))
    assert "trusted as before" in (authority.news() or "")
