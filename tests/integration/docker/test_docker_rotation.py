"""Passwords in turn, on real servers: the new one beside the old one, then alone; nobody is stopped."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError
from docker_site import Here, docker, inspect
from making import VAULT, drain
from test_docker_copies import VERSIONS, backing

from ecluse.engines.docker.backing import resp
from ecluse.errors import EngineError
from ecluse.model.application import BackingService, login_name
from ecluse.model.names import ServiceName
from ecluse.model.product import BackingKind

pytestmark = pytest.mark.docker
HELLO = ServiceName("hello")
OLD, NEW, NEWER = "0ld$ 'pass'", "new \\ pass", "newer"
KINDS: dict[BackingKind, str] = {**VERSIONS, "s3": "2.30"}


def turn(kind: BackingKind, number: int, password: str, former: str | None = None) -> BackingService:
    item = replace(backing(kind if kind != "s3" else "redis"), kind=kind, version=KINDS[kind])
    accounts = {**item.accounts, HELLO: VAULT.seal(password)}
    return replace(
        item,
        accounts=accounts,
        turns={HELLO: number},
        former={HELLO: VAULT.seal(former)} if former else {},
    )


async def enters(here: Here, kind: BackingKind, number: int, password: str) -> bool:
    """Whether the client `hello` of this turn gets in over the network."""
    (state,) = (await here.engine.observe(here.target)).backing
    address, login = (
        inspect(state.id)["Config"]["Labels"]["ecluse.address"],
        login_name(kind, "hello", number),
    )
    try:
        if kind == "redis":
            await resp.ask(address, 6379, password, [["AUTH", login, password], ["PING"]])
        elif kind == "s3":
            keys = {"aws_access_key_id": login, "aws_secret_access_key": password}
            url = f"http://{address}:8080"
            boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys).list_objects_v2(
                Bucket="hello"
            )
        else:
            ask(kind, state.id, login, password, "select 1")
    except (EngineError, ClientError, OSError):
        return False
    return True


def ask(kind: BackingKind, container: str, login: str, password: str, statement: str) -> str:

    if kind == "mariadb":
        words = [
            "mariadb",
            f"--user={login}",
            f"--password={password}",
            "--host=127.0.0.1",
            "-BN",
            "hello",
            "-e",
        ]
    else:
        words = ["psql", "--host=127.0.0.1", f"--username={login}", "--dbname=hello", "-qtA", "-c"]
    try:
        return docker("exec", "--env", f"PGPASSWORD={password}", container, *words, statement).strip()
    except subprocess.CalledProcessError as error:
        raise EngineError(error.stderr) from error


@pytest.mark.parametrize("kind", list(KINDS))
async def test_two_passwords_count_while_clients_go_from_one_to_the_other(
    here: Here, kind: BackingKind
) -> None:
    async def seen(*tried: tuple[int, str]) -> list[bool]:
        return [await enters(here, kind, number, password) for number, password in tried]

    await drain(here.engine.provide(here.target, turn(kind, 1, OLD)))
    (before,) = (await here.engine.observe(here.target)).backing
    if kind in ("mariadb", "postgresql"):
        ask(kind, before.id, "hello", OLD, "create table one (id int)")
    assert await seen((1, OLD), (2, NEW)) == [True, False]
    for _ in range(2):
        await drain(here.engine.provide(here.target, turn(kind, 2, NEW, OLD)))
        assert await seen((1, OLD), (2, NEW)) == [True, True]
    if kind in ("mariadb", "postgresql"):
        login = login_name(kind, "hello", 2)
        ask(kind, before.id, login, NEW, "alter table one add word int")
        ask(kind, before.id, login, NEW, "create table two (id int)")
        ask(kind, before.id, "hello", OLD, "drop table two")
    # it failed: back to where it was
    await drain(here.engine.provide(here.target, turn(kind, 1, OLD)))
    assert await seen((1, OLD), (2, NEW)) == [True, False]
    for _ in range(2):
        await drain(here.engine.provide(here.target, turn(kind, 2, NEW)))
        assert await seen((1, OLD), (2, NEW)) == [False, True]
    await drain(here.engine.provide(here.target, turn(kind, 3, NEWER, NEW)))
    assert await seen((2, NEW), (3, NEWER)) == [True, True]
    await drain(here.engine.provide(here.target, turn(kind, 3, NEWER)))
    assert await seen((1, OLD), (2, NEW), (3, NEWER)) == [False, False, True]
    (after,) = (await here.engine.observe(here.target)).backing
    assert after.id == before.id
    docker("restart", after.id)
    await drain(here.engine.provide(here.target, turn(kind, 3, NEWER)))
    assert await seen((2, NEW), (3, NEWER)) == [False, True]

    told = await here.engine.passwords(here.target, turn(kind, 3, NEWER))
    root = VAULT.reveal(turn(kind, 3, NEWER).root_password)  # type: ignore[arg-type]
    assert told.root == (root if kind in ("mariadb", "postgresql") else None)
    assert told.clients.get(HELLO) == (NEWER if kind == "s3" else None)


async def test_a_redis_whose_administrator_nobody_knows_is_told_by_a_client_and_else_started_again(
    here: Here,
) -> None:
    await drain(here.engine.provide(here.target, turn("redis", 1, OLD)))
    (before,) = (await here.engine.observe(here.target)).backing
    address = inspect(before.id)["Config"]["Labels"]["ecluse.address"]
    await resp.ask(address, 6379, OLD, [["SET", "kept", "yes"]])
    other = replace(turn("redis", 1, OLD), root_password=VAULT.seal("another root"))
    events = await drain(here.engine.provide(here.target, other))
    assert not [event for event in events if "starting it again" in event.message]
    await resp.ask(address, 6379, "another root", [["PING"]])

    none = replace(
        turn("redis", 1, NEW),
        root_password=VAULT.seal("a third root"),
        accounts={HELLO: VAULT.seal(NEW)},
    )
    started = inspect(before.id)["State"]["StartedAt"]
    events = await drain(here.engine.provide(here.target, none))
    assert [event for event in events if "starting it again with new ones" in event.message]
    (after,) = (await here.engine.observe(here.target)).backing
    assert after.id == before.id
    assert inspect(after.id)["State"]["StartedAt"] != started
    await resp.ask(address, 6379, NEW, [["SET", "kept", "yes", "XX"]])
    assert not await enters(here, "redis", 1, OLD)
