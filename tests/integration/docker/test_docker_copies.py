"""Copies of databases: what comes back is what was there, here and in another environment."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from docker_site import Here, docker
from making import DOCKER, VAULT, drain

from ecluse.engines.docker.backing import resp
from ecluse.errors import EngineError, Refused
from ecluse.model.application import BackingService, Target
from ecluse.model.backup import Backup, BackupId, Manifest
from ecluse.model.cause import RolloutFailed
from ecluse.model.names import ServiceName
from ecluse.model.product import BackingKind
from ecluse.store.backups import FileBackups

pytestmark = pytest.mark.docker
AWKWARD = 'it\'s "quoted" \\ $HOME `id`'
VERSIONS: dict[BackingKind, str] = {"mariadb": "10.11", "postgresql": "15", "redis": "7.0"}
MARIADB = """
create table kept (id int primary key auto_increment, word varchar(50), raw blob, unique (word));
insert into kept (word, raw) values ('déjà vu 🚣', x'00ff0a'), ('second', null);
create table child (kept int, foreign key (kept) references kept (id));
insert into child values (1);
create view words as select word from kept;
create trigger shout before insert on kept for each row set new.word = upper(new.word);
create procedure twice(n int) select n * 2;
"""
POSTGRESQL = """
create table kept (id serial primary key, word text unique, raw bytea);
insert into kept (word, raw) values ('déjà vu 🚣', '\\x00ff0a'), ('second', null);
create table child (kept int references kept);
insert into child values (1);
create view words as select word from kept;
create function twice(n int) returns int language sql as 'select n * 2';
create index on kept (word);
"""


def backing(kind: BackingKind) -> BackingService:
    accounts = {ServiceName("hello"): VAULT.seal(AWKWARD), ServiceName("my-payroll"): VAULT.seal("sesame")}
    return BackingService("db", kind, VERSIONS[kind], None, None, None, None, VAULT.seal(AWKWARD), accounts)


async def container(here: Here, target: Target) -> str:
    return (await here.engine.observe(target)).backing[0].id


async def say(here: Here, target: Target, kind: BackingKind, text: str, database: str = "hello") -> str:
    """As the client `hello` would, over the network with its password."""
    identity = await container(here, target)
    if kind == "mariadb":
        account = [
            f"--user={database.replace('_', '-')}",
            f"--password={AWKWARD if database == 'hello' else 'sesame'}",
        ]
        words = ["mariadb", *account, "--host=127.0.0.1", "--batch", "--skip-column-names", database]
        return docker("exec", identity, *words, "--default-character-set=utf8mb4", "--execute", text).strip()
    words = ["psql", "--host=127.0.0.1", "--username=hello", "--dbname=hello", "--tuples-only", "--no-align"]
    account = ["--env", f"PGPASSWORD={AWKWARD}"]
    return docker("exec", *account, identity, *words, "--quiet", "--command", text).strip()


def seen(*words: str) -> str:
    """What a command writes, byte by byte: it need not be text."""
    return subprocess.run(
        [DOCKER, "exec", *words], check=True, capture_output=True, timeout=60
    ).stdout.decode("latin-1")


async def picture(here: Here, target: Target, kind: BackingKind) -> str:
    """All that is in the database of `hello`, by the database's own tools."""
    identity = await container(here, target)
    if kind == "mariadb":
        words = [
            "mariadb-dump",
            "--defaults-extra-file=/etc/ecluse/client.cnf",
            "--skip-dump-date",
            "--routines",
        ]
        return seen("--user", "mysql", identity, *words, "--skip-comments", "hello")
    if kind == "postgresql":
        words = ["pg_dump", "--username=postgres", "--inserts", "hello"]
        lines = seen("--user", "postgres", identity, *words).splitlines()
        return "\n".join(line for line in lines if "restrict" not in line)
    words = ["sh", "-c", 'redis-cli --no-auth-warning -a "$0" --scan | sort | while read -r k; do '
             'echo "$k"; redis-cli --no-auth-warning -a "$0" DUMP "$k"; done', AWKWARD]  # fmt: skip
    return seen(identity, *words)


async def fill(here: Here, target: Target, kind: BackingKind) -> None:
    if kind == "redis":
        address = json.loads(docker("inspect", await container(here, target)))[0]["Config"]["Labels"][
            "ecluse.address"
        ]
        await resp.ask(
            address, 6379, AWKWARD, [["SET", "word", "déjà vu"], ["SELECT", "3"], ["SET", "other", "3"]]
        )
        await resp.ask(address, 6379, AWKWARD, [["MSET", "a", "1", "b", "2"]])
        return
    await say(here, target, kind, MARIADB if kind == "mariadb" else POSTGRESQL)


async def spoil(here: Here, target: Target, kind: BackingKind) -> None:
    if kind == "redis":
        address = json.loads(docker("inspect", await container(here, target)))[0]["Config"]["Labels"][
            "ecluse.address"
        ]
        await resp.ask(address, 6379, AWKWARD, [["FLUSHALL"], ["SET", "unwanted", "1"]])
        return
    await say(here, target, kind, "drop table child; delete from kept; create table unwanted (id int)")


@asynccontextmanager
async def kept(here: Here, item: BackingService, at: str = "20260302T120000.000Z") -> AsyncIterator[Backup]:
    backups = FileBackups(here.folder / "backups")
    backup = BackupId(here.target.environment, "db", at)
    draft = backups.draft(backup)
    await drain(here.engine.dump(here.target, item, draft))
    now = datetime.now(UTC)
    parts = draft.parts()
    draft.keep(Manifest(backup.environment, "db", at, item.kind, item.version, now, now, 1, "me", {}, parts))
    (found,) = backups.list(here.target.environment)
    yield found


@pytest.mark.parametrize("kind", list(VERSIONS))
async def test_what_comes_back_is_what_was_there(here: Here, kind: BackingKind) -> None:
    item = backing(kind)
    await drain(here.engine.provide(here.target, item))
    await fill(here, here.target, kind)
    before = await picture(here, here.target, kind)
    async with kept(here, item) as backup:
        assert backup.size > 0
        await spoil(here, here.target, kind)
        assert await picture(here, here.target, kind) != before
        copy = FileBackups(here.folder / "backups").copy(backup.id)
        for _ in range(2):
            events = await drain(here.engine.load(here.target, item, copy))
            assert await picture(here, here.target, kind) == before
        assert events[-1].message == "brought back"
        if kind != "redis":
            assert "VU" in (await say(here, here.target, kind, "select word from words")).upper()
            await say(here, here.target, kind, "insert into kept (word) values ('and on it goes')")
        assert here.folder.joinpath("backups").stat().st_mode & 0o777 == 0o700
        files = [path for path in (here.folder / "backups").rglob("*") if path.is_file()]
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


@pytest.mark.parametrize("kind", list(VERSIONS))
async def test_another_environment_gets_the_data_and_keeps_its_accounts(
    here: Here, kind: BackingKind
) -> None:
    item = backing(kind)
    for target in (here.target, here.other):
        await drain(here.engine.provide(target, item))
    await fill(here, here.target, kind)
    async with kept(here, item) as backup:
        copy = FileBackups(here.folder / "backups").copy(backup.id)
        await drain(here.engine.load(here.other, item, copy))
        assert await picture(here, here.other, kind) == await picture(here, here.target, kind)
        if kind != "redis":
            await say(here, here.other, kind, "insert into kept (word) values ('mine now')")


@pytest.mark.parametrize("kind", list(VERSIONS))
async def test_a_rehearsal_counts_what_a_copy_holds_and_leaves_nothing(here: Here, kind: BackingKind) -> None:
    item = backing(kind)
    await drain(here.engine.provide(here.target, item))
    await fill(here, here.target, kind)
    async with kept(here, item) as backup:
        copy = FileBackups(here.folder / "backups").copy(backup.id)
        events = await drain(here.engine.rehearse(here.target, item, copy))
        counts = {"mariadb": {"hello": 3, "my_payroll": 0}, "postgresql": {"hello": 2, "my_payroll": 0}}
        assert events[-1].data == counts.get(kind, {"data": 4})
    mine = f"label=ecluse.product={here.target.product}"
    assert docker("ps", "--all", "--quiet", "--filter", mine, "--filter", "label=ecluse.kind=trial") == ""


@pytest.mark.parametrize("kind", list(VERSIONS))
async def test_a_copy_that_fails_tells_why_and_shows_no_password(here: Here, kind: BackingKind) -> None:
    item = backing(kind)
    await drain(here.engine.provide(here.target, item))
    tool = {"mariadb": "mariadb-dump", "postgresql": "pg_dump", "redis": "redis-cli"}[kind]
    identity = await container(here, here.target)
    docker(
        "exec",
        "--user",
        "root",
        identity,
        "sh",
        "-c",
        f"printf '#!/bin/sh\\necho half; echo it broke >&2; exit 3\\n' > $(readlink -f $(command -v {tool}))",
    )
    draft = FileBackups(here.folder / "backups").draft(BackupId(here.target.environment, "db", "x"))
    with pytest.raises(RolloutFailed, match="it broke") as failure:
        await drain(here.engine.dump(here.target, item, draft))
    draft.discard()
    assert AWKWARD not in str(failure.value.cause)
    assert FileBackups(here.folder / "backups").list(here.target.environment) == []
    assert not [path for path in (here.folder / "backups").rglob("*") if path.is_file()]


async def test_a_copy_that_cannot_be_read_to_its_end_stops_what_takes_it_and_is_heard(here: Here) -> None:
    await here.deploy(here.make.web())
    (replica,) = await here.replicas()

    def source() -> Iterator[bytes]:
        yield b"the beginning"
        raise EngineError("the disk is broken")

    taken = bytearray()
    with pytest.raises(EngineError, match="the disk is broken"):
        async with asyncio.timeout(60):
            await here.engine.client.pipe(
                replica.id, ["cat"], what="take it", source=source(), sink=taken.extend, user="", seconds=120
            )
    assert taken == b"the beginning"


async def test_a_damaged_copy_changes_nothing(here: Here) -> None:
    item = backing("postgresql")
    await drain(here.engine.provide(here.target, item))
    await fill(here, here.target, "postgresql")
    before = await picture(here, here.target, "postgresql")
    async with kept(here, item) as backup:
        backups = FileBackups(here.folder / "backups")
        (path,) = (here.folder / "backups").rglob("hello.data")
        content = path.read_bytes()
        path.write_bytes(content[:-40])
        copy = backups.copy(backup.id)
        with pytest.raises(Refused, match="damaged"):
            copy.verify()
        with pytest.raises(RolloutFailed):
            await drain(here.engine.load(here.target, item, copy))
        assert await picture(here, here.target, "postgresql") == before
        assert await say(here, here.target, "postgresql", "select count(*) from kept") == "2"


async def test_a_cache_that_does_not_run_cannot_be_copied(here: Here) -> None:
    draft = FileBackups(here.folder / "backups").draft(BackupId(here.target.environment, "db", "x"))
    with pytest.raises(EngineError, match="db does not run in test"):
        await drain(here.engine.dump(here.target, backing("redis"), draft))
