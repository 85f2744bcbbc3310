from __future__ import annotations

from dataclasses import replace

from ecluse.model.names import ServiceName
from ecluse.model.secret import Sealed
from tests.unit.config.product_folder import PRODUCT, ProductFolder

URLS = """
A: {type: url, default: "${backing.db.url}"}
B: {type: url, default: "${backing.sessions.url}"}
"""


def external(product: ProductFolder, facts: str) -> ProductFolder:
    text = PRODUCT.replace("{kind: redis}", f"{{kind: redis, external: {facts}}}")
    return product.write("ecluse.yaml", text)


def test_each_client_has_its_own_account_and_database(product: ProductFolder) -> None:
    product.invoicing(config=URLS)
    password = product.vault.derive("test/db/invoicing/1")
    shared = product.vault.derive("test/sessions/invoicing/1")
    assert product.values() == {
        "A": f"mysql://invoicing:{password}@db:3306/invoicing",
        "B": f"redis://:{shared}@sessions:6379/0",
    }


def test_the_engine_gets_the_same_accounts_sealed(product: ProductFolder) -> None:
    seal, derive = product.vault.seal, product.vault.derive
    backing = product.resolve().desired.backing
    assert backing["db"].version == "10.11"
    assert backing["db"].root_password == seal(derive("test/db/root/1"))
    assert backing["db"].accounts == {
        "accounting": seal(derive("test/db/accounting/1")),
        "invoicing": seal(derive("test/db/invoicing/1")),
    }
    assert backing["sessions"].accounts == {"invoicing": seal(derive("test/sessions/invoicing/1"))}


def test_environments_share_no_password(product: ProductFolder) -> None:
    product.invoicing(config=URLS)
    assert product.values("test")["A"] != product.values("prod")["A"]


def test_postgresql_has_its_own_scheme_and_port(product: ProductFolder) -> None:
    product.write("ecluse.yaml", PRODUCT.replace("kind: mariadb", "kind: postgresql"))
    product.invoicing(config=URLS)
    assert product.values()["A"].startswith("postgresql://invoicing:")
    assert product.values()["A"].endswith("@db:5432/invoicing")


def test_a_dash_is_no_part_of_a_database_name(product: ProductFolder) -> None:
    product.write(
        "services/old-books/service.yaml",
        'service: old-books\nuses: [db]\nconfig: {N: {default: "${backing.db.user} ${backing.db.name}"}}\n',
    )
    assert product.application(service="old-books").settings[0].text == "old-books old_books"


def test_a_password_makes_a_value_secret_and_an_address_does_not(product: ProductFolder) -> None:
    product.invoicing(config='A: {default: "${backing.db.host}"}\nB: {default: "${backing.db.password}"}')
    assert product.setting("A").text == "db"
    assert not isinstance(product.setting("B").text, str)


def test_a_backing_service_that_nobody_uses_does_not_run(product: ProductFolder) -> None:
    product.invoicing(uses="[]").write("services/accounting/service.yaml", "service: accounting\n")
    assert product.resolve().desired.backing == {}


def test_all_clients_count_when_one_service_is_deployed(product: ProductFolder) -> None:
    backing = product.resolve(services=["accounting"]).desired.backing
    assert sorted(backing["db"].accounts) == ["accounting", "invoicing"]


def test_an_external_service_is_an_address_with_a_password_from_the_secrets(product: ProductFolder) -> None:
    external(product, "{host: cache.example.fr, port: 6380, user: comptoir, password_key: CACHE_PASSWORD}")
    product.invoicing(config=URLS)
    product.secrets = {"CACHE_PASSWORD": "p@ss/word"}
    assert product.values()["B"] == "redis://comptoir:p%40ss%2Fword@cache.example.fr:6380/0"
    application = product.application()
    assert application.backing == ("db",)
    assert application.external == ("redis://cache.example.fr:6380",)
    assert "sessions" not in product.resolve().desired.backing


def test_an_external_service_may_have_no_password(product: ProductFolder) -> None:
    external(product, "{host: 2001:db8::1}").invoicing(config=URLS)
    assert product.values()["B"] == "redis://[2001:db8::1]:6379/0"
    assert isinstance(product.setting("B").text, str)
    product.invoicing(config='A: {default: "${backing.sessions.password}"}')
    assert product.problems() == (
        "services/invoicing/service.yaml:6: config.A.default: sessions has no password\n"
        "  hint: name its `password_key:` in ecluse.yaml"
    )


def test_a_password_that_nobody_gives_is_a_problem(product: ProductFolder) -> None:
    external(product, "{host: cache.example.fr, password_key: CACHE_PASSWORD}").invoicing(config=URLS)
    assert product.problems() == (
        "services/invoicing/service.yaml:7: config.B.default: "
        "nobody gives the secret CACHE_PASSWORD, the password of sessions\n"
        "  hint: encrypt it with `ecluse secrets set`, or give it in a private file: `--secrets FILE`"
    )


STORE = """
URL: {type: url, default: "${backing.sessions.url}"}
KEY: {default: "${backing.sessions.user}"}
SECRET: {default: "${backing.sessions.password}"}
PLACE: {default: "${backing.sessions.region} ${backing.sessions.name}"}
"""


def test_a_store_gives_an_endpoint_two_keys_a_region_and_a_bucket(product: ProductFolder) -> None:
    product.write("ecluse.yaml", PRODUCT.replace("kind: redis", "kind: s3")).invoicing(config=STORE)
    key = product.vault.derive("test/sessions/invoicing/1")
    assert product.values() == {
        "URL": "http://sessions:8080",
        "KEY": "invoicing",
        "SECRET": key,
        "PLACE": "us-east-1 invoicing",
    }
    assert isinstance(product.setting("URL").text, str)
    assert product.resolve().desired.backing["sessions"].version == "2.30"


def test_a_store_of_somebody_else_is_named_in_full(product: ProductFolder) -> None:
    facts = "{host: s3.example.fr, user: AKIA, name: papers, region: eu-west-3, password_key: S3_SECRET}"
    text = PRODUCT.replace("{kind: redis}", f"{{kind: s3, external: {facts}}}")
    product.write("ecluse.yaml", text).invoicing(config=STORE)
    product.secrets = {"S3_SECRET": "abc"}
    assert product.values() == {
        "URL": "https://s3.example.fr",
        "KEY": "AKIA",
        "SECRET": "abc",
        "PLACE": "eu-west-3 papers",
    }
    assert product.application().external == ("https://s3.example.fr",)


def test_a_bucket_has_at_least_three_characters(product: ProductFolder) -> None:
    product.write("ecluse.yaml", PRODUCT.replace("kind: redis", "kind: s3"))
    product.write(
        "services/qa/service.yaml",
        'service: qa\nuses: [sessions]\nconfig: {N: {default: "${backing.sessions.name}"}}\n',
    )
    assert product.application(service="qa").settings[0].text == "qa-bucket"


def test_a_later_turn_has_another_password_and_in_postgresql_another_name(product: ProductFolder) -> None:
    product.write("ecluse.yaml", PRODUCT.replace("kind: mariadb", "kind: postgresql"))
    product.invoicing(config=URLS)
    first = product.resolve().desired.backing
    password = product.vault.derive("test/db/invoicing/2")
    accounts = {**first["db"].accounts, ServiceName("invoicing"): product.vault.seal(password)}
    known = {"db": replace(first["db"], accounts=accounts, turns={ServiceName("invoicing"): 2})}
    desired = product.resolve(known=known).desired
    url = desired.applications[ServiceName("invoicing")].settings[0].text
    assert isinstance(url, Sealed)
    assert product.vault.reveal(url) == f"postgresql://invoicing.b:{password}@db:5432/invoicing"
    assert desired.backing["db"].turns == {"invoicing": 2}
    assert desired.backing["db"].accounts["accounting"] == first["db"].accounts[ServiceName("accounting")]


def test_passwords_that_count_stay_whatever_key_they_followed_from(product: ProductFolder) -> None:
    product.invoicing(config=URLS)
    first = product.resolve().desired.backing["db"]
    seal = product.vault.seal
    kept = {ServiceName("invoicing"): seal("of an earlier key")}
    known = {"db": replace(first, root_password=seal("the root of it"), accounts=kept)}
    desired = product.resolve(known=known).desired
    url = desired.applications[ServiceName("invoicing")].settings[0].text
    assert isinstance(url, Sealed)
    assert product.vault.reveal(url) == "mysql://invoicing:of%20an%20earlier%20key@db:3306/invoicing"
    now = desired.backing["db"]
    assert (now.root_password, now.accounts["invoicing"]) == (known["db"].root_password, kept["invoicing"])
    assert now.accounts["accounting"] == first.accounts[ServiceName("accounting")]


def test_a_password_that_only_another_state_can_tell_is_derived(product: ProductFolder) -> None:
    product.invoicing(config=URLS)
    first = product.resolve().desired.backing["db"]
    accounts = dict.fromkeys(first.accounts, Sealed("0" * 32))
    known = {"db": replace(first, root_password=Sealed("1" * 32), accounts=accounts)}
    assert product.resolve(known=known).desired.backing["db"] == first
