"""What a value was at each commit that may have changed it. Reads git, writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from ecluse.config.git import Commit, Git
from ecluse.config.sight import Seen
from ecluse.errors import EcluseError

PATHS = ("ecluse.yaml", "config", "services/*/service.yaml")
"""What a value may depend on. Services elsewhere in the product are named in ecluse.yaml."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A commit from which on a value was what it is in `seen`; None while it was not there.

    problem: why the files of that commit cannot be read by this version.
    """

    commit: Commit
    seen: Seen | None
    problem: str | None = None


def history(
    git: Git, look: Callable[[str], Seen | None], *, folders: Sequence[str] = (), limit: int
) -> list[Moment]:
    """The commits that changed a value, newest first. `look`: the value at a commit."""
    paths = (*PATHS, *(f"{folder}/service.yaml" for folder in folders))
    return list(islice(_changes(_moments(git.log(paths), look)), limit))


def _changes(moments: Iterator[Moment]) -> Iterator[Moment]:
    """Those that are not as the one before them; looks no further back than it is asked."""
    moment = next(moments, None)
    while moment is not None:
        before = next(moments, None)
        if _is_other(moment, before):
            yield moment
        moment = before


def _moments(commits: Sequence[Commit], look: Callable[[str], Seen | None]) -> Iterator[Moment]:
    for commit in commits:
        try:
            yield Moment(commit, look(commit.id))
        except EcluseError as error:
            yield Moment(commit, None, error.message.splitlines()[0])


def _is_other(moment: Moment, before: Moment | None) -> bool:
    if before is None:
        return moment.seen is not None or moment.problem is not None
    return _state(moment) != _state(before)


def _state(moment: Moment) -> object:
    seen = moment.seen
    return moment.problem or (seen and (seen.text, seen.origin and seen.origin.layer))
