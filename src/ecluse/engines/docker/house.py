"""The engine's own images, built from the Dockerfiles in `house/` when this machine does not have them."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from functools import cache
from pathlib import Path

from ecluse.engines.docker.client import ApiError, Client
from ecluse.engines.docker.files import lock
from ecluse.engines.docker.payloads import HOUSE_VERSIONS, HouseImage
from ecluse.errors import EngineError

BASE = "debian:12-slim"
BUILD_SECONDS = 900.0
_FOLDER = Path(__file__).parent / "house"
_LAST_LINES = 12


class House:
    def __init__(self, client: Client, machine: Path) -> None:
        self._client = client
        self._machine = machine

    async def has(self, image: HouseImage) -> bool:
        return await self.has_image(tag(image))

    async def has_image(self, name: str) -> bool:
        try:
            await self._client.call("GET", f"images/{name}/json", what=f"look for the image {name}")
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return True

    async def ensure(self, image: HouseImage) -> str:
        """The tag of the image, built first when it is missing."""
        if not await self.has(image):
            async with lock(self._machine / "images.lock", what="building images", seconds=BUILD_SECONDS):
                if not await self.has(image):
                    await self._build(image)
        return tag(image)

    async def _build(self, image: HouseImage) -> None:
        # made anew, whoever took the old one away wants today's packages
        params = {"t": tag(image), "networkmode": "host", "rm": True, "forcerm": True, "nocache": True}
        headers = {"Content-Type": "application/x-tar"}
        said: list[str] = []
        async with self._client.request(
            "POST",
            "build",
            what=f"build {tag(image)}",
            params=params,
            data=_context(image),
            headers=headers,
            seconds=BUILD_SECONDS,
        ) as response:
            async for line in response.content:
                _note(image, json.loads(line), said)


def _note(image: HouseImage, progress: dict[str, object], said: list[str]) -> None:
    if isinstance(text := progress.get("stream"), str):
        said.extend(line for line in text.splitlines() if line.strip())
    if (error := progress.get("error")) is not None:
        raise _failure(image, str(error), said)


def _failure(image: HouseImage, error: str, said: list[str]) -> EngineError:
    if not any(line.startswith("Step 2") for line in said):
        return EngineError(
            f"the image {BASE}, on which {tag(image)} stands, is not here and cannot be pulled: {error}",
            hint=f"`docker pull {BASE}` where a registry answers, or make it with mmdebstrap and `docker import`",
        )
    lines = "\n".join(f"  {line}" for line in said[-_LAST_LINES:])
    return EngineError(
        f"the image {tag(image)} did not build: {error}\n{lines}",
        hint="it needs Debian's package archive: check the network and the proxy of the Docker engine",
    )


@cache
def tag(image: HouseImage) -> str:
    """Named by its content: another Dockerfile is another image."""
    digest = hashlib.sha256()
    for path in _files(image):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"ecluse/{image}:{HOUSE_VERSIONS[image]}-{digest.hexdigest()[:12]}"


def _context(image: HouseImage) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for path in _files(image):
            entry = tarfile.TarInfo(path.name)
            content = path.read_bytes()
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def _files(image: HouseImage) -> list[Path]:
    return sorted(path for path in (_FOLDER / image).iterdir() if path.is_file())
