"""Which volume the data of a backing service is on, and of which version. Talks to Docker.

A change of version makes another volume; the one before is left as it was. A private file beside the state says
which one counts. Without that file it is the first one, of the version that its label tells.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ecluse.engines.docker import addresses, labels, payloads
from ecluse.engines.docker.client import ApiError, Client
from ecluse.engines.docker.files import private_folder, read, write_whole
from ecluse.engines.docker.ground import Ground
from ecluse.engines.docker.labels import Site
from ecluse.errors import EngineError


@dataclass(frozen=True, slots=True)
class Holding:
    """What counts. before: the volume and version of before, while nobody has written to the new one yet."""

    volume: str
    version: str
    before: tuple[str, str] | None = None


class Volumes:
    """The volumes of the backing services of one environment."""

    def __init__(self, site: Site, *, state: Path, client: Client, ground: Ground) -> None:
        self._site = site
        self._folder = state / "volumes" / str(site.target.environment)
        self._client = client
        self._ground = ground

    async def list(self) -> Mapping[str, Mapping[str, str]]:
        """Name → labels."""
        answer = await self._client.call(
            "GET", "volumes", what="list volumes", params={"filters": labels.filters(self._site.marks)}
        )
        found = {item["Name"]: item.get("Labels") or {} for item in answer.get("Volumes") or ()}
        return {name: marks for name, marks in found.items() if self._is_ours(name, marks)}

    def _is_ours(self, name: str, marks: Mapping[str, str]) -> bool:
        """What has our labels under another name was copied from ours."""
        first = self._site.volume(marks.get(labels.BACKING, ""))
        return name == first or name.startswith(f"{first}-v")

    async def remove(self, volume: str) -> None:
        try:
            await self._client.call("DELETE", f"volumes/{volume}", what=f"remove the volume {volume}")
        except ApiError as error:
            if error.status != 404:
                raise
        for path in self._folder.glob("*.json"):
            if (text := read(path)) and _parsed(text).volume == volume:
                path.unlink(missing_ok=True)

    async def ensure(self, name: str, version: str) -> tuple[str, int]:
        """The volume that counts, made where there is none, and the place of the address that its label remembers.
        EngineError when it holds data of another version."""
        async with self._ground.lock():
            known = await self.list()
            holding = self._read(name)
            wanted = holding.volume if holding else self._site.volume(name)
            if wanted not in known:
                offset = addresses.free_offset(int(item.get(labels.OFFSET, 0)) for item in known.values())
                await self._create(wanted, name, version, offset)
                return wanted, offset
            held = holding.version if holding else known[wanted].get(labels.VERSION, "")
            if held and not is_same(held, version):
                raise EngineError(
                    f"the data of {name} is of version {held}, and {version} would open it",
                    hint=f"deploy with version {held} first; then change the version, and nothing else of it",
                )
            return wanted, int(known[wanted][labels.OFFSET])

    async def begin(self, name: str, version: str) -> str:
        """A new, empty volume for another version; what an earlier attempt left of it goes."""
        known = await self.list()
        volume = f"{self._site.volume(name)}-v{version}"
        now = self.volume(name)
        if volume == now:
            raise EngineError(f"{volume} is in use already")
        await self.remove(volume)
        await self._create(volume, name, version, int(known[now][labels.OFFSET]))
        return volume

    def volume(self, name: str) -> str:
        holding = self._read(name)
        return holding.volume if holding else self._site.volume(name)

    def learn(self, name: str, volume: str, version: str) -> None:
        """What a container holds counts, where the file that would say so is lost."""
        if self._read(name) is None and volume != self._site.volume(name):
            self._write(name, Holding(volume, version))

    def is_switched(self, name: str, version: str) -> bool:
        holding = self._read(name)
        return holding is not None and holding.version == version

    def switch(self, name: str, volume: str, version: str, *, before: str) -> None:
        self._write(name, Holding(volume, version, (self.volume(name), before)))

    def settle(self, name: str) -> None:
        """From now on the data of before is old: clients may have written."""
        holding = self._read(name)
        if holding is not None and holding.before is not None:
            self._write(name, Holding(holding.volume, holding.version))

    def go_back(self, name: str, version: str) -> None:
        """Where that version counted before, and nobody wrote to the new one, it counts again."""
        holding = self._read(name)
        if holding is not None and holding.before is not None and holding.before[1] == version:
            self._write(name, Holding(*holding.before))

    async def _create(self, volume: str, name: str, version: str, offset: int) -> None:
        marks = self._site.labels("volume", backing=name, offset=offset, version=version)
        body = payloads.volume(volume, marks)
        made = await self._client.call(
            "POST", "volumes/create", what=f"create the volume {volume}", body=body
        )
        if (made.get("Labels") or {}).get(labels.PRODUCT) != str(self._site.target.product):
            # Docker hands out what is there already, whoever made it
            raise EngineError(
                f"the volume {volume} belongs to something else",
                hint="rename it, or the backing service: its data would be written over",
            )

    def _read(self, name: str) -> Holding | None:
        text = read(self._folder / f"{name}.json")
        return _parsed(text) if text else None

    def _write(self, name: str, holding: Holding) -> None:
        private_folder(self._folder)
        write_whole(self._folder / f"{name}.json", json.dumps(asdict(holding)))


def _parsed(text: str) -> Holding:
    facts = json.loads(text)
    before = facts["before"]
    return Holding(facts["volume"], facts["version"], tuple(before) if before else None)


def is_same(one: str, other: str) -> bool:
    """`10` and `10.11` are: one says more of it."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
