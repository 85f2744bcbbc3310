"""Asks a replica whether it is ready, from this machine, until it is or a terminal cause shows."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp

from ecluse.engines.docker import attempts, endings
from ecluse.engines.docker.attempts import Attempt, Streak
from ecluse.engines.docker.client import Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.idleness import Leniency, processor_seconds
from ecluse.engines.docker.labels import Container
from ecluse.engines.docker.listeners import listeners
from ecluse.engines.docker.output import Mask
from ecluse.errors import EngineError
from ecluse.model.cause import RolloutFailed
from ecluse.model.workload import Workload

SETTLING_SECONDS = 1.5
END_MARGIN_SECONDS = 60.0
FIRST_SECONDS = 0.05
# more than is shown, so that no secret is cut before it is masked
_BODY_BYTES = 16384
_OK = Attempt("ok", "")


class Probe:
    """The probing of one replica."""

    def __init__(
        self,
        item: Container,
        workload: Workload,
        mask: Mask,
        *,
        client: Client,
        containers: Containers,
    ) -> None:
        self._client = client
        self._containers = containers
        self._container = item.id
        self._address = item.address
        self._workload = workload
        self._mask = mask
        self._begun = time.monotonic()
        self._streak = Streak()
        self._leniency = Leniency()

    async def wait_ready(self) -> None:
        """Returns when the replica is ready; RolloutFailed with the first terminal cause."""
        ending = asyncio.ensure_future(self._ending())
        try:
            await self._ask_until_ready(ending)
        finally:
            ending.cancel()
            await asyncio.gather(ending, return_exceptions=True)

    async def _ask_until_ready(self, ending: asyncio.Future[None]) -> None:
        spec = self._workload.spec.probe
        while True:
            inspected = await self._containers.inspect(self._container)
            if inspected["State"]["Status"] != "running":
                raise RolloutFailed(endings.ended(self._subject, inspected, await self._last_lines()))
            attempt = await self._attempt_unless(ending)
            if attempt is None:
                continue
            if attempt.outcome == "ok":
                return
            await self._refuse_steady(attempt)
            await self._refuse_elsewhere(attempt, inspected)
            if self._elapsed > spec.deadline:
                logs = await self._last_lines()
                raise RolloutFailed(
                    attempts.not_ready(self._subject, attempt, seconds=spec.deadline, logs=logs)
                )
            pause = min(spec.interval, max(FIRST_SECONDS, self._elapsed / 4))
            await asyncio.wait({ending}, timeout=pause)

    async def _ending(self) -> None:
        """Ends when the program does, so that nobody waits for an answer that will not come."""
        try:
            limit = self._workload.spec.probe.deadline + END_MARGIN_SECONDS
            await self._containers.wait(self._container, seconds=limit)
        except EngineError:
            await asyncio.Event().wait()

    async def _attempt_unless(self, ending: asyncio.Future[None]) -> Attempt | None:
        """One attempt; None when the program ended meanwhile."""
        attempt = asyncio.ensure_future(self._attempt())
        both: set[asyncio.Future[Any]] = {attempt, ending}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            return attempt.result() if attempt.done() else None
        finally:
            attempt.cancel()
            await asyncio.gather(attempt, return_exceptions=True)

    async def _refuse_steady(self, attempt: Attempt) -> None:
        """The same refusal again and again is terminal, when it is one that waiting does not mend."""
        now = time.monotonic()
        self._streak = self._streak.joined(attempt, now)
        if not self._streak.is_terminal(attempt, now):
            return
        times, seconds, logs = self._streak.times, now - self._streak.since, await self._last_lines()
        raise RolloutFailed(
            attempts.steadily_refused(self._subject, attempt, times=times, seconds=seconds, logs=logs)
        )

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._begun

    async def _attempt(self) -> Attempt:
        spec, port = self._workload.spec.probe, self._workload.spec.port
        if spec.command:
            return await self._command()
        if port is None:
            return _OK if self._elapsed >= SETTLING_SECONDS else Attempt("silent", "the process")
        return await self._get(port) if spec.path is not None else await self._connect(port)

    async def _get(self, port: int) -> Attempt:
        spec = self._workload.spec.probe
        what = f"GET {spec.path} on port {port}"
        url = f"http://{self._address}:{port}{spec.path}"
        timeout = aiohttp.ClientTimeout(total=spec.timeout)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(
                    url, allow_redirects=False, headers={"Host": str(self._workload.service)}
                ) as response,
            ):
                if response.status < 400:
                    return _OK
                body = await response.content.read(_BODY_BYTES)
                return Attempt(
                    "answered", what, response.status, self._mask.hide(body.decode(errors="replace"))
                )
        except aiohttp.ClientConnectorError:
            return Attempt("refused", f"port {port}")
        except (TimeoutError, aiohttp.ClientError):
            return Attempt("silent", what)

    async def _connect(self, port: int) -> Attempt:
        try:
            async with asyncio.timeout(self._workload.spec.probe.timeout):
                _, writer = await asyncio.open_connection(self._address, port)
        except TimeoutError:
            return Attempt("silent", f"port {port}")
        except OSError:
            return Attempt("refused", f"port {port}")
        writer.close()
        return _OK

    async def _command(self) -> Attempt:
        spec = self._workload.spec.probe
        what = f"the command {spec.command[0]}"
        try:
            done = await self._client.execute(
                self._container, spec.command, what="run the probe's command", seconds=spec.timeout
            )
        except EngineError:
            return Attempt("silent", what)
        return Attempt("answered", what, done.code, self._mask.hide(done.output)) if done.code else _OK

    async def _refuse_elsewhere(self, attempt: Attempt, inspected: dict[str, Any]) -> None:
        """A closed port beside an open one is terminal: soon in a program that waits, later in one that works."""
        port, process = self._workload.spec.port, int(inspected["State"]["Pid"])
        heard = listeners(process) if attempt.outcome == "refused" else []
        if port is None or not any(item.port == port or not item.is_local for item in heard):
            self._leniency.forget()
            return
        if self._leniency.is_over(time.monotonic(), processor_seconds(process)):
            raise RolloutFailed(attempts.elsewhere(self._subject, port, heard, await self._last_lines()))

    async def _last_lines(self) -> tuple[str, ...]:
        return await self._containers.last_lines(self._container, self._mask)

    @property
    def _subject(self) -> str:
        return self._workload.subject
