"""Which release of which service a command means."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ecluse.errors import NotFound, UsageError, nearest
from ecluse.model.names import ServiceName
from ecluse.model.release import Release

LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Selector:
    """`SERVICE` or `SERVICE=VERSION`; the version `latest` means the newest release."""

    service: ServiceName
    version: str | None = None


def parse_selectors(words: Iterable[str], known: Collection[ServiceName]) -> list[Selector]:
    selectors: dict[str, Selector] = {}
    for word in words:
        service, equals, version = word.partition("=")
        if service not in known:
            raise NotFound(f"there is no service {service!r}", hint=nearest(service, known))
        if equals and not version:
            raise UsageError(
                f"{word}: the version is missing", hint=f"{service}=VERSION, or {service}=latest"
            )
        if service in selectors:
            raise UsageError(f"{service} is named twice")
        selectors[service] = Selector(ServiceName(service), version or None)
    return list(selectors.values())


class Catalogue:
    """The releases that can be deployed, newest first, by service."""

    def __init__(self, releases: Sequence[Release]) -> None:
        self._by_service: dict[ServiceName, list[Release]] = {}
        for release in releases:
            self._by_service.setdefault(release.service, []).append(release)

    def newest(self, service: ServiceName) -> Release:
        if service not in self._by_service:
            raise NotFound(f"there is no release of {service}", hint=f"ecluse build {service}")
        return self._by_service[service][0]

    def version(self, service: ServiceName, version: str) -> Release:
        if version == LATEST:
            return self.newest(service)
        for release in self._by_service.get(service, []):
            if release.version == version:
                return release
        known = [release.version for release in self._by_service.get(service, [])]
        raise NotFound(
            f"there is no release {version} of {service}",
            hint=nearest(version, known) or f"ecluse build {service}",
        )

    def image(self, service: ServiceName, image_id: str, version: str) -> Release:
        """The release of that image; NotFound when its image was removed from this machine."""
        if found := self.find_image(service, image_id):
            return found
        short = image_id.removeprefix("sha256:")[:12]
        raise NotFound(
            f"the image of {service} {version} ({short}) is not on this machine",
            hint=f"name another version: `ecluse releases {service}` lists them",
        )

    def find_image(self, service: ServiceName, image_id: str) -> Release | None:
        """The release of that image, None when it is not on this machine."""
        return next((one for one in self._by_service.get(service, []) if one.image_id == image_id), None)

    def choose(self, selector: Selector, current: Mapping[ServiceName, str]) -> Release:
        """The release that a selector means; without a version the current one, or else the newest."""
        version = selector.version or current.get(selector.service)
        if version is None:
            return self.newest(selector.service)
        return self.version(selector.service, version)
