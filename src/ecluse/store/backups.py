"""The backups of a product as private files: implements ports.Backups. A backup is there whole, or not at all.

`backups/<environment>/<name>/<time>/`: a manifest, and a file per database.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from ecluse.errors import EngineError, NotFound, Refused
from ecluse.model.backup import Backup, BackupId, Manifest, Part, Tried
from ecluse.model.names import EnvironmentName
from ecluse.store import codec

MANIFEST = "manifest.json"
TRIED = "tried.json"
_CHUNK = 1 << 20


class FileBackups:
    """The backups below one folder, made when there is something to keep."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def list(self, environment: EnvironmentName, name: str | None = None) -> Sequence[Backup]:
        pattern = f"{name or '*'}/*/{MANIFEST}"
        paths = (self._folder / environment).glob(pattern)
        found = [_read(path.parent) for path in paths if not path.parent.name.startswith(".")]
        return sorted(found, key=lambda item: (item.manifest.id, item.manifest.name), reverse=True)

    def find(self, backup: BackupId) -> Backup | None:
        folder = self._place(backup)
        return _read(folder) if (folder / MANIFEST).is_file() else None

    def draft(self, backup: BackupId) -> FileDraft:
        folder = self._place(backup)
        draft = folder.with_name(f".{backup.at}.draft")
        with _saying("write", draft):
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(mode=0o700, parents=True)
            for parent in (self._folder, self._folder / backup.environment, folder.parent):
                parent.chmod(0o700)
        return FileDraft(draft, folder)

    def copy(self, backup: BackupId) -> FileCopy:
        found = self.find(backup)
        if found is None:
            raise NotFound(f"there is no backup {backup}", hint=f"`ecluse backups {backup.environment}`")
        return FileCopy(self._place(backup), found.manifest)

    def note_trial(self, backup: BackupId, tried: Tried) -> None:
        path = self._place(backup) / TRIED
        draft = path.with_name(f".{TRIED}")
        with _saying("write", path):
            _write(draft, codec.dump(Tried, tried).encode())
            draft.replace(path)

    def remove(self, backup: BackupId) -> None:
        folder = self._place(backup)
        with _saying("remove", folder):
            # renamed first: half a backup must not look like one
            gone = folder.with_name(f".{backup.at}.gone")
            if folder.exists():
                folder.replace(gone)
            shutil.rmtree(gone, ignore_errors=True)

    def _place(self, backup: BackupId) -> Path:
        return self._folder / backup.environment / backup.name / backup.at


class FileDraft:
    """Implements ports.Draft: parts are written to a folder of another name until `keep` renames it."""

    def __init__(self, draft: Path, folder: Path) -> None:
        self._draft = draft
        self._folder = folder
        self._open: dict[str, tuple[BinaryIO, hashlib._Hash]] = {}

    def write(self, database: str, data: bytes) -> None:
        with _saying("write", self._draft):
            if database not in self._open:
                self._open[database] = (_create(self._draft / _file(database)), hashlib.sha256())
            stream, digest = self._open[database]
            stream.write(data)
            digest.update(data)

    def parts(self) -> tuple[Part, ...]:
        return tuple(
            Part(database, _file(database), stream.tell(), digest.hexdigest())
            for database, (stream, digest) in self._open.items()
        )

    def keep(self, manifest: Manifest) -> None:
        with _saying("write", self._draft):
            for stream, _ in self._open.values():
                stream.flush()
                os.fsync(stream.fileno())
                stream.close()
            _write(self._draft / MANIFEST, codec.dump(Manifest, manifest).encode())
            _sync(self._draft)
            self._draft.replace(self._folder)
            _sync(self._folder.parent)

    def discard(self) -> None:
        for stream, _ in self._open.values():
            stream.close()
        shutil.rmtree(self._draft, ignore_errors=True)


class FileCopy:
    """Implements ports.Copy on the files of one backup."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder = folder
        self._manifest = manifest

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    def verify(self) -> None:
        for part in self._manifest.parts:
            digest = hashlib.sha256()
            for chunk in self.read(part.database):
                digest.update(chunk)
            if digest.hexdigest() != part.sha256:
                raise Refused(
                    f"the backup {self._manifest.id} of {self._manifest.name} is damaged: {part.file} "
                    "is not what its checksum says",
                    hint=f"choose another one: `ecluse backups {self._manifest.environment}`",
                )

    def read(self, database: str) -> Iterator[bytes]:
        path = self._folder / next(part.file for part in self._manifest.parts if part.database == database)
        with _saying("read", path), path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk


def _read(folder: Path) -> Backup:
    with _saying("read", folder):
        manifest = codec.load(Manifest, (folder / MANIFEST).read_text())
        tried = folder / TRIED
        return Backup(manifest, codec.load(Tried, tried.read_text()) if tried.is_file() else None)


def _file(database: str) -> str:
    return f"{quote(database, safe='')}.data"


def _create(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _write(path: Path, data: bytes) -> None:
    with _create(path) as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _saying(what: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EngineError(f"cannot {what} {path}: {error.strerror}") from error
