from collections.abc import Callable

import pytest

from ecluse.errors import Refused, UsageError
from ecluse.images.decide import Decision, Make, Relabel, Unchanged, check_version, decide, default_version
from ecluse.model.release import Release
from ecluse.model.source import Source

SourceOf = Callable[..., Source]
ReleaseOf = Callable[..., Release]
INPUTS = "0123456789abcdef" * 4
OTHER = "f" * 64


def _decide(source: Source, releases: list[Release], version: str | None = None) -> Decision:
    return decide(source, inputs=INPUTS, version=version, releases=releases)


@pytest.mark.parametrize(
    ("commit", "dirty", "version"),
    [
        ("a1b2c3d", False, "a1b2c3d"),
        ("a1b2c3d", True, "a1b2c3d-dirty-012345"),
        (None, True, "tree-01234567"),
        (None, False, "tree-01234567"),
    ],
)
def test_a_version_follows_from_the_commit_and_its_state(
    source_of: SourceOf, commit: str | None, *, dirty: bool, version: str
) -> None:
    assert default_version(source_of(commit=commit, dirty=dirty), INPUTS) == version


def test_without_any_release_one_is_made(source_of: SourceOf) -> None:
    assert _decide(source_of(commit="a1b2c3d"), []) == Make("a1b2c3d")


def test_the_newest_release_of_the_same_inputs_leaves_nothing_to_do(
    source_of: SourceOf, release_of: ReleaseOf
) -> None:
    newest = release_of(inputs=INPUTS, version="old")
    assert _decide(source_of(commit="new1234"), [newest]) == Unchanged(newest)


def test_a_committed_state_replaces_the_release_of_its_uncommitted_twin(
    source_of: SourceOf, release_of: ReleaseOf
) -> None:
    dirty = release_of(inputs=INPUTS, version="a1b2c3d-dirty-012345", dirty=True)
    assert _decide(source_of(commit="b2c3d4e"), [dirty]) == Relabel(dirty, "b2c3d4e")


def test_going_back_to_earlier_inputs_gives_their_content_a_new_version(
    source_of: SourceOf, release_of: ReleaseOf
) -> None:
    earlier = release_of(inputs=INPUTS, version="one")
    releases = [release_of(inputs=OTHER, version="two"), earlier]
    assert _decide(source_of(commit="three12"), releases) == Relabel(earlier, "three12")


def test_a_given_version_of_the_same_inputs_is_a_new_release_of_the_same_content(
    source_of: SourceOf, release_of: ReleaseOf
) -> None:
    newest = release_of(inputs=INPUTS)
    assert _decide(source_of(commit="a1b2c3d"), [newest], "1.4") == Relabel(newest, "1.4")


def test_the_same_version_of_the_same_inputs_leaves_nothing_to_do(
    source_of: SourceOf, release_of: ReleaseOf
) -> None:
    releases = [release_of(inputs=OTHER, version="1.5"), release_of(inputs=INPUTS, version="1.4")]
    assert _decide(source_of(), releases, "1.4") == Unchanged(releases[1])


def test_a_given_version_of_other_inputs_is_refused(source_of: SourceOf, release_of: ReleaseOf) -> None:
    with pytest.raises(Refused) as caught:
        _decide(source_of(), [release_of(inputs=OTHER, version="1.4")], "1.4")
    assert caught.value.message == "hello: version 1.4 exists and was built from other inputs"
    assert caught.value.hint == "give another version: a version never changes"


def test_a_commit_whose_inputs_differ_points_at_files_that_git_ignores(
    source_of: SourceOf, release_of: ReleaseOf
) -> None:
    with pytest.raises(Refused) as caught:
        _decide(source_of(commit="a1b2c3d"), [release_of(inputs=OTHER)])
    assert "list them in .dockerignore" in (caught.value.hint or "")


@pytest.mark.parametrize("version", ["latest", "a b", "test-0123", "-x", ""])
def test_what_cannot_be_a_tag_cannot_be_a_version(version: str) -> None:
    with pytest.raises(UsageError):
        check_version(version)
