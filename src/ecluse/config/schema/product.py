"""The shape of ecluse.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from ecluse.config.schema.fields import (
    Cpu,
    Host,
    Memory,
    Name,
    Nothing,
    Reason,
    Recipient,
    Registry,
    RelativePath,
    Schedule,
    Shape,
    Size,
    Version,
    Zone,
    must,
)
from ecluse.config.schema.service import Port
from ecluse.config.types import is_email, is_url
from ecluse.model.product import BackingKind, Egress, EngineKind, RestoreTests, TlsMode


def _address(text: str) -> str:
    if not text or "://" in text or "/" in text or any(character.isspace() for character in text):
        raise must("must be a host name or an address", "the port goes into `port:`")
    return text


def _machine_path(text: str) -> str:
    if not text.startswith("/") or ".." in text.split("/"):
        raise must("must be an absolute path on the engine's machine")
    return text


def _directory(text: str) -> str:
    if not is_url(text) or not text.startswith("https://"):
        raise must("must be the address of an ACME directory, with https://")
    return text


def _email(text: str) -> str:
    if not is_email(text):
        raise must("must be an e-mail address")
    return text


MachinePath = Annotated[str, AfterValidator(_machine_path)]


class ServiceEntryText(Shape):
    domain: Name | None = None
    repository: str | None = None
    path: RelativePath | None = None


class PlaceText(Shape):
    engine: EngineKind
    context: str | None = None
    namespace: Name | None = None


class ExternalText(Shape):
    host: Annotated[str, AfterValidator(_address)]
    port: Port | None = None
    user: str | None = None
    name: str | None = None
    password_key: str | None = None
    region: str | None = None


Count = Annotated[int, Field(ge=0, le=1000)]


class KeepText(Shape):
    last: Annotated[int, Field(ge=1, le=1000)] = 1
    daily: Count = 7
    weekly: Count = 4
    monthly: Count = 6


class BackupText(Shape):
    enabled: bool = True
    schedule: Schedule | None = None
    timezone: Zone = "UTC"
    keep: Annotated[KeepText, Nothing] = Field(default_factory=KeepText)
    test: RestoreTests = "weekly"


class BackingOverrideText(Shape):
    version: Version | None = None
    storage: Size | None = None
    image: str | None = None
    external: ExternalText | None = None
    node: str | None = None
    storage_class: str | None = None
    cpu: Cpu | None = None
    memory: Memory | None = None
    backup: BackupText | None = None


class BackingText(BackingOverrideText):
    kind: BackingKind


class TlsText(Shape):
    mode: TlsMode = "local"
    certificate: MachinePath | None = None
    key: MachinePath | None = None
    directory: Annotated[str, AfterValidator(_directory)] | None = None
    email: Annotated[str, AfterValidator(_email)] | None = None
    authority: MachinePath | None = None
    redirect: bool = False
    hsts: Annotated[int, Field(ge=0)] | None = None


class EnvironmentText(Shape):
    domain: Host
    engine: EngineKind | None = None
    places: Annotated[dict[Name, PlaceText], Field(min_length=1)] | None = None
    default: str | None = None
    placement: dict[str, str] = Field(default_factory=dict)
    follows: list[str] = Field(default_factory=list)
    protected: bool = False
    registry: Registry | None = None
    tls: Annotated[TlsText, Nothing] = Field(default_factory=TlsText)
    backing: dict[str, Annotated[BackingOverrideText, Nothing]] = Field(default_factory=dict)
    egress: Egress = "open"
    reasons: Annotated[dict[str, Reason], Nothing] = Field(default_factory=dict)


class SecretsText(Shape):
    """holders: people by name, with the age recipient of each who may hold keys of several environments."""

    holders: Annotated[dict[str, Recipient], Nothing] = Field(default_factory=dict)


class ProductText(Shape):
    product: Name
    services: dict[Name, Annotated[ServiceEntryText, Nothing]] = Field(default_factory=dict)
    registry: Registry | None = None
    environments: dict[Name, Annotated[EnvironmentText, Nothing]] = Field(default_factory=dict)
    backing: dict[Name, BackingText] = Field(default_factory=dict)
    secrets: Annotated[SecretsText, Nothing] = Field(default_factory=SecretsText)
