"""A backup of a backing service: what it holds, and what was known when it was made. Holds no secret of Écluse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ecluse.model.names import EnvironmentName
from ecluse.model.product import BackingKind

_STAMP = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True)
class BackupId:
    """Which backup: `at` is its time in UTC, as `20260302T120000.123Z`."""

    environment: EnvironmentName
    name: str
    at: str

    def __str__(self) -> str:
        return f"{self.environment}/{self.name}/{self.at}"


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a backup: a database, or all that a redis holds. size in bytes."""

    database: str
    file: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Tried:
    """How a restore test ended. counts: tables (or keys) by database."""

    at: datetime
    succeeded: bool
    detail: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is written beside the data. releases: what was known good then, service → version.

    safety: made by a restore, of what it was about to replace.
    """

    environment: EnvironmentName
    name: str
    id: str
    kind: BackingKind
    version: str
    begun: datetime
    ended: datetime
    deployment: int
    by: str
    releases: Mapping[str, str]
    parts: tuple[Part, ...]
    safety: bool = False


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that is whole, with what its newest restore test said."""

    manifest: Manifest
    tried: Tried | None = None

    @property
    def id(self) -> BackupId:
        return BackupId(self.manifest.environment, self.manifest.name, self.manifest.id)

    @property
    def size(self) -> int:
        return sum(part.size for part in self.manifest.parts)

    @property
    def databases(self) -> tuple[str, ...]:
        return tuple(part.database for part in self.manifest.parts)


@dataclass(frozen=True, slots=True)
class Protection:
    """How safe the data of one backing service is.

    newest: the newest backup. tried: the newest one that was tried. next: when the next is made by itself.
    failure: why the last attempt made none, when that is newer than `newest`. missed: the last time that passed.
    """

    name: str
    newest: Backup | None
    tried: Backup | None
    next: datetime | None = None
    failure: str | None = None
    missed: datetime | None = None


def backup_stamp(at: datetime) -> str:
    """The name of a backup that is made at this time."""
    at = at.astimezone(UTC)
    return f"{at.strftime(_STAMP)}.{at.microsecond // 1000:03d}Z"


def parse_backup_id(text: str) -> BackupId:
    environment, name, at = text.split("/")
    return BackupId(EnvironmentName(environment), name, at)
