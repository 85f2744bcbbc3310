from __future__ import annotations

from dataclasses import replace

import pytest

from ecluse.engines.docker.backing import databases
from ecluse.engines.docker.owners import Accounts
from ecluse.errors import EngineError
from ecluse.model.application import BackingService
from ecluse.model.names import ServiceName
from ecluse.model.product import BackingKind
from ecluse.model.secret import Sealed


def backing(
    kind: BackingKind = "mariadb", version: str = "10.11", image: str | None = None
) -> BackingService:
    accounts = {ServiceName("invoicing"): Sealed("a" * 32)}
    return BackingService("db", kind, version, image, None, None, None, Sealed("b" * 32), accounts)


def account(name: str, password: str, former: str | None = None) -> databases.Account:
    return databases.Account(name, name, f"{name}.b", password, former)


def test_mariadb_gives_each_client_an_account_of_its_name_and_a_database() -> None:
    assert databases.statements("mariadb", "root", [account("my-shop", "it's \\ me")]) == (
        "CREATE DATABASE IF NOT EXISTS `my_shop`;\n"
        "CREATE USER IF NOT EXISTS 'my-shop'@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('it\\'s \\\\ me');\n"
        "ALTER USER 'my-shop'@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('it\\'s \\\\ me');\n"
        "GRANT ALL PRIVILEGES ON `my\\_shop`.* TO 'my-shop'@'%';\n"
        "SELECT 1;\n"
    )


def test_postgresql_makes_roles_and_databases_only_once() -> None:
    text = databases.statements("postgresql", "root", [account("shop", "it's \\ me")])
    assert text.startswith("ALTER ROLE postgres PASSWORD E'root';\n")
    assert "WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop') \\gexec\n" in text
    assert "ALTER ROLE \"shop\" LOGIN PASSWORD E'it''s \\\\ me';\n" in text


def test_the_name_that_is_not_its_turn_cannot_log_in() -> None:
    text = databases.statements("postgresql", "root", [account("shop", "new")])
    assert 'ALTER ROLE "shop.b" NOLOGIN PASSWORD NULL;\n' in text
    both = databases.statements("postgresql", "root", [account("shop", "new", "old")])
    assert "ALTER ROLE \"shop.b\" LOGIN PASSWORD E'old';\n" in both
    assert "NOLOGIN" not in both


def test_redis_keeps_digests_and_never_passwords() -> None:
    text = databases.redis_configuration("the root", [account("shop", "sesame")])
    assert "sesame" not in text
    assert "the root" not in text
    default, shop = [line for line in text.splitlines() if line.startswith("user ")]
    assert default.startswith("user default on #")
    assert default.count("#") == 2
    assert shop.startswith("user shop on #")
    assert shop.endswith(" ~* &* +@all")


def test_a_version_may_be_given_as_exactly_as_one_wants() -> None:
    asked: list[tuple[BackingKind, str]] = [
        ("mariadb", "10.11"),
        ("mariadb", "10"),
        ("redis", "7"),
        ("postgresql", "13"),
        ("s3", "2"),
    ]
    assert [databases.version_problem(backing(*item)) for item in asked] == [None] * 5
    assert databases.version_problem(backing("postgresql", "16")) == "db: postgresql 16 is not available here"
    assert databases.version_problem(backing("mariadb", "1")) == "db: mariadb 1 is not available here"
    assert databases.version_problem(backing("mariadb", "11", image="mariadb:11")) is None


def test_an_image_makes_another_container_and_neither_a_password_nor_an_account_does() -> None:
    one = backing()
    more = BackingService("db", "mariadb", "10.11", None, None, None, None, one.root_password, {})
    other = BackingService("db", "mariadb", "10.11", None, None, None, None, Sealed("c" * 32), one.accounts)
    assert databases.spec(one, "i") == databases.spec(more, "i") == databases.spec(other, "i")
    assert databases.spec(one, "i") != databases.spec(one, "j")
    assert databases.is_made_so(databases.spec(one, "i"), other, "i")
    assert not databases.is_made_so(databases.spec(one, "i"), one, "j")
    assert not databases.is_made_so(None, one, "i")


def test_a_container_of_an_earlier_version_is_known_by_its_password_too() -> None:
    one = replace(backing(), root_password=Sealed("c" * 32))
    mark = "30a7bfff805ec501"
    assert databases.is_made_so(mark, one, "i")
    assert not databases.is_made_so(mark, replace(one, root_password=Sealed("d" * 32)), "i")


def test_a_backing_service_tells_the_passwords_that_it_keeps_in_clear() -> None:
    root = databases.passwords_in("mariadb", {"/etc/ecluse/root-password": b"secret"})
    assert (root.root, root.clients) == ("secret", {})
    store = databases.passwords_in("s3", {"/etc/ecluse/accounts.json": b'{"web": ["now", "before"]}'})
    assert (store.root, store.clients) == (None, {"web": "now"})
    assert databases.passwords_in("postgresql", {}) == databases.passwords_in("redis", {})
    assert "secret" not in repr(root)


def test_owners_are_looked_up_in_the_image() -> None:
    accounts = Accounts(
        "root:x:0:0::/root:/bin/sh\nwww-data:x:33:34::/var/www:/bin/false\n", "root:x:0:\nadm:x:4:\n"
    )
    owners = ("www-data", "33", "www-data:adm", "1000", "1000:1001", "0:0")
    assert [accounts.numbers(owner) for owner in owners] == [
        (33, 34),
        (33, 34),
        (33, 4),
        (1000, 0),
        (1000, 1001),
        (0, 0),
    ]
    with pytest.raises(EngineError, match="the image has no user joe"):
        accounts.numbers("joe")
