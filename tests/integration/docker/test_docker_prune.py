"""Traps for what removes things: whatever looks like ours and is not must still be there afterwards."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import pytest
from docker_site import Here, docker
from making import drain

from ecluse.engines.docker.labels import Site, machine_id
from ecluse.errors import EngineError
from ecluse.model.names import ServiceName

pytestmark = pytest.mark.docker
HELLO = ServiceName("hello")


@dataclass
class Traps:
    """Things that lie about; each has a name of its own that says why it must stay."""

    image: str
    there: dict[tuple[Literal["container", "volume", "network"], str], str] = field(default_factory=dict)

    def container(self, why: str, labels: dict[str, str], *, name: str = "", image: str = "") -> str:
        named = ["--name", name] if name else []
        made = docker("create", *named, *_flags(labels), "--entrypoint", "sleep", image or self.image, "600")
        self.there["container", why] = made.strip()
        return made.strip()

    def volume(self, why: str, name: str, labels: dict[str, str]) -> None:
        self.there["volume", why] = docker("volume", "create", *_flags(labels), name).strip()

    def network(self, why: str, name: str, labels: dict[str, str]) -> None:
        self.there["network", why] = docker("network", "create", *_flags(labels), name).strip()

    def gone(self) -> list[str]:
        return [
            f"{kind}: {why}"
            for (kind, why), identity in self.there.items()
            if subprocess.run(["docker", kind, "inspect", identity], capture_output=True).returncode
        ]

    def clear(self) -> None:
        for kind in ("container", "volume", "network"):
            for identity in [one for (sort, _), one in self.there.items() if sort == kind]:
                force = ["--force"] if kind != "network" else []
                subprocess.run(["docker", kind, "rm", *force, identity], capture_output=True)


def _flags(labels: dict[str, str]) -> list[str]:
    return [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]


@contextmanager
def traps(here: Here) -> Iterator[Traps]:
    found = Traps(here.make.image)
    try:
        yield found
    finally:
        found.clear()


def site(here: Here) -> Site:
    return Site(here.target, machine_id(here.folder / "_machine"))


def lay(here: Here, found: Traps) -> None:
    """Twenty things that are not ours."""
    ours = site(here)
    marks, slug = ours.marks, str(here.target.slug)
    replica = ours.labels("replica", service="hello", process="web", number=1, address="10.0.0.9")
    found.container("our labels under another name", replica)
    found.container(
        "the labels of a run under another name", ours.labels("run", service="hello", run="migrate", key="k")
    )
    found.container("the labels of a backing service", ours.labels("backing", backing="sessions"))
    found.container("the labels of a trial", ours.labels("trial", backing="sessions"))
    found.container("the labels of a gateway", ours.labels("gateway"))
    found.container("a kind that we do not know", marks | {"ecluse.kind": "pet"})
    found.container("our name without labels", {}, name=ours.replica("hello", "web", 9))
    found.container("another product", replica | {"ecluse.product": f"{here.target.product}x"})
    found.container("another environment", replica | {"ecluse.environment": "staging"})
    found.container("another machine", replica | {"ecluse.machine": "abcdef"})
    found.container("no machine", {key: text for key, text in replica.items() if key != "ecluse.machine"})
    found.container("the product alone", {"ecluse.product": str(here.target.product)})
    found.container("an environment spelled otherwise", replica | {"ecluse.environment": "Test"})
    found.volume(
        "our labels under another name",
        f"copy-of-{slug}",
        ours.labels("volume", backing="sessions", offset=9),
    )
    found.volume("our prefix without labels", f"ecluse-{slug}-sessions-old", {})
    found.volume("another environment", f"{slug}-staging", marks | {"ecluse.environment": "staging"})
    found.volume("another product", f"{slug}-x", marks | {"ecluse.product": "bank"})
    found.network("our labels under another name", f"{slug}-copy", ours.labels("network", service="hello"))
    found.network("our prefix without labels", f"{ours.network}-old", {})
    found.network("another environment", f"{slug}-staging", marks | {"ecluse.environment": "staging"})


async def test_twenty_lookalikes_survive_everything_that_removes(here: Here) -> None:
    with traps(here) as found:
        lay(here, found)
        assert len(found.there) == 20
        await here.deploy(here.make.web())
        await here.deploy(here.make.web(env={"NAME": "second"}))
        await drain(here.engine.rollout(here.target, here.make.worker(command=("sleep", "600"))))
        await drain(here.engine.provide(here.target, here.make.redis()))
        observed = await here.engine.observe(here.target)
        assert sorted((item.service, item.process) for item in observed.replicas) == [
            ("hello", "web"),
            ("hello", "worker"),
        ]
        assert observed.volumes == (site(here).volume("sessions"),)
        await drain(here.engine.retire(here.target, HELLO, "worker"))
        await drain(here.engine.withdraw(here.target, "sessions"))
        await drain(here.engine.remove(here.target, volumes=True))
        assert found.gone() == []


async def test_what_was_taken_over_by_hand_is_left_alone(here: Here) -> None:
    """A replica that somebody renamed, and a container of an image that was committed from one."""
    await here.deploy(here.make.web())
    (replica,) = await here.replicas()
    with traps(here) as found:
        kept = docker("commit", replica.name).strip()
        found.container("of an image that was committed from ours", {}, image=kept)
        docker("rename", replica.name, f"{replica.name}-evidence")
        found.there["container", "renamed by hand"] = replica.id
        assert await here.replicas() == ()
        await here.deploy(here.make.web())
        await drain(here.engine.retire(here.target, HELLO))
        assert found.gone() == []
        docker("rm", "--force", replica.id)
        docker("rm", "--force", found.there.pop(("container", "of an image that was committed from ours")))
        docker("image", "rm", kept)


async def test_data_stays_unless_it_is_named(here: Here) -> None:
    await here.deploy(here.make.web())
    await drain(here.engine.provide(here.target, here.make.redis()))
    await drain(here.engine.withdraw(here.target, "sessions"))
    await drain(here.engine.remove(here.target, volumes=False))
    volume = site(here).volume("sessions")
    assert docker("volume", "ls", "--quiet", "--filter", f"name=^{volume}$").strip() == volume


async def test_an_environment_is_removed_with_the_draft_of_a_file_that_was_cut_short(here: Here) -> None:
    await drain(here.engine.prepare(here.target, []))
    records = here.folder / "product" / "backing" / "test"
    records.mkdir(parents=True)
    (records / ".db.json.4711").write_text("[")
    await drain(here.engine.remove(here.target, volumes=False))
    assert not records.exists()


async def test_a_volume_of_somebody_else_is_not_written_over(here: Here) -> None:
    with traps(here) as found:
        found.volume("our very name", site(here).volume("sessions"), {})
        await drain(here.engine.prepare(here.target, []))
        with pytest.raises(EngineError, match="belongs to something else"):
            await drain(here.engine.provide(here.target, here.make.redis()))
        await drain(here.engine.remove(here.target, volumes=True))
        assert found.gone() == []


async def test_another_environment_of_the_product_goes_on(here: Here) -> None:
    await here.deploy(here.make.web())
    await here.deploy(here.make.web(host="hello.other.localhost"), here.other)
    before = await here.replicas(here.other)
    await drain(here.engine.remove(here.target, volumes=True))
    assert await here.replicas(here.other) == before
    assert here.get(host="hello.other.localhost").status == 200
