"""What an image is built from, as one digest: equal inputs need no new image. Reads files, writes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from ecluse.errors import BuildFailed
from ecluse.images.ignore import Rule, is_ignored, may_keep_below, read_rules
from ecluse.model.source import Source

FORMAT = "1"


def inputs_digest(source: Source) -> str:
    """SHA-256 (64 hexadecimal digits) over the build context, Dockerfile, service.yaml, templates, targets.

    Of a file in the context count its relative path, permission bits and content; of a link its target.
    Raises BuildFailed when something cannot be read.
    """
    digest = hashlib.sha256()
    try:
        for part in _parts(source):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    except OSError as error:
        raise BuildFailed(
            f"{source.service}: {error.filename} cannot be read: {error.strerror}",
            hint="what nobody needs in the image can be listed in .dockerignore",
        ) from error
    return digest.hexdigest()


def dockerfile_of(source: Source) -> Path:
    return Path(source.folder) / source.image.dockerfile


def context_of(source: Source) -> Path:
    return Path(source.folder) / source.image.context


def read_dockerfile(source: Source) -> str:
    path = dockerfile_of(source)
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BuildFailed(
            f"{source.service}: {path} cannot be read: {error.strerror}",
            hint="put a Dockerfile beside service.yaml, or name it in image.dockerfile",
        ) from error


def context_rules(source: Source) -> tuple[Rule, ...]:
    """What stays out of the context: `<Dockerfile>.dockerignore` when it exists, else `.dockerignore`."""
    dockerfile = dockerfile_of(source)
    for path in (
        dockerfile.with_name(dockerfile.name + ".dockerignore"),
        context_of(source) / ".dockerignore",
    ):
        if path.is_file():
            return read_rules(path.read_text(encoding="utf-8", errors="replace"))
    return ()


def context_entries(root: Path, rules: Sequence[Rule]) -> Iterator[str]:
    """Relative paths of everything in the context, sorted; `.git` is left out everywhere."""
    yield from _entries(root, "", rules)


def _entries(root: Path, below: str, rules: Sequence[Rule]) -> Iterator[str]:
    for entry in sorted(os.scandir(root / below), key=lambda entry: entry.name):
        path = f"{below}/{entry.name}" if below else entry.name
        if entry.name == ".git":
            continue
        ignored = is_ignored(path, rules)
        if not ignored:
            yield path
        if entry.is_dir(follow_symlinks=False) and (not ignored or may_keep_below(rules)):
            yield from _entries(root, path, rules)


def _parts(source: Source) -> Iterator[bytes]:
    build = source.image
    tests = [build.tests.target, *build.tests.commands] if build.tests else None
    yield json.dumps([FORMAT, build.target, tests, build.context, build.dockerfile]).encode()
    yield read_dockerfile(source).encode()
    yield source.service_yaml.encode()
    yield json.dumps(dict(source.templates), sort_keys=True).encode()
    root = context_of(source)
    for path in context_entries(root, context_rules(source)):
        yield path.encode(errors="surrogateescape")
        yield from _content(root / path)


def _content(path: Path) -> Iterator[bytes]:
    state = path.lstat()
    kind = stat.S_IFMT(state.st_mode)
    if kind == stat.S_IFLNK:
        yield b"link"
        yield os.fsencode(os.readlink(path))
    elif kind == stat.S_IFREG:
        yield f"file {stat.S_IMODE(state.st_mode):o}".encode()
        yield _file_digest(path)
    elif kind == stat.S_IFDIR:
        yield f"folder {stat.S_IMODE(state.st_mode):o}".encode()


def _file_digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
