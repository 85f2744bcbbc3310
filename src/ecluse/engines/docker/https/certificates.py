"""Certificates as texts (PEM): those of the local authority, and the user's own, made, read and judged. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = timedelta(days=3652)
LIFE = timedelta(days=90)
RENEW_BEFORE = timedelta(days=30)
_CLOCKS_DIFFER = timedelta(hours=1)
_NAME_CHARACTERS = 64
_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


class Unusable(Exception):
    """What is wrong with a certificate or a key that somebody gave."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key; the key never shows."""

    certificate: str
    key: str

    def __repr__(self) -> str:
        return "Pair(…)"


def make_authority(machine: str, now: datetime) -> Pair:
    """A new authority. Whoever holds its key can speak for any host to those who trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Ecluse local authority of {machine}, {now:%Y-%m-%d}")
    built = (
        _builder(name, name, key.public_key(), now, now + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
    )
    return Pair(_pem(built.sign(key, hashes.SHA256())), _key_pem(key))


def issue(authority: Pair, subject: str, hosts: Iterable[str], now: datetime) -> str:
    """A key and its certificate for these hosts, in one text as HAProxy reads it."""
    issuer = x509.load_pem_x509_certificate(authority.certificate.encode())
    issuer_key = serialization.load_pem_private_key(authority.key.encode(), None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey), "an authority has an elliptic curve key"
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    ends = min(now + LIFE, issuer.not_valid_after_utc)
    built = (
        _builder(_name(subject), issuer.subject, key.public_key(), now, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(identifier, critical=False)
    )
    return _key_pem(key) + _pem(built.sign(issuer_key, hashes.SHA256()))


def request(hosts: Iterable[str]) -> tuple[str, str]:
    """A new key, and what asks an authority for its certificate (PEM, RFC 2986)."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    built = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    signed = built.add_extension(names, critical=False).sign(key, hashes.SHA256())
    return _key_pem(key), signed.public_bytes(serialization.Encoding.PEM).decode()


def is_mostly_spent(pem: str, now: datetime) -> bool:
    """Is less than a third of its life left, and less than thirty days? Lives of a few days are usual by now."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    ends = certificate.not_valid_after_utc
    return ends - now < min((ends - certificate.not_valid_before_utc) / 3, RENEW_BEFORE)


def still_serves(pem: str, authority: Pair, hosts: Iterable[str], now: datetime) -> bool:
    """Is `pem` of this authority, for exactly these hosts, and not to be renewed yet?"""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate.encode()))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return certificate.not_valid_after_utc - now > RENEW_BEFORE and set(_hosts(certificate)) == set(hosts)


def combine(certificate: str, key: str, now: datetime) -> str:
    """The user's own as one text: key, certificate, chain. Unusable when they do not belong together or now."""
    chain, private = _read_chain(certificate), _read_key(key)
    first = chain[0]
    if private.public_key() != first.public_key():
        raise Unusable("is not for the key beside it")
    if now > first.not_valid_after_utc:
        raise Unusable(f"expired on {first.not_valid_after_utc:%Y-%m-%d}")
    if now < first.not_valid_before_utc:
        raise Unusable(f"is valid only from {first.not_valid_before_utc:%Y-%m-%d} on")
    return _key_pem(private) + "".join(map(_pem, chain))


def uncovered(pem: str, hosts: Iterable[str]) -> list[str]:
    """The hosts that a certificate does not speak for (RFC 6125, 6.4: a star stands for one label)."""
    names = {name.lower() for name in _hosts(x509.load_pem_x509_certificate(pem.encode()))}
    return [host for host in hosts if host not in names and f"*.{host.partition('.')[2]}" not in names]


def expiry(pem: str) -> datetime:
    return x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc


def fingerprint(pem: str) -> str:
    """As HAProxy shows it: SHA-1, in capitals."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    return certificate.fingerprint(hashes.SHA1()).hex().upper()  # names it, protects nothing


def _read_chain(text: str) -> Sequence[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise Unusable("holds no certificate in PEM") from error


def _read_key(text: str) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(text.encode(), None)
    except TypeError as error:
        raise Unusable("has a key that asks for a passphrase") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Unusable("has no key in PEM beside it") from error
    return key  # type: ignore[return-value]  # any kind: only what all kinds have is used


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*allowed: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in allowed for usage in _USAGES})


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:_NAME_CHARACTERS])])


def _hosts(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.DNSName)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
