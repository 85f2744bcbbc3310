"""What service.yaml declares, as the program reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Settings:
    version: str
    database_url: str
    accounting_url: str
    company: str
    home_url: str
    contribution_rate: Decimal
    currency: str
    banner: str


def settings_from(env: Mapping[str, str]) -> Settings:
    """Raise LookupError naming the first key that is missing."""

    def required(key: str) -> str:
        if not env.get(key):
            raise LookupError(f"{key} is not set")
        return env[key]

    return Settings(
        version=required("APP_VERSION"),
        database_url=required("DATABASE_URL"),
        accounting_url=required("ACCOUNTING_URL").rstrip("/"),
        company=required("COMPANY_NAME"),
        home_url=required("HOME_URL"),
        contribution_rate=Decimal(required("CONTRIBUTION_RATE")),
        currency=required("CURRENCY"),
        banner=env.get("BANNER", ""),
    )
