"""Backups on a real engine, as the person meets them who needs the data back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.installed import Command, docker, remove_images

PRODUCT = "grenier"

pytestmark = pytest.mark.usefixtures("docker_engine")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, edge_port: int) -> Iterator[Command]:
    """A new product with a database, deployed to test; taken down whatever happens."""
    root = tmp_path_factory.mktemp("backups") / PRODUCT
    root.mkdir()
    command = Command(root, tmp_path_factory.mktemp("state"), edge_port)
    command.ok("init", "--name", PRODUCT)
    product = root / "ecluse.yaml"
    product.write_text(product.read_text() + "\nbacking:\n  db: {kind: postgresql}\n")
    declaration = root / "services" / "hello" / "service.yaml"
    text = re.sub(r"(?m)^uses:.*$", "uses: [db]", declaration.read_text())
    key = '  DATABASE_URL: {type: url, default: "${backing.db.url}"}\n'
    declaration.write_text(text.replace("config:\n", f"config:\n{key}"))
    try:
        command.ok("build", "--quiet")
        command.ok("deploy", "test", "--yes")
        yield command
    finally:
        command("down", "test", "--volumes", "--yes")
        command("runner", "--stop")
        remove_images(PRODUCT)
        tested = docker(
            "image", "ls", "--quiet", "--filter", f"label=ecluse.tests-of={PRODUCT}/hello"
        ).split()
        if tested:
            docker("image", "rm", "--force", *dict.fromkeys(tested))


def sql(statement: str) -> str:
    filters = ["--filter", f"label=ecluse.product={PRODUCT}", "--filter", "label=ecluse.kind=backing"]
    identity = docker("ps", "--quiet", *filters)
    words = ["psql", "--username=postgres", "--dbname=hello", "--tuples-only", "--no-align", "--quiet"]
    return docker("exec", "--user", "postgres", identity, *words, "--command", statement)


def test_data_is_backed_up_tried_lost_and_brought_back(shop: Command) -> None:
    assert shop("restore", "test", "--yes").code == 4
    assert "there are no backups" in shop.ok("backups", "test").out
    sql("create table kept (word text); insert into kept values ('still here')")
    done = shop.ok("backup", "test", "db", "--json").json
    assert (done["kind"], done["state"]) == ("backup", "succeeded")
    (backup,) = shop.ok("backups", "test", "--json").json
    assert (backup["databases"], backup["kind"], backup["tried"]) == (["hello"], "postgresql", None)
    assert list(backup["releases"]) == ["hello"]
    assert "backup/db" in shop.ok("history", "test", "--runs").out

    shop.ok("restore", "test", "db", "--test")
    (backup,) = shop.ok("backups", "test", "--json").json
    assert (backup["tried"]["succeeded"], backup["tried"]["counts"]) == (True, {"hello": 1})
    assert "restore test passed" in shop.ok("status", "test").out

    sql("drop table kept")
    refused = shop("restore", "test", "db")
    assert (refused.code, "is lost" in refused.err) == (5, True)
    shop.ok("restore", "test", "db", "--yes")
    assert sql("select word from kept") == "still here"
    newest, oldest = shop.ok("backups", "test", "--json").json
    assert (newest["safety"], oldest["id"]) == (True, backup["id"])


def test_a_damaged_backup_is_refused(shop: Command) -> None:
    made = next(item for item in shop.ok("backups", "test", "--json").json if not item["safety"])
    path = Path(shop.state, PRODUCT, "backups", "test", "db", made["id"], "hello.data")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"?")
    answer = shop("restore", "test", "db", "--yes")
    path.write_bytes(content)
    assert answer.code == 5
    assert "is damaged" in answer.err
    assert sql("select word from kept") == "still here"


def test_a_backup_of_a_newer_server_is_refused_before_anything_is_touched(shop: Command) -> None:
    made = next(item for item in shop.ok("backups", "test", "--json").json if not item["safety"])
    manifest = Path(shop.state, PRODUCT, "backups", "test", "db", made["id"], "manifest.json")
    text = manifest.read_text()
    manifest.write_text(json.dumps(json.loads(text) | {"version": "99"}))
    answers = [shop("restore", "test", "db", word) for word in ("--yes", "--test")]
    manifest.write_text(text)
    for answer in answers:
        assert answer.code == 5
        assert "an older server does not read the data of a newer one" in answer.err
        assert "give db the version 99 first" in answer.err
    assert sql("select word from kept") == "still here"


def url() -> str:
    """The address of the database as the service's container knows it."""
    filters = ["--filter", f"label=ecluse.product={PRODUCT}", "--filter", "label=ecluse.kind=replica"]
    (identity,) = docker("ps", "--quiet", *filters).split()
    return docker("exec", identity, "sh", "-c", "echo $DATABASE_URL").strip()


def enters(address: str) -> bool:
    filters = ["--filter", f"label=ecluse.product={PRODUCT}", "--filter", "label=ecluse.kind=backing"]
    identity = docker("ps", "--quiet", *filters)
    inside = address.replace("@db:", "@127.0.0.1:")
    script = f"psql '{inside}' --command 'select 1' >/dev/null 2>&1 && echo yes || echo no"
    return docker("exec", identity, "sh", "-c", script).strip() == "yes"


def test_passwords_are_rotated_by_a_command_and_stay_so(shop: Command) -> None:
    before = url()
    assert enters(before)
    assert shop("rotate", "test", "db").code == 5
    done = shop.ok("rotate", "test", "db", "--yes", "--json").json
    assert (done["kind"], done["state"]) == ("rotate", "succeeded")
    after = url()
    assert after.startswith("postgresql://hello.b:")
    assert (enters(before), enters(after)) == (False, True)
    assert "nothing to do" in shop.ok("plan", "test").out
    shop.ok("rotate", "test", "db", "hello", "--yes")
    newest = url()
    assert newest.startswith("postgresql://hello:")
    assert [enters(address) for address in (before, after, newest)] == [False, False, True]
    assert shop("rotate", "test", "db", "helo", "--yes").err == (
        "error: 'helo' has no account of db\nhint: did you mean hello?\n"
    )
    shop.ok("backup", "test", "db")
    shop.ok("restore", "test", "db", "--yes")
    assert enters(newest)


def test_what_is_not_there_is_said(shop: Command) -> None:
    assert (
        shop("backup", "test", "bd").err == "error: no backing service 'bd' runs in test\nhint: known: db\n"
    )
    assert shop("restore", "test", "db", "--backup", "1999", "--yes").code == 4
