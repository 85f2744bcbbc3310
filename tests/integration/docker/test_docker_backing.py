"""Databases and caches: accounts that work, data that stays, versions that are told apart."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from docker_site import Here, docker, inspect
from making import VAULT, drain

from ecluse.engines.docker.backing import resp
from ecluse.errors import EngineError
from ecluse.model.application import BackingService
from ecluse.model.cause import RolloutFailed
from ecluse.model.names import ServiceName
from ecluse.model.product import BackingKind

pytestmark = pytest.mark.docker
AWKWARD = 'it\'s "quoted" \\ $HOME `id`'


def backing(kind: BackingKind, version: str, *, root: str = AWKWARD, hello: str = AWKWARD) -> BackingService:
    accounts = {ServiceName("hello"): VAULT.seal(hello), ServiceName("my-payroll"): VAULT.seal("sesame")}
    return BackingService("db", kind, version, None, None, None, None, VAULT.seal(root), accounts)


async def container(here: Here) -> str:
    return (await here.engine.observe(here.target)).backing[0].id


def mariadb(identity: str, user: str, password: str, statement: str) -> str:
    words = [
        "mariadb",
        f"--user={user}",
        f"--password={password}",
        "--host=127.0.0.1",
        "--batch",
        "--skip-column-names",
        user.replace("-", "_"),
    ]
    return docker("exec", identity, *words, "--execute", statement).strip()


def psql(identity: str, user: str, password: str, statement: str) -> str:
    words = [
        "psql",
        "--host=127.0.0.1",
        f"--username={user}",
        f"--dbname={user.replace('-', '_')}",
        "--tuples-only",
        "--no-align",
    ]
    return docker("exec", "--env", f"PGPASSWORD={password}", identity, *words, "--command", statement).strip()


@pytest.mark.parametrize(
    ("kind", "version", "ask"), [("mariadb", "10.11", mariadb), ("postgresql", "15", psql)]
)
async def test_a_database_keeps_data_and_address_when_its_container_is_replaced(
    here: Here, kind: BackingKind, version: str, ask: object
) -> None:
    assert callable(ask)
    await drain(here.engine.provide(here.target, backing(kind, version)))
    first = await container(here)
    ask(first, "hello", AWKWARD, "create table kept (word varchar(20))")
    ask(first, "hello", AWKWARD, "insert into kept values ('still here')")
    address = inspect(first)["Config"]["Labels"]["ecluse.address"]

    larger = replace(backing(kind, version, root="another", hello="changed"), memory=512 << 20)
    await drain(here.engine.provide(here.target, larger))
    second = await container(here)
    assert second != first
    assert inspect(second)["Config"]["Labels"]["ecluse.address"] == address
    assert ask(second, "hello", "changed", "select word from kept") == "still here"
    assert ask(second, "my-payroll", "sesame", "select 1") == "1"

    await drain(here.engine.withdraw(here.target, "db"))
    await drain(here.engine.provide(here.target, larger))
    third = await container(here)
    assert ask(third, "hello", "changed", "select word from kept") == "still here"
    assert inspect(third)["Config"]["Labels"]["ecluse.address"] == address


async def test_clients_of_redis_log_in_with_a_name_or_without(here: Here) -> None:
    redis = here.make.redis(hello=AWKWARD, payroll="sesame")
    await drain(here.engine.provide(here.target, redis))
    address = inspect(await container(here))["Config"]["Labels"]["ecluse.address"]
    await resp.ask(address, 6379, AWKWARD, [["SET", "kept", "still here"]])
    await resp.ask(address, 6379, "sesame", [["AUTH", "payroll", "sesame"], ["PING"]])
    with pytest.raises(EngineError, match="redis refuses AUTH: -WRONGPASS"):
        await resp.ask(address, 6379, "guess", [["PING"]])
    await drain(here.engine.provide(here.target, here.make.redis(hello="changed", payroll="sesame")))
    with pytest.raises(EngineError, match="redis refuses AUTH"):
        await resp.ask(address, 6379, AWKWARD, [["PING"]])
    docker("restart", await container(here))
    await asyncio.sleep(1)
    await resp.ask(address, 6379, "changed", [["SETNX", "other", "1"]] and [["PING"]])


async def test_a_container_resolves_its_backing_services_and_no_others(here: Here) -> None:
    await drain(here.engine.provide(here.target, here.make.redis("cache")))
    await here.deploy(here.make.web(backing=("cache",)))
    (replica,) = await here.replicas()
    (network,) = inspect(replica.name)["NetworkSettings"]["Networks"]
    address = inspect(await container(here))["NetworkSettings"]["Networks"][network]["IPAddress"]
    assert docker("exec", replica.name, "getent", "hosts", "cache").split()[0] == address


async def test_a_version_that_is_not_there_lists_those_that_are(here: Here) -> None:
    with pytest.raises(EngineError, match=r"db: mariadb 11\.4 is not available here") as failure:
        await drain(here.engine.provide(here.target, backing("mariadb", "11.4")))
    assert "available: mariadb 10.11 or 10.5, postgresql 15 or 13, redis 7.0 or 6.0, s3 2.30" in (
        failure.value.hint or ""
    )


async def test_an_image_of_ones_own_that_is_missing_is_told(here: Here) -> None:
    own = replace(backing("mariadb", "11.4"), image="example/mariadb:none")
    with pytest.raises(RolloutFailed) as failure:
        await drain(here.engine.provide(here.target, own))
    assert failure.value.cause.kind == "image-missing"


async def test_an_image_of_ones_own_runs_and_is_never_built(here: Here) -> None:
    own = f"{here.target.product}/redis:own"
    usual = here.make.redis()
    await drain(here.engine.provide(here.target, usual))
    docker("tag", inspect(await container(here))["Image"], own)
    try:
        events = await drain(here.engine.provide(here.target, replace(usual, image=own)))
        assert inspect(await container(here))["Config"]["Image"] == own
        assert not any("building" in event.message for event in events)
        await drain(here.engine.withdraw(here.target, "sessions"))
    finally:
        docker("rmi", own)


async def test_a_backing_service_that_cannot_start_tells_why(here: Here) -> None:
    own = replace(here.make.redis(), image=here.make.image)
    with pytest.raises(EngineError) as failure:
        await drain(here.engine.provide(here.target, own))
    assert "redis" in failure.value.message


async def test_a_stopped_backing_service_starts_again(here: Here) -> None:
    await drain(here.engine.provide(here.target, here.make.redis()))
    before = await container(here)
    docker("stop", "-t", "5", before)
    assert (await here.engine.observe(here.target)).backing[0].state == "exited"
    await drain(here.engine.provide(here.target, here.make.redis()))
    (state,) = (await here.engine.observe(here.target)).backing
    assert (state.id, state.state) == (before, "ready")
