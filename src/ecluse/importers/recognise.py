"""Which values are secrets: by their name, or by the shape of the value. Errs towards secrecy. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

_NAME = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|PW|MDP|SECRETS?|TOKENS?|API_?KEY|APIKEY|PRIVATE_?KEY|ACCESS_?KEY"
    r"|SECRET_?KEY|APP_KEY|ENCRYPTION_KEY|SIGNING_KEY|AUTH_KEY|MASTER_KEY|CREDENTIALS?|SALT|PEPPER|COOKIE_KEY"
    r"|KEYSTORE_PASS|WEBHOOK_URL)(?:$|_|\d)|(?:PASSWORD|PASSWD|SECRET|TOKEN)\d*$"
)
_NOT_A_SECRET = re.compile(
    r"_(?:FILE|PATH|DIR|LENGTH|SIZE|MIN|MAX|TTL|EXPIRY|EXPIRES|EXPIRATION|LIFETIME|TIMEOUT|ENABLED?|POLICY|HEADER"
    r"|NAME|ISSUER|AUDIENCE|ALGORITHM|ENDPOINT|TYPE|COUNT|ROTATION|REQUIRED)$|PUBLIC_KEY|(?:^|_)CSRF_TOKEN_NAME"
)
_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("an address with a password in it", re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/:@]{0,200}:[^\s/@]+@")),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----|AGE-SECRET-KEY-1")),
    ("a key of a cloud provider", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{35}")),
    (
        "a token",
        re.compile(
            r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{18,}|xox[abprs]-[\w-]{10,}"
            r"|[sr]k_(?:live|test)_\w{10,}|SG\.[\w-]{20,}\.[\w-]{20,}|npm_[A-Za-z0-9]{30,}|hvs\.[\w-]{20,})"
        ),
    ),
    ("a signed token", re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}")),
)  # fmt: skip
_RANDOM = re.compile(r"[A-Za-z0-9+/_=-]{32,200}")
_HARMLESS = frozenset({"", "true", "false", "yes", "no", "on", "off", "null", "none", "0", "1"})
_DIGEST = re.compile(r"(?:^|_)(?:SHA\d*|HASH|DIGEST|COMMIT|REVISION|VERSION|CHECKSUM|IMAGE|UUID|ID)(?:$|_)")


def secret_reason(name: str, value: str) -> str | None:
    """Why a value must be encrypted, or None. The reason does not hold the value."""
    if value.lower() in _HARMLESS:
        return None
    upper = re.sub(r"[^A-Z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper())
    if _NAME.search(upper) and not _NOT_A_SECRET.search(upper):
        return "its name"
    for what, shape in _SHAPES:
        if shape.search(value):
            return f"its value looks like {what}"
    if _RANDOM.fullmatch(value) and _is_mixed(value) and not _DIGEST.search(upper):
        return "its value looks like a random key"
    return None


def is_secret_name(name: str) -> bool:
    """Whether the name alone says so."""
    return secret_reason(name, "some text") == "its name"


def _is_mixed(value: str) -> bool:
    """Letters and digits mingled, as words and paths are not."""
    turns = sum(a.isdigit() != b.isdigit() for a, b in pairwise(value))
    return turns >= 8 and not value.startswith("/")
