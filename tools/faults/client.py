"""A steady client that never tries again: every request that is not answered well is lost."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

PAUSE_SECONDS = 0.04
TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Loss:
    at: float
    what: str


@dataclass
class Client:
    """Asks every host, over new connections and over one that it keeps. `lost`: with the time (time.monotonic())."""

    port: int
    hosts: Sequence[str]
    done: int = 0
    lost: list[Loss] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def asking(self) -> Iterator[Client]:
        threads = [
            threading.Thread(target=self._ask_on, args=(host, keeps), daemon=True)
            for host in self.hosts
            for keeps in (True, False)
        ]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def lost_since(self, moment: float) -> list[str]:
        return [loss.what for loss in self.lost if loss.at >= moment]

    def version(self, host: str) -> str:
        """What answers there now."""
        connection = self._open()
        try:
            connection.request("GET", "/", headers={"Host": host, "Connection": "close"})
            return connection.getresponse().headers.get("X-Version", "")
        finally:
            connection.close()

    def _ask_on(self, host: str, keeps: bool) -> None:  # noqa: FBT001
        connection = self._open()
        while not self._over.is_set():
            sent = time.monotonic()
            try:
                connection.request("GET", "/", headers={"Host": host})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    self.lost.append(Loss(sent, f"{host}: {answer.status}"))
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(Loss(sent, f"{host}: {type(error).__name__}: {error}"))
                keeps_now = False
            else:
                keeps_now = keeps
            self.done += 1
            if not keeps_now:
                connection.close()
                connection = self._open()
            self._over.wait(PAUSE_SECONDS)
        connection.close()

    def _open(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
