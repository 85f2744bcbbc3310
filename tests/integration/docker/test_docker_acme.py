"""Certificates from a real ACME server: the first one, renewal under load, and what happens when it fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from docker_site import Here, Load, docker
from making import drain
from pebble import Pebble, pebble

from ecluse.engines.docker.https import certificates
from ecluse.engines.docker.https.certificates import Pair
from ecluse.model.application import Target

pytestmark = pytest.mark.docker

HOST = "hello.test.localhost"


@pytest.fixture
def server(here: Here, tmp_path: Path) -> Iterator[Pebble]:
    with pebble(tmp_path / "pebble", http_port=here.port, https_port=here.https) as started:
        yield started


async def test_the_server_issues_with_the_first_deployment_and_for_new_hosts(
    here: Here, server: Pebble
) -> None:
    target = replace(here.target, tls=server.tls(redirect=True, hsts=3600))
    web = here.make.web()
    said = await drain(here.engine.prepare(target, [web]))
    assert f"asking for a certificate for {HOST}" in [event.message for event in said]
    await drain(here.engine.rollout(target, web))
    first = here.secure(authority=server.root).serial()
    assert here.get().status == 308
    # nothing is asked again while the certificate is good, and no path is lost to the challenges
    assert await drain(here.engine.renew(target)) == []
    assert await drain(here.engine.prepare(target, [web])) == []
    connection = here.secure(authority=server.root)
    connection.request("GET", "/.well-known/acme-challenge/mine", headers={"Host": HOST})
    assert connection.getresponse().status == 200
    connection.close()
    other = here.make.web("other", host="other.test.localhost")
    said = await drain(here.engine.prepare(target, [web, other]))
    assert "another certificate, valid until" in said[-1].message, said
    assert here.secure("other.test.localhost", authority=server.root).serial() != first
    observed = await here.engine.observe(target)
    assert observed.certificate_problem is None
    assert observed.certificate is not None
    assert observed.certificate > datetime.now(UTC) + timedelta(days=80)


async def test_a_certificate_is_renewed_under_load_without_a_loss(here: Here, server: Pebble) -> None:
    target = replace(here.target, tls=server.tls())
    await here.deploy(here.make.web(env={"SLOW": "0.7"}), target)
    gateway = next(
        name for name in docker("ps", "--format", "{{.Names}}").split()
        if name.startswith(f"{here.target.slug}-gateway")
    )  # fmt: skip
    workers = docker("top", gateway, "-o", "pid").split()
    trusted = server.folder / "both.pem"
    # what a test leaves on file as spent is of the local authority, and is shown until the renewal
    trusted.write_text(server.root.read_text() + here.authority.read_text())
    load = Load(here.https, HOST, authority=trusted)
    serials = {here.secure(authority=server.root).serial()}
    with load.running():
        for _ in range(3):
            spend(here)
            said = await drain(here.engine.renew(target))
            assert "another certificate, valid until" in said[-1].message
            serials.add(here.secure(authority=server.root).serial())
            await more(load, 30)
    assert load.lost == []
    assert len(serials) == 4
    assert docker("top", gateway, "-o", "pid").split() == workers


async def test_the_old_certificate_stays_when_the_server_is_silent(here: Here, server: Pebble) -> None:
    target = replace(here.target, tls=server.tls())
    await here.deploy(here.make.web(), target)
    spend(here)
    before = file(here).read_text()
    server.stop()
    said = await drain(here.engine.renew(target))
    assert said[-1].message.startswith(f"no certificate for {HOST}: localhost does not answer")
    observed = await here.engine.observe(target)
    assert observed.certificate_problem is not None
    assert "localhost does not answer" in observed.certificate_problem
    assert "asked again after" in observed.certificate_problem
    assert file(here).read_text() == before
    # the next attempt waits, longer each time
    assert await drain(here.engine.renew(target)) == []
    assert waited(here) == timedelta(minutes=5)
    let_time_pass(here)
    await drain(here.engine.renew(target))
    assert waited(here) == timedelta(minutes=10)
    server.start()
    let_time_pass(here)
    said = await drain(here.engine.renew(target))
    assert "another certificate" in said[-1].message
    assert (await here.engine.observe(target)).certificate_problem is None
    assert here.get(secure=False).status == 200


async def test_a_deployment_goes_on_when_a_name_leads_elsewhere(here: Here, server: Pebble) -> None:
    server.lead("away.test.localhost", "127.0.0.99")
    target = replace(here.target, tls=server.tls())
    await here.deploy(here.make.web(host="away.test.localhost"), target)
    problem = (await here.engine.observe(target)).certificate_problem
    assert problem is not None
    assert "localhost refuses: away.test.localhost: " in problem
    # until the name is right, the local authority vouches
    connection = here.secure("away.test.localhost")
    connection.request("GET", "/", headers={"Host": "away.test.localhost"})
    assert connection.getresponse().status == 200
    connection.close()


async def test_the_account_is_kept(here: Here, server: Pebble) -> None:
    await here.deploy(here.make.web(), replace(here.target, tls=server.tls()))
    other = replace(here.other, tls=server.tls())
    await here.deploy(here.make.web(host="hello.other.localhost"), other)
    assert here.secure("hello.other.localhost", authority=server.root).serial()
    (account,) = (here.folder / "_machine" / "acme").glob("*/account.json")
    assert account.stat().st_mode & 0o777 == 0o600


def file(here: Here, target: Target | None = None) -> Path:
    return (
        here.folder
        / "product"
        / "gateway"
        / str((target or here.target).environment)
        / "crt"
        / "environment.pem"
    )


def ledger(here: Here) -> Path:
    return file(here).parents[1] / "acme.json"


def spend(here: Here) -> None:
    """Leaves a certificate on file, as if it had been issued, that has 25 days to go."""
    folder = here.authority.parent
    pair = Pair(here.authority.read_text(), (folder / "authority.key").read_text())
    old = certificates.issue(pair, "old", [HOST], datetime.now(UTC) - timedelta(days=65))
    file(here).write_text(old)
    change(here, issued=certificates.fingerprint(old))


def let_time_pass(here: Here) -> None:
    change(here, again=datetime.now(UTC).isoformat())


def waited(here: Here) -> timedelta:
    """How long the next attempt waits, in whole minutes."""
    again = datetime.fromisoformat(json.loads(ledger(here).read_text())["again"])
    return timedelta(minutes=round((again - datetime.now(UTC)).total_seconds() / 60))


def change(here: Here, **facts: str) -> None:
    ledger(here).write_text(json.dumps(json.loads(ledger(here).read_text()) | facts))


async def more(load: Load, count: int) -> None:
    wanted = load.done + count
    async with asyncio.timeout(60):
        while load.done < wanted:
            await asyncio.sleep(0.05)
