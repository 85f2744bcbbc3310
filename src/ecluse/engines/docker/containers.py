"""Containers, as calls to Docker: list, make, start, stop, remove, put files in, read the last lines."""

from __future__ import annotations

import asyncio
import io
import json
import tarfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any

from ecluse.engines.docker import labels, payloads
from ecluse.engines.docker.client import ApiError, Client
from ecluse.engines.docker.endings import Death
from ecluse.engines.docker.labels import Container
from ecluse.engines.docker.output import Lines, Mask
from ecluse.errors import EngineError

LAST_LINES = 20
STOP_MARGIN_SECONDS = 20.0


class Containers:
    """Thin calls; every one may be repeated: what is gone is gone, what runs runs."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def find(self, marks: Mapping[str, str], **more: str) -> list[Container]:
        """Those that carry all these labels and are called what they say, running or not, by name; without marks,
        every container of the machine."""
        listed = await self.labelled(marks, **more)
        return [item for item in listed if not marks or labels.bears_its_name(item)]

    async def labelled(self, marks: Mapping[str, str], **more: str) -> list[Container]:
        """Those that carry all these labels, ours or not: for what they may hold. Nothing is done to them."""
        found = await self._client.call(
            "GET",
            "containers/json",
            what="list containers",
            params={"all": True, "filters": labels.filters(marks, **more)},
        )
        return sorted((labels.container(item) for item in found), key=lambda item: item.name)

    async def inspect(self, container: str) -> dict[str, Any]:
        answer = await self._client.call("GET", f"containers/{container}/json", what="look at a container")
        return dict(answer)

    async def inspect_all(self, found: Iterable[Container]) -> list[tuple[Container, dict[str, Any]]]:
        """What Docker says of each; one that went away in between is left out."""
        return [
            pair for pair in await asyncio.gather(*(self._pair(item) for item in found)) if pair is not None
        ]

    async def _pair(self, item: Container) -> tuple[Container, dict[str, Any]] | None:
        try:
            return item, await self.inspect(item.id)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def create(self, name: str, body: payloads.Body) -> str:
        answer = await self._client.call(
            "POST", "containers/create", what=f"create {name}", params={"name": name}, body=body
        )
        return str(answer["Id"])

    async def start(self, container: str, *, name: str) -> None:
        await self._client.call("POST", f"containers/{container}/start", what=f"start {name}")

    async def update(self, container: str, body: payloads.Body) -> None:
        await self._client.call(
            "POST", f"containers/{container}/update", what="update a container", body=body
        )

    async def stop(self, container: str, *, grace: float) -> None:
        """Asks the program to end, and kills it after `grace` seconds."""
        await self._end_program(container, "stop", grace, what="stop a container")

    async def restart(self, container: str, *, grace: float) -> None:
        """Asks the program to end, kills it after `grace` seconds, and starts it."""
        await self._end_program(container, "restart", grace, what="start a container again")

    async def _end_program(self, container: str, how: str, grace: float, *, what: str) -> None:
        with _gone():
            await self._client.call(
                "POST",
                f"containers/{container}/{how}",
                what=what,
                params={"t": max(1, round(grace))},
                seconds=grace + STOP_MARGIN_SECONDS,
            )

    async def end(self, container: str, *, grace: float) -> None:
        """Stops it, then removes it."""
        await self.stop(container, grace=grace)
        await self.remove(container)

    async def stop_all(self, found: Iterable[Container], *, grace: float) -> None:
        await asyncio.gather(*(self.stop(item.id, grace=grace) for item in found))

    async def remove(self, container: str) -> None:
        with _gone():
            await self._client.call(
                "DELETE",
                f"containers/{container}",
                what="remove a container",
                params={"force": True, "v": True},
            )

    async def wait(self, container: str, *, seconds: float) -> int:
        """The exit code, when the container has ended."""
        answer = await self._client.call(
            "POST", f"containers/{container}/wait", what="see a container end", seconds=seconds
        )
        return int(answer["StatusCode"])

    async def deaths(self, container: str, *, since: float) -> list[Death]:
        """The times that its program ended since then (seconds of the epoch), as Docker remembers them."""
        kinds = {"container": [container], "event": ["die", "oom"]}
        params = {"since": f"{since:.9f}", "until": f"{time.time():.9f}", "filters": kinds}
        raw = await self._client.download("events", what="ask what happened", params=params)
        found: list[Death] = []
        starved = False
        for line in raw.splitlines():
            event = json.loads(line)
            if event["Action"] == "oom":
                starved = True
            else:
                code = int(event["Actor"]["Attributes"].get("exitCode", 0))
                found.append(Death(code, is_starved=starved))
                starved = False
        return found

    async def last_lines(self, container: str, mask: Mask | None = None) -> tuple[str, ...]:
        """What the program wrote last, both streams in the order in which they came, without secrets."""
        params = {"stdout": True, "stderr": True, "tail": LAST_LINES}
        try:
            raw = await self._client.download(
                f"containers/{container}/logs", what="read the log of a container", params=params
            )
        except EngineError:
            return ()
        lines = Lines()
        texts = [text for _, text in (*lines.feed(raw), *lines.rest())][-LAST_LINES:]
        return tuple(mask.hide(text) for text in texts) if mask else tuple(texts)

    async def put(self, container: str, files: Iterable[payloads.Packed]) -> None:
        """Puts files in, and makes the folders above them that are missing."""
        wanted = list(files)
        if not wanted:
            return
        missing = [folder for folder in _folders(wanted) if not await self._has(container, folder)]
        await self._client.upload(
            f"containers/{container}/archive",
            payloads.archive(wanted, missing),
            what="put files into a container",
            params={"path": "/", "noOverwriteDirNonDir": True},
        )

    async def read(self, container: str, path: str) -> bytes:
        """A file of the container; empty when there is none."""
        try:
            raw = await self._client.download(
                f"containers/{container}/archive", what=f"read {path}", params={"path": path}
            )
        except ApiError as error:
            if error.status == 404:
                return b""
            raise
        with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
            entry = next((item for item in tar if item.isfile()), None)
            stream = tar.extractfile(entry) if entry else None
            return stream.read() if stream else b""

    async def _has(self, container: str, path: str) -> bool:
        # HEAD would do, but aiodocker cannot read its empty refusal; closing at once sends nothing
        try:
            async with self._client.request(
                "GET", f"containers/{container}/archive", what="look into a container", params={"path": path}
            ):
                return True
        except ApiError as error:
            if error.status == 404:
                return False
            raise


def _folders(files: Iterable[payloads.Packed]) -> list[str]:
    """Every folder above the files, outermost first."""
    found = {str(parent) for file in files for parent in PurePosixPath(file.path).parents}
    return sorted(found - {"/", "."})


@contextmanager
def _gone() -> Iterator[None]:
    """Passes over a container that is not there any more, or is being removed already."""
    try:
        yield
    except ApiError as error:
        if error.status not in (404, 409):
            raise
