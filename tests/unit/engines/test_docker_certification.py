from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509

from ecluse.engines.docker.https import certificates
from ecluse.engines.docker.https.certification import Ledger
from ecluse.model.product import Tls

NOW = datetime(2026, 3, 2, tzinfo=UTC)
TLS = Tls("acme", directory="https://acme.example.fr/directory")
HOSTS = ["a.example.fr"]


def test_a_failure_waits_longer_each_time_and_never_more_than_half_a_day() -> None:
    ledger, waits = Ledger(), []
    for _ in range(10):
        ledger = ledger.failed(TLS, HOSTS, "no", NOW)
        waits.append((datetime.fromisoformat(ledger.again or "") - NOW).total_seconds() / 60)
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 720, 720]


def test_other_hosts_and_another_directory_do_not_wait() -> None:
    ledger = Ledger().failed(TLS, HOSTS, "no", NOW)
    assert not ledger.may_ask(TLS, HOSTS, NOW + timedelta(minutes=4))
    assert ledger.may_ask(TLS, HOSTS, NOW + timedelta(minutes=5))
    assert ledger.may_ask(TLS, ["b.example.fr"], NOW)
    assert ledger.may_ask(Tls("acme", directory="https://other.example.fr/directory"), HOSTS, NOW)


def test_a_request_names_exactly_the_hosts() -> None:
    key, text = certificates.request(["a.example.fr", "b.example.fr"])
    request = x509.load_pem_x509_csr(text.encode())
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.example.fr", "b.example.fr"]
    assert request.is_signature_valid
    assert key.startswith("-----BEGIN PRIVATE KEY-----")


def test_a_certificate_is_spent_when_a_third_of_its_life_or_thirty_days_are_left() -> None:
    pair = certificates.make_authority("here", NOW)
    text = certificates.issue(pair, "x", HOSTS, NOW)
    assert not certificates.is_mostly_spent(text, NOW + timedelta(days=59))
    assert certificates.is_mostly_spent(text, NOW + timedelta(days=61))
