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

BUILD_SECONDS = 900.0
_FOLDER = Path(__file__).parent / "house"
_LAST_LINES = 12


class House:
    def __init__(self, client: Client, machine: Path) -> None:
        self._client = client
        self._machine = machine

    async def has(self, image: HouseImage, version: str | None = None) -> bool:
        return await self.has_image(tag(image, version))

    async def has_image(self, name: str) -> bool:
        try:
            await self._client.call("GET", f"images/{name}/json", what=f"look for the image {name}")
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return True

    async def ensure(self, image: HouseImage, version: str | None = None) -> str:
        """The tag of the image, built first when it is missing. version: as it is asked for; None is the usual one."""
        if not await self.has(image, version):
            async with lock(self._machine / "images.lock", what="building images", seconds=BUILD_SECONDS):
                if not await self.has(image, version):
                    await self._build(image, version)
        return tag(image, version)

    async def _build(self, image: HouseImage, version: str | None) -> None:
        exact = offered(image, version)
        params = {
            "t": tag(image, version),
            "networkmode": "host",
            "rm": True,
            "forcerm": True,
            # made anew, whoever took the old one away wants today's packages
            "nocache": True,
            "buildargs": {"BASE": base(image, version), "VERSION": exact},
        }
        headers = {"Content-Type": "application/x-tar"}
        said: list[str] = []
        async with self._client.request(
            "POST",
            "build",
            what=f"build {tag(image, version)}",
            params=params,
            data=_context(image),
            headers=headers,
            seconds=BUILD_SECONDS,
        ) as response:
            async for line in response.content:
                _note(image, json.loads(line), said, version)


def _note(
    image: HouseImage, progress: dict[str, object], said: list[str], version: str | None = None
) -> None:
    if isinstance(text := progress.get("stream"), str):
        said.extend(line for line in text.splitlines() if line.strip())
    if (error := progress.get("error")) is not None:
        raise _failure(image, str(error), said, version)


def _failure(image: HouseImage, error: str, said: list[str], version: str | None = None) -> EngineError:
    name, below = tag(image, version), base(image, version)
    if not any(line.startswith("Step") and " : RUN " in line for line in said):
        return EngineError(
            f"the image {below}, on which {name} stands, is not here and cannot be pulled: {error}",
            hint=f"`docker pull {below}` where a registry answers, or make it with mmdebstrap and `docker import`",
        )
    lines = "\n".join(f"  {line}" for line in said[-_LAST_LINES:])
    return EngineError(
        f"the image {name} did not build: {error}\n{lines}",
        hint="it needs Debian's package archive: check the network and the proxy of the Docker engine",
    )


def offered(image: HouseImage, asked: str | None) -> str:
    """The version that is meant: `10` is the usual 10.x. EngineError when there is none."""
    for version in HOUSE_VERSIONS[image]:
        if not asked or f"{version}.".startswith(f"{asked}."):
            return version
    raise EngineError(f"{image} {asked} is not available here")


def base(image: HouseImage, asked: str | None = None) -> str:
    return HOUSE_VERSIONS[image][offered(image, asked)]


@cache
def tag(image: HouseImage, asked: str | None = None) -> str:
    """Named by its content: another Dockerfile is another image."""
    version = offered(image, asked)
    digest = hashlib.sha256()
    for path in _files(image):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"ecluse/{image}:{version}-{digest.hexdigest()[:12]}"


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
