"""The S3 store as its clients meet it, by a client that Amazon makes."""

from __future__ import annotations

import asyncio
import io
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError
from docker_site import Here, docker, inspect
from making import VAULT, drain
from test_docker_copies import kept

from ecluse.model.application import BackingService
from ecluse.model.names import ServiceName
from ecluse.store.backups import FileBackups

pytestmark = pytest.mark.docker
KEY = 'it\'s "quoted" \\ $HOME `id`'
NAMES = ["a/é b.txt", "a/../odd?#%41", "plain"]


def store(hello: str = KEY, **more: Any) -> BackingService:
    accounts = {ServiceName("hello"): VAULT.seal(hello), ServiceName("my-payroll"): VAULT.seal("sesame")}
    made = BackingService("db", "s3", "2.30", None, None, None, None, VAULT.seal("root"), accounts)
    return replace(made, **more)


async def client(here: Here, name: str = "hello", key: str = KEY) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=await endpoint(here),
        aws_access_key_id=name,
        aws_secret_access_key=key,
        region_name="us-east-1",
        config=Config(
            signature_version="s3v4", s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}
        ),
    )


async def endpoint(here: Here) -> str:
    (state,) = (await here.engine.observe(here.target)).backing
    return f"http://{inspect(state.id)['Config']['Labels']['ecluse.address']}:8080"


def fetch(what: str | urllib.request.Request) -> bytes:
    """As a browser would: without keys of its own."""
    with urllib.request.urlopen(what, timeout=20) as answer:
        return bytes(answer.read())


def refusal(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def fill(s3: Any) -> None:
    for name in NAMES:
        s3.put_object(
            Bucket="hello", Key=name, Body=name.encode(), ContentType="text/x", Metadata={"who": name[:1]}
        )
    s3.create_bucket(Bucket="empty")
    s3.upload_fileobj(io.BytesIO(b"large" * (2 << 20)), "hello", "in parts")


def picture(s3: Any) -> dict[str, object]:
    """All that a client can see: content, kinds, marks and sizes."""
    found: dict[str, object] = {}
    for bucket in s3.list_buckets()["Buckets"]:
        found[bucket["Name"]] = None
        for item in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            answer = s3.get_object(Bucket=bucket["Name"], Key=item["Key"])
            facts: Mapping[str, str] = answer["Metadata"]
            body = hash(answer["Body"].read())
            listed = (item["ETag"], item["Size"])
            found[f"{bucket['Name']}/{item['Key']}"] = (
                body,
                answer["ContentType"],
                facts,
                answer["ETag"],
                listed,
            )
    return found


async def test_a_client_puts_gets_lists_and_deletes_and_nobody_else_does(here: Here) -> None:
    await drain(here.engine.provide(here.target, store()))
    s3 = await client(here)
    fill(s3)
    listed = [item["Key"] for item in s3.list_objects_v2(Bucket="hello")["Contents"]]
    assert sorted(listed) == sorted([*NAMES, "in parts"])
    answer = s3.get_object(Bucket="hello", Key=NAMES[0])
    assert (answer["Body"].read().decode(), answer["Metadata"]) == (NAMES[0], {"who": "a"})
    assert len(s3.get_object(Bucket="hello", Key="in parts")["Body"].read()) == 10 << 20
    part = s3.get_object(Bucket="hello", Key="in parts", Range="bytes=5-9")
    assert part["Body"].read() == b"large"
    s3.copy_object(Bucket="hello", Key="copy", CopySource={"Bucket": "hello", "Key": "plain"})
    deleted = s3.delete_objects(Bucket="hello", Delete={"Objects": [{"Key": "copy"}, {"Key": "plain"}]})
    assert "Errors" not in deleted
    s3.delete_object(Bucket="hello", Key=NAMES[0])
    listed = [item["Key"] for item in s3.list_objects_v2(Bucket="hello")["Contents"]]
    assert sorted(listed) == sorted([NAMES[1], "in parts"])

    signed = s3.generate_presigned_url(
        "put_object", Params={"Bucket": "hello", "Key": "signed"}, ExpiresIn=60
    )
    request = urllib.request.Request(signed, data=b"by a browser", method="PUT")
    assert fetch(request) == b""
    signed = s3.generate_presigned_url(
        "get_object", Params={"Bucket": "hello", "Key": "signed"}, ExpiresIn=60
    )
    assert fetch(signed) == b"by a browser"
    for forged in (signed.replace("signed?", "in%20parts?"), f"{await endpoint(here)}/hello/signed"):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            fetch(forged)

    for name, key in (("hello", "guess"), ("nobody", KEY), ("hello", "sesame")):
        with pytest.raises(ClientError) as wrong:
            (await client(here, name, key)).list_objects_v2(Bucket="hello")
        assert refusal(wrong) in ("AccessDenied", "SignatureDoesNotMatch")
    other = await client(here, "my-payroll", "sesame")
    for act in (
        lambda: other.get_object(Bucket="hello", Key="signed"),
        lambda: other.list_objects_v2(Bucket="hello"),
        lambda: other.put_object(Bucket="hello", Key="signed", Body=b"mine"),
        lambda: other.delete_object(Bucket="hello", Key="signed"),
    ):
        with pytest.raises(ClientError) as foreign:
            act()
        assert refusal(foreign) in ("NoSuchBucket", "AccessDenied")
    assert [bucket["Name"] for bucket in other.list_buckets()["Buckets"]] == ["my-payroll"]
    native = f"{await endpoint(here)}/v1/AUTH_hello/hello/signed"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        fetch(native)


async def test_objects_survive_replacement_and_copies_bring_them_back(here: Here) -> None:
    await drain(here.engine.provide(here.target, store()))
    s3 = await client(here)
    fill(s3)
    before = picture(s3)
    assert len(before) == 6
    (first,) = (await here.engine.observe(here.target)).backing
    await drain(here.engine.provide(here.target, store("changed", memory=800 << 20)))
    (second,) = (await here.engine.observe(here.target)).backing
    assert second.id != first.id
    s3 = await client(here, key="changed")
    assert picture(s3) == before

    item = store("changed", memory=800 << 20)
    async with kept(here, item) as backup:
        assert sorted(backup.databases) == ["hello", "my-payroll"]
        s3.delete_object(Bucket="hello", Key="in parts")
        s3.put_object(Bucket="hello", Key="plain", Body=b"spoilt")
        s3.create_bucket(Bucket="unwanted")
        s3.put_object(Bucket="unwanted", Key="x", Body=b"x")
        copy = FileBackups(here.folder / "backups").copy(backup.id)
        for _ in range(2):
            await drain(here.engine.load(here.target, item, copy))
            assert picture(s3) == before
        events = await drain(here.engine.rehearse(here.target, item, copy))
        assert events[-1].data == {"hello": 4, "my-payroll": 0}
        assert "4 objects in hello" in events[-1].message


async def test_a_new_key_counts_at_once_without_a_new_container(here: Here) -> None:
    await drain(here.engine.provide(here.target, store()))
    (before,) = (await here.engine.observe(here.target)).backing
    (await client(here)).put_object(Bucket="hello", Key="x", Body=b"x")
    await drain(here.engine.provide(here.target, store("another")))
    (after,) = (await here.engine.observe(here.target)).backing
    assert after.id == before.id
    (await client(here, key="another")).get_object(Bucket="hello", Key="x")
    with pytest.raises(ClientError):
        (await client(here)).get_object(Bucket="hello", Key="x")


async def test_a_store_whose_part_dies_comes_back_whole(here: Here) -> None:
    await drain(here.engine.provide(here.target, store()))
    s3 = await client(here)
    s3.put_object(Bucket="hello", Key="x", Body=b"x")
    (state,) = (await here.engine.observe(here.target)).backing
    began = inspect(state.id)["State"]["StartedAt"]
    docker("exec", state.id, "sh", "-c", "for p in /proc/[0-9]*; do grep -qa [s]wift-object-server $p/cmdline "
           "&& kill -9 ${p#/proc/} && exit 0; done; exit 1")  # fmt: skip
    for _ in range(240):
        try:
            if inspect(state.id)["State"]["StartedAt"] != began:
                assert s3.get_object(Bucket="hello", Key="x")["Body"].read() == b"x"
                return
        except Exception as error:
            last = error
        await asyncio.sleep(0.5)
    raise AssertionError(f"the store did not come back within 120 s: {last}")
