"""HTTPS through edge and gateway: who is trusted, what programs are told, and certificates that change."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from docker_site import Here, Load, docker
from making import VAULT, drain

from ecluse.engines.docker.engine import DockerEngine
from ecluse.engines.docker.https import certificates
from ecluse.engines.docker.https.certificates import Pair
from ecluse.errors import EngineError
from ecluse.model.product import Tls

pytestmark = pytest.mark.docker

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def told(answer: dict[str, str]) -> dict[str, str]:
    return {key.lower(): value for key, value in answer.items()}


async def test_who_trusts_the_authority_is_answered_over_https(here: Here) -> None:
    await here.deploy(here.make.web(env={"NAME": "secure"}))
    assert here.get(secure=True).text == "secure"
    assert here.get().text == "secure"
    headers = told(here.get("/headers", secure=True).json)
    assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("https", str(here.https))
    assert headers["x-forwarded-for"] != "127.0.0.1"
    plain = told(here.get("/headers").json)
    assert (plain["x-forwarded-proto"], plain["x-forwarded-port"]) == ("http", str(here.port))
    observed = await here.engine.observe(here.target)
    assert observed.urls == {"hello.test.localhost": f"http://hello.test.localhost:{here.port}"}
    assert observed.certificate is not None
    assert observed.certificate > datetime.now(UTC) + timedelta(days=89)


async def test_who_does_not_trust_it_is_not_answered(here: Here, tmp_path: Path) -> None:
    await here.deploy(here.make.web())
    other = tmp_path / "other.crt"
    other.write_text(certificates.make_authority("elsewhere", datetime.now(UTC)).certificate)
    with pytest.raises(ssl.SSLCertVerificationError):
        here.secure(authority=other).serial()
    with pytest.raises((ssl.SSLError, OSError)):
        here.secure("nobody.test.localhost").serial()


async def test_http_2_is_spoken(here: Here) -> None:
    await here.deploy(here.make.web())
    if shutil.which("curl") is None:
        pytest.skip("curl")
    name = f"hello.test.localhost:{here.https}"
    curl = await asyncio.create_subprocess_exec(
        *("curl", "--silent", "--http2", "--cacert", str(here.authority), "--resolve", f"{name}:127.0.0.1"),
        *("--output", "/dev/null", "--write-out", "%{http_version} %{http_code}", f"https://{name}/"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert (await curl.communicate())[0] == b"2 200"


async def test_http_leads_to_https_and_browsers_are_told_to_insist(here: Here) -> None:
    target = replace(here.target, tls=Tls(redirect=True, hsts=31536000))
    await here.deploy(here.make.web(), target)
    answer = here.get("/invoices?page=2")
    assert (answer.status, answer.headers["location"]) == (
        308,
        f"https://hello.test.localhost:{here.https}/invoices?page=2",
    )
    assert "strict-transport-security" not in answer.headers
    assert here.get(secure=True).headers["strict-transport-security"] == "max-age=31536000"
    observed = await here.engine.observe(target)
    assert observed.urls == {"hello.test.localhost": f"https://hello.test.localhost:{here.https}"}
    assert observed.tls == target.tls
    await drain(here.engine.prepare(here.target, [here.make.web()]))
    assert here.get().status == 200


async def test_what_clients_say_of_themselves_is_not_believed(here: Here) -> None:
    await here.deploy(here.make.web())
    for secure, scheme in ((True, "https"), (False, "http")):
        lies = {
            f"X_Forwarded_{word}": "6.6.6.6" for word in ("For", "Proto", "Port", "Host", "Prefix", "Ssl")
        }
        answer = here.get("/headers", secure=secure, Forwarded="for=6.6.6.6", X_Real_IP="6.6.6.6", **lies)
        headers = told(answer.json)
        assert "6.6.6.6" not in str(headers)
        assert headers["x-forwarded-proto"] == scheme


async def test_requests_carry_a_trace_inside_too(here: Here) -> None:
    callee = here.make.web("callee", host=None)
    caller = here.make.web(uses=("callee",))
    await drain(here.engine.prepare(here.target, [callee, caller]))
    await drain(here.engine.rollout(here.target, callee))
    await drain(here.engine.rollout(here.target, caller))
    kept = told(here.get("/headers", secure=True, traceparent=TRACE, tracestate="a=b").json)
    assert (kept["traceparent"], kept["tracestate"]) == (TRACE, "a=b")
    wrong = ("hello", TRACE.replace("00-", "ff-", 1), f"00-{'0' * 32}-b7ad6b7169203331-01", TRACE + "-more")
    for text in wrong:
        made = told(here.get("/headers", traceparent=text, tracestate="a=b").json)
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", made["traceparent"])
        assert made["traceparent"] != text
        assert "tracestate" not in made
    fetch = "import urllib.request as r; print(r.urlopen('http://callee/headers').read().decode().lower())"
    (replica,) = await here.replicas()
    inside = docker("exec", replica.name, "python3", "-c", fetch)
    assert "traceparent" in inside
    assert "x-request-id" in inside


async def test_a_renewal_under_load_loses_no_request(here: Here) -> None:
    await here.deploy(here.make.web(env={"SLOW": "0.7"}))
    gateway = next(
        name for name in docker("ps", "--format", "{{.Names}}").split()
        if name.startswith(f"{here.target.slug}-gateway")
    )  # fmt: skip
    workers = docker("top", gateway, "-o", "pid").split()
    load = Load(here.https, "hello.test.localhost", authority=here.authority)
    serials = [here.secure().serial()]
    with load.running():
        for _ in range(5):
            age(here)
            (event,) = await drain(here.engine.renew(here.target))
            assert "another certificate, valid until" in event.message
            serials.append(here.secure().serial())
            await more(load, 40)
    assert load.lost == []
    assert len(set(serials)) == 6
    assert docker("top", gateway, "-o", "pid").split() == workers
    assert await drain(here.engine.renew(here.target)) == []


async def test_a_new_host_is_covered_without_a_reload(here: Here) -> None:
    web = here.make.web()
    await here.deploy(web)
    await drain(here.engine.prepare(here.target, [replace(web, host="renamed.test.localhost")]))
    assert here.get(host="renamed.test.localhost", secure=True).status == 200


async def test_certificates_of_ones_own_are_shown_and_replaced(here: Here, tmp_path: Path) -> None:
    authority = certificates.make_authority("the company", datetime.now(UTC))
    trusted = tmp_path / "company.crt"
    trusted.write_text(authority.certificate)
    tls = own(tmp_path, authority, ["*.test.localhost"])
    target = replace(here.target, tls=tls)
    await here.deploy(here.make.web(), target)
    first = here.secure(authority=trusted).serial()
    own(tmp_path, authority, ["hello.test.localhost"])
    await drain(here.engine.renew(target))
    assert here.secure(authority=trusted).serial() != first


async def test_a_certificate_that_will_not_do_is_refused_before_anything_changes(
    here: Here, tmp_path: Path
) -> None:
    authority = certificates.make_authority("the company", datetime.now(UTC))
    tls = own(tmp_path, authority, ["hello.elsewhere.localhost"])
    target = replace(here.target, tls=tls)
    with pytest.raises(EngineError) as failure:
        await drain(here.engine.prepare(target, [here.make.web()]))
    assert failure.value.message == f"the certificate {tls.certificate} is not for hello.test.localhost"
    own(tmp_path, authority, ["hello.test.localhost"], age=timedelta(days=100))
    with pytest.raises(EngineError, match=rf"{tls.certificate} expired on \d"):
        await drain(here.engine.prepare(target, [here.make.web()]))
    assert (await here.engine.observe(here.target)).exists is False


async def test_two_environments_on_one_edge_show_their_own_certificates(here: Here) -> None:
    await here.deploy(here.make.web(env={"NAME": "test"}))
    await here.deploy(here.make.web(env={"NAME": "other"}, host="hello.other.localhost"), here.other)
    assert here.get(secure=True).text == "test"
    assert here.get(host="hello.other.localhost", secure=True).text == "other"
    assert here.secure().serial() != here.secure("hello.other.localhost").serial()
    connection = here.secure()
    connection.request("GET", "/", headers={"Host": "hello.other.localhost"})
    assert connection.getresponse().status == 404
    connection.close()


async def test_without_tls_nothing_answers_over_https(here: Here) -> None:
    target = replace(here.target, tls=Tls("off"))
    await here.deploy(here.make.web(), target)
    assert here.get().status == 200
    assert not here.authority.exists()


async def test_a_taken_port_leaves_the_edge_that_runs_alone(here: Here, tmp_path: Path) -> None:
    await here.deploy(here.make.web())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        engine = DockerEngine(
            vault=VAULT,
            state=tmp_path / "product",
            machine=here.folder / "_machine",
            edge_address="127.0.0.1",
            edge_http_port=here.port,
            edge_https_port=port,
        )
        with pytest.raises(EngineError, match=rf"cannot listen on 127\.0\.0\.1:{port}") as failure:
            await drain(engine.prepare(here.target, [here.make.web()]))
        await engine.close()
    assert "ECLUSE_EDGE_HTTPS_PORT to another one, or to 0 for no HTTPS" in (failure.value.hint or "")
    assert here.get().status == 200


async def more(load: Load, count: int) -> None:
    """Returns when that many requests were answered since: a busy machine takes longer, and proves as much."""
    wanted = load.done + count
    async with asyncio.timeout(30):
        while load.done < wanted:
            await asyncio.sleep(0.05)


def age(here: Here) -> None:
    """Leaves a certificate on file that has 25 days to go."""
    folder = here.authority.parent
    pair = Pair(here.authority.read_text(), (folder / "authority.key").read_text())
    old = certificates.issue(pair, "old", ["hello.test.localhost"], datetime.now(UTC) - timedelta(days=65))
    (here.folder / "product" / "gateway" / "test" / "crt" / "environment.pem").write_text(old)


def own(folder: Path, authority: Pair, hosts: list[str], age: timedelta = timedelta()) -> Tls:
    """A certificate of the user's, in two files."""
    text = certificates.issue(authority, "the company", hosts, datetime.now(UTC) - age)
    key, mark, rest = text.partition("-----BEGIN CERTIFICATE-----")
    (folder / "own.crt").write_text(mark + rest)
    (folder / "own.key").write_text(key)
    (folder / "own.key").chmod(0o600)
    return Tls("files", str(folder / "own.crt"), str(folder / "own.key"))
