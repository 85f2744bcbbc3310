"""What a build has to do for one service, from what exists already. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecluse.errors import Refused, UsageError
from ecluse.model.names import version_problem
from ecluse.model.release import Release
from ecluse.model.source import Source

TEST_PREFIX = "test-"


@dataclass(frozen=True, slots=True)
class Unchanged:
    """There is a release of these inputs; nothing to do."""

    release: Release


@dataclass(frozen=True, slots=True)
class Relabel:
    """The content of `release`, built and tested from the same inputs, becomes another version."""

    release: Release
    version: str


@dataclass(frozen=True, slots=True)
class Make:
    """Nothing was built from these inputs yet."""

    version: str


Decision = Unchanged | Relabel | Make


def decide(source: Source, *, inputs: str, version: str | None, releases: Sequence[Release]) -> Decision:
    """`releases` are those of this service, newest first. Raises Refused when the version is taken."""
    twins = [release for release in releases if release.inputs == inputs]
    if version is None and twins and twins[0] is releases[0] and not _is_cleaner(source, twins[0]):
        return Unchanged(twins[0])
    wanted = version or default_version(source, inputs)
    taken = next((release for release in releases if release.version == wanted), None)
    if taken is None:
        return Relabel(twins[0], wanted) if twins else Make(wanted)
    if taken.inputs == inputs:
        return Unchanged(taken)
    raise _taken(source, wanted, given=version is not None)


def check_version(version: str) -> None:
    """Raises UsageError when `version` cannot name a release."""
    if problem := version_problem(version):
        raise UsageError(f"--version {version}: {problem}")
    if version.startswith(TEST_PREFIX):
        raise UsageError(f"--version {version}: {TEST_PREFIX}… is kept for the images that tests ran in")


def default_version(source: Source, inputs: str) -> str:
    """`a1b2c3d` for a clean commit, `a1b2c3d-dirty-<inputs>` for a changed one, else `tree-<inputs>`."""
    if source.commit is None:
        return f"tree-{inputs[:8]}"
    return f"{source.commit}-dirty-{inputs[:6]}" if source.dirty else source.commit


def _is_cleaner(source: Source, release: Release) -> bool:
    """A release of uncommitted changes may not go everywhere; the same content, committed, may."""
    return source.commit is not None and not source.dirty and (release.dirty or release.commit is None)


def _taken(source: Source, version: str, *, given: bool) -> Refused:
    hint = (
        "give another version: a version never changes"
        if given
        else "files that git ignores are part of the build: list them in .dockerignore; "
        "or give another version with --version"
    )
    return Refused(f"{source.service}: version {version} exists and was built from other inputs", hint=hint)
