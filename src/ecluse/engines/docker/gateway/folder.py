"""The files of one gateway: what it should do, and what HAProxy reads of it when it starts by itself."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path

from ecluse.engines.docker.files import lock, private_folder, read, remove_folder, write_whole
from ecluse.engines.docker.gateway import configuration, haproxy
from ecluse.engines.docker.gateway.routing import Routes

_ROUTES = "routes.json"
_APPLIED = "applied"
_EDGE_SUBNET = "edge-subnet"


class Folder:
    """It is mounted into the container. who: whose files these are."""

    def __init__(self, path: Path, *, who: str) -> None:
        self.path = path
        self._who = who

    @property
    def exists(self) -> bool:
        return self.path.is_dir()

    @property
    def has_routes(self) -> bool:
        return read(self.path / _ROUTES) is not None

    def lock(self) -> AbstractAsyncContextManager[None]:
        private_folder(self.path)
        return lock(self.path / "lock", what=f"changing {self._who}")

    def routes(self) -> Routes:
        text = read(self.path / _ROUTES)
        return Routes.load(text) if text else Routes()

    def note_edge(self, subnet: str) -> None:
        """From where the public comes."""
        write_whole(self.path / _EDGE_SUBNET, subnet)

    def write(self, routes: Routes) -> None:
        """Each file whole."""
        write_whole(self.path / _ROUTES, routes.dump())
        for file, entries in configuration.maps(routes).items():
            write_whole(self.path / file, haproxy.mapping(entries))
        if read(self.path / configuration.CHALLENGES) is None:
            self.write_challenges({})
        write_whole(self.path / "haproxy.cfg", self._configuration(routes))

    def write_challenges(self, texts: Mapping[str, str]) -> None:
        write_whole(self.path / configuration.CHALLENGES, haproxy.mapping(texts))

    @contextmanager
    def candidate(self, routes: Routes) -> Iterator[str]:
        """The name of a configuration that is to be tried, beside the one that counts."""
        file = self.path / "candidate.cfg"
        write_whole(file, self._configuration(routes))
        for name in configuration.maps(routes):
            # a gateway of an earlier version does not have them all
            (self.path / name).touch(mode=0o600)
        try:
            yield file.name
        finally:
            file.unlink(missing_ok=True)

    def is_applied(self, routes: Routes) -> bool:
        """Does the process that runs know all that only a reload can change?"""
        return read(self.path / _APPLIED) == self._digest(routes)

    def mark_applied(self, routes: Routes) -> None:
        write_whole(self.path / _APPLIED, self._digest(routes))

    def remove(self) -> None:
        remove_folder(self.path)

    def _configuration(self, routes: Routes) -> str:
        subnet = read(self.path / _EDGE_SUBNET) or "127.0.0.1"
        return configuration.gateway(routes, edge_subnet=subnet, owner=(os.getuid(), os.getgid()))

    def _digest(self, routes: Routes) -> str:
        return hashlib.sha256(self._configuration(configuration.shape(routes)).encode()).hexdigest()
