"""Changes of version on real servers: the data is there after it, and untouched before it, wherever it stops."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from docker_site import HELLO, Here, docker, inspect
from making import drain
from test_docker_copies import AWKWARD, backing, fill, picture, say, seen

from ecluse.delivery.execute import Execution
from ecluse.delivery.journal import MemoryJournal
from ecluse.delivery.plan import make_plan
from ecluse.errors import EngineError
from ecluse.model.application import Application, BackingService, Desired
from ecluse.model.backup import BackupId, Manifest
from ecluse.model.names import EnvironmentName
from ecluse.model.plan import Intent
from ecluse.model.product import BackingKind
from ecluse.model.service import Probe, Process
from ecluse.ports import Copy
from ecluse.store.backups import FileBackups, FileDraft
from ecluse.store.clock import SystemClock
from ecluse.store.database import open_database
from ecluse.store.records import SqlRecords

pytestmark = pytest.mark.docker
TEST = EnvironmentName("test")
OLD: dict[BackingKind, str] = {"mariadb": "10.5", "postgresql": "13", "redis": "6.0"}


class Stopped(Exception):
    """The one who acts is gone."""


def keeping(here: Here, item: BackingService) -> tuple[FileDraft, Callable[[], Copy]]:
    backups = FileBackups(here.folder / "backups")
    backup = BackupId(here.target.environment, "db", "20260302T120000.001Z")
    draft = backups.draft(backup)

    def keep() -> Copy:
        now, parts = datetime.now(UTC), draft.parts()
        backups.remove(backup)
        made = Manifest(
            backup.environment, "db", backup.at, item.kind, item.version, now, now, 1, "me", {}, parts
        )
        draft.keep(made)
        return backups.copy(backup)

    return draft, keep


async def upgrade(
    here: Here, before: BackingService, after: BackingService, *, stop_after: int = 1000
) -> list[str]:
    """What was told. Ends in Stopped after so many events."""
    draft, keep = keeping(here, before)
    told = []
    async for event in here.engine.upgrade(here.target, before, after, draft, keep):
        told.append(event.message)
        if len(told) == stop_after:
            raise Stopped
    return told


async def facts(here: Here) -> tuple[str, str, str]:
    """Version, address and volume of what runs: one container, whatever happened."""
    (state,) = (await here.engine.observe(here.target)).backing
    mine = [f"label=ecluse.product={here.target.product}", "label=ecluse.kind=trial"]
    assert docker("ps", "--all", "--quiet", "--filter", mine[0], "--filter", mine[1]) == ""
    found = inspect(state.id)
    (network,) = found["NetworkSettings"]["Networks"].values()
    return state.version, network["IPAddress"], found["Mounts"][0]["Name"]


async def reaches(here: Here, kind: BackingKind) -> bool:
    if kind == "redis":
        return "word" in await picture(here, here.target, kind)
    return await say(here, here.target, kind, "select count(*) from kept") == "2"


@pytest.mark.parametrize("kind", list(OLD))
async def test_another_version_has_the_data_on_a_volume_of_its_own(here: Here, kind: BackingKind) -> None:
    after = backing(kind)
    before = replace(after, version=OLD[kind])
    await drain(here.engine.provide(here.target, before))
    await fill(here, here.target, kind)
    old = await facts(here)
    assert old[0] == OLD[kind]
    rows = await content(here, kind)

    # the copy cannot be kept: the old version is there again as it was
    draft, _ = keeping(here, before)

    def fails() -> Copy:
        raise EngineError("no space is left")

    with pytest.raises(EngineError, match="no space"):
        await drain(here.engine.upgrade(here.target, before, after, draft, fails))
    await drain(here.engine.provide(here.target, before))
    assert (await facts(here), await content(here, kind), await reaches(here, kind)) == (old, rows, True)

    told = await upgrade(here, before, after)
    version, address, volume = await facts(here)
    assert (version, address) == (after.version, old[1])
    assert volume != old[2]
    assert await content(here, kind) == rows
    assert await reaches(here, kind)
    assert f"{after.version} has the data; the volume {old[2]} is left as it was" in told
    assert old[2] in (await here.engine.observe(here.target)).volumes

    # once its clients may write to it, nothing brings the old one back, nor opens the new data with it
    with pytest.raises(EngineError, match=f"the data of db is of version {after.version}"):
        await drain(here.engine.provide(here.target, before))
    assert (await facts(here), await reaches(here, kind)) == ((version, address, volume), True)
    await drain(here.engine.withdraw(here.target, "db"))
    await drain(here.engine.provide(here.target, after))
    assert (await facts(here), await content(here, kind)) == ((version, address, volume), rows)


async def test_a_change_of_version_that_stops_anywhere_goes_on_or_back(here: Here) -> None:
    after = backing("redis")
    before = replace(after, version=OLD["redis"])
    await drain(here.engine.provide(here.target, before))
    await fill(here, here.target, "redis")
    old, rows = await facts(here), await content(here, "redis")
    stop = 0
    while True:
        stop += 1
        try:
            await upgrade(here, before, after, stop_after=stop)
        except Stopped:
            running = docker("ps", "--quiet", "--filter", f"volume={old[2]}")
            assert len(running.split()) <= 1
            state = (await here.engine.observe(here.target)).backing
            if state and state[0].version == after.version and state[0].state == "ready":
                break
            await drain(here.engine.provide(here.target, before))
            assert (await facts(here), await content(here, "redis")) == (old, rows)
            continue
        break
    assert stop >= 5
    assert (await upgrade(here, before, after))[-1].startswith("ready")
    assert (await facts(here))[0] == after.version
    assert await content(here, "redis") == rows


async def test_what_is_on_record_runs_though_a_later_change_of_the_deployment_fails(here: Here) -> None:
    """The database has its new version, the service its old form, and nothing more is to be done about either."""
    new = backing("redis")
    old = replace(new, version=OLD["redis"])
    records = SqlRecords(open_database(here.folder / "state"))
    backups = FileBackups(here.folder / "backups")

    async def intent(service: BackingService, release: str, *command: str) -> Intent:
        known, hello = records.known_good(TEST), application(here, release, *command)
        wanted = Desired(here.target, {HELLO: hello}, {"db": service}, "abc")
        plan = make_plan(wanted, await here.engine.observe(here.target), known, [])
        return Intent(
            here.target, plan, wanted.applications, known.applications, {}, wanted.backing, known.backing
        )

    async def deploy(wanted: Intent) -> str:
        deployment = records.deployment(records.enqueue(wanted, by="me"))
        execution = Execution(
            deployment,
            engine=here.engine,
            journal=MemoryJournal(),
            records=records,
            clock=SystemClock(),
            backups=backups,
        )
        return await execution.execute()

    assert await deploy(await intent(old, "1")) == "succeeded"
    await fill(here, here.target, "redis")
    rows = await content(here, "redis")
    assert await deploy(await intent(new, "2", "sh", "-c", "exit 3")) == "restored"
    assert await version(here) == records.known_good(TEST).backing["db"].version == new.version
    assert await content(here, "redis") == rows
    assert [item.version for item in await here.replicas()] == ["1"]
    assert (await intent(new, "1")).plan.is_empty
    # what acts on the database by the record leaves it running: a change of its memory for example
    assert await deploy(await intent(replace(new, memory=2**27), "1")) == "succeeded"
    assert (await version(here), await content(here, "redis")) == (new.version, rows)
    # and so it does where the file is lost that says which volume counts
    shutil.rmtree(here.folder / "product" / "volumes")
    assert await deploy(await intent(replace(new, memory=2**28), "1")) == "succeeded"
    assert (await version(here), await content(here, "redis")) == (new.version, rows)


async def version(here: Here) -> str:
    (state,) = (await here.engine.observe(here.target)).backing
    return state.version


def application(here: Here, release: str, *command: str) -> Application:
    web = Process("web", command, 8080, Probe(path="/health", interval=0.2, deadline=20.0))
    made = here.make.box(version=release).release
    return Application(
        HELLO, None, "docker", made, {"web": web}, {}, {}, (), env=True, files=(), uses=(), backing=("db",)
    )


async def content(here: Here, kind: BackingKind) -> str:
    """The data alone: the words in which a dump says it change with the version."""
    if kind == "redis":
        (state,) = (await here.engine.observe(here.target)).backing
        script = (
            'for n in 0 3; do redis-cli --no-auth-warning -a "$0" -n $n --scan | sort | while read -r k; do '
            'echo "$n $k $(redis-cli --no-auth-warning -a "$0" -n $n GET "$k")"; done; done'
        )
        return seen(state.id, "sh", "-c", script, AWKWARD)
    if kind == "mariadb":
        tables = await say(here, here.target, kind, "checksum table kept, child")
        return tables + await say(
            here, here.target, kind, "select word, hex(raw) from kept; select * from words"
        )
    query = "select md5(string_agg(k::text, '|' order by id)) || (select count(*) from child) from kept k"
    return await say(here, here.target, kind, query) + await say(
        here, here.target, kind, "select word from words"
    )
