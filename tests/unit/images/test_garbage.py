from collections.abc import Callable

from ecluse.images.garbage import unneeded
from ecluse.model.release import Release


def test_only_old_releases_that_no_environment_needs_can_go(release_of: Callable[..., Release]) -> None:
    releases = [release_of(image_id=str(number)) for number in range(5)]
    assert [one.image_id for one in unneeded(releases, needed={"3"}, keep=2)] == ["2", "4"]


def test_each_service_keeps_its_newest(release_of: Callable[..., Release]) -> None:
    releases = [release_of(service=name, image_id=name) for name in ("a", "b", "a")]
    assert [one.service for one in unneeded(releases, needed=(), keep=1)] == ["a"]
