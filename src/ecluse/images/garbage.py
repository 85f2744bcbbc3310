"""Which releases nothing needs any more. Pure; whoever removes images decides when."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ecluse.model.names import ServiceName
from ecluse.model.release import Release


def unneeded(releases: Sequence[Release], *, needed: Collection[str], keep: int = 10) -> tuple[Release, ...]:
    """Of `releases`, newest first: those past the newest `keep` of their service, whose image id no
    environment needs (`needed` holds what runs, what is known good, and what it replaced)."""
    return tuple(_unneeded(releases, needed, keep))


def _unneeded(releases: Sequence[Release], needed: Collection[str], keep: int) -> Iterator[Release]:
    seen: dict[ServiceName, int] = {}
    for release in releases:
        seen[release.service] = seen.get(release.service, 0) + 1
        if seen[release.service] > keep and release.image_id not in needed:
            yield release
