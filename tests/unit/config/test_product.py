from __future__ import annotations

import pytest

from ecluse.model.product import Backing, External, Place, Tls
from tests.unit.config.product_folder import PRODUCT, ProductFolder


def with_environment(product: ProductFolder, lines: str) -> ProductFolder:
    return product.write("ecluse.yaml", PRODUCT.replace("  test: {domain: test.localhost}\n", lines))


def test_engine_is_short_for_one_place_and_docker_is_the_default(product: ProductFolder) -> None:
    environment = product.load().product.environments["test"]  # type: ignore[index]
    assert environment.places == {"docker": Place("docker", "docker")}
    assert environment.place_of("invoicing").engine == "docker"  # type: ignore[arg-type]


def test_services_of_the_tree_need_no_entry(product: ProductFolder) -> None:
    product.write("services/payroll/service.yaml", "service: payroll\n")
    entries = product.load().product.services
    assert entries["payroll"].path == "services/payroll"  # type: ignore[index]


def test_a_service_of_another_repository_has_no_folder(product: ProductFolder) -> None:
    product.write(
        "ecluse.yaml",
        PRODUCT.replace("services:", "services:\n  payroll: {repository: git@git.example.fr:p.git}"),
    )
    configuration = product.load()
    assert configuration.product.services["payroll"].path is None  # type: ignore[index]
    assert "payroll" not in configuration.services


def test_a_service_may_live_elsewhere_in_the_product(product: ProductFolder) -> None:
    product.write("ecluse.yaml", PRODUCT.replace("services:", "services:\n  pay: {path: apps/pay}"))
    product.write("apps/pay/service.yaml", "service: pay\n")
    assert product.load().product.services["pay"].path == "apps/pay"  # type: ignore[index]


def test_places_and_placement_are_read(product: ProductFolder) -> None:
    with_environment(
        product,
        """\
  test:
    domain: test.localhost
    places:
      here: {engine: docker}
      cluster: {engine: kubernetes, context: prod, namespace: comptoir}
    default: here
    placement: {invoicing: cluster}
""",
    )
    environment = product.load().product.environments["test"]  # type: ignore[index]
    assert environment.place_of("invoicing").name == "cluster"  # type: ignore[arg-type]
    assert environment.place_of("accounting").name == "here"  # type: ignore[arg-type]


def test_an_environment_overrides_what_it_names_of_a_backing_service(product: ProductFolder) -> None:
    with_environment(
        product,
        "  test: {domain: test.localhost, backing: {db: {storage: 1Gi, external: {host: db.example.fr,"
        " password_key: DB_PASSWORD}}}}\n",
    )
    backing = product.load().product.environments["test"].backing  # type: ignore[index]
    assert backing["db"] == Backing(
        "db",
        "mariadb",
        version="10.11",
        storage=1024**3,
        external=External("db.example.fr", 3306, password_key="DB_PASSWORD"),
    )
    assert backing["sessions"] == Backing("sessions", "redis")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("  test: {}\n", "ecluse.yaml:6: environments.test: domain must be given"),
        ("  test: {domain: https://x}\n", "ecluse.yaml:6: environments.test.domain: must be a host name"),
        ("  test: {domain: t.fr, follows: [tset]}\n", "ecluse.yaml:6: environments.test.follows.0: no environment is "
         "named tset\n  hint: did you mean test?"),
        ("  test: {domain: t.fr, follows: [test]}\n", "ecluse.yaml:6: environments.test.follows.0: an environment does "
         "not follow itself"),
        ("  test: {domain: t.fr, follows: [prod]}\n", "ecluse.yaml:7: environments.prod.follows: goes round: "
         "prod → test → prod"),
        ("  test: {domain: t.fr, engine: dokcer}\n", "ecluse.yaml:6: environments.test.engine: must be one of docker, "
         "kubernetes, hosts, external"),
        ("  test: {domain: t.fr, engine: docker, places: {a: {engine: docker}}}\n", "ecluse.yaml:6: environments.test."
         "engine: is given beside places\n  hint: `engine:` is short for one place"),
        ("  test: {domain: t.fr, places: {a: {engine: docker}, b: {engine: docker}}}\n", "ecluse.yaml:6: environments."
         "test.places: accounting, invoicing would have no place\n  hint: name a `default:` place"),
        ("  test: {domain: t.fr, places: {here: {engine: docker}}, default: her}\n", "ecluse.yaml:6: environments."
         "test.default: no place is named her\n  hint: did you mean here?"),
        ("  test: {domain: t.fr, placement: {invoicing: clutser}}\n", "ecluse.yaml:6: environments.test.placement."
         "invoicing: no place is named clutser\n  hint: known: docker"),
        ("  test: {domain: t.fr, placement: {invoicin: docker}}\n", "ecluse.yaml:6: environments.test.placement."
         "invoicin: no service is named invoicin\n  hint: did you mean invoicing?"),
        ("  test: {domain: t.fr, places: {}}\n", "ecluse.yaml:6: environments.test.places: must not be empty"),
        ("  test: {domain: t.fr, protected: yes}\n", "ecluse.yaml:6: environments.test.protected: must be true or "
         "false\n  hint: yes, no, on and off are texts"),
        ("  test: {domain: t.fr, registry: 'https://r.fr'}\n", "ecluse.yaml:6: environments.test.registry: must be a "
         "registry like registry.example.fr/team\n  hint: leave out https://"),
        ("  test: {domain: t.fr, backing: {bd: {storage: 1Gi}}}\n", "ecluse.yaml:6: environments.test.backing.bd: no "
         "backing service is named bd\n  hint: known: db, sessions"),
        ("  test: {domain: t.fr, backing: {db: {kind: redis}}}\n", "ecluse.yaml:6: environments.test.backing.db.kind: "
         "unknown key\n  hint: known: backup, cpu, external, image, memory, node, storage, storage_class, version"),
        ("  test: {domain: t.fr, backing: {db: {storage: big}}}\n", "ecluse.yaml:6: environments.test.backing.db."
         "storage: must be a size like 128Mi, 1Gi or 500M"),
        ("  test: {domain: t.fr, backing: {db: {external: {host: h, password_key: a}}}}\n", "ecluse.yaml:6: "
         "environments.test.backing.db.external.password_key: a key is made of A-Z, 0-9 and _ and begins with a "
         "letter"),
        ("  test: {domain: comptoir.example.fr}\n", "ecluse.yaml:7: environments.prod.domain: is also the domain of "
         "test"),
        ("  common: {domain: t.fr}\n  test: {domain: u.fr}\n", "ecluse.yaml:6: environments.common: common is a "
         "reserved name"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_environment_is_told(product: ProductFolder, lines: str, problem: str) -> None:
    assert with_environment(product, lines).problems() == problem


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("product: comptoir", "product: Comptoir", "ecluse.yaml:1: product: a name is made of a-z, 0-9 and -, begins "
         "with a letter and ends with a letter or digit"),
        ("product: comptoir\n", "", "ecluse.yaml:1: product must be given"),
        ("services:", "servics:", "ecluse.yaml:2: servics: unknown key\n  hint: did you mean services?"),
        ("  invoicing:", "  invoicin: {}\n  invoicing:", "ecluse.yaml:3: services.invoicin: has neither "
         "services/invoicin/service.yaml nor a `repository:`"),
        ("  db:", "  invoicing: {kind: redis}\n  db:", "ecluse.yaml:9: backing.invoicing: shares its name with the "
         "service invoicing"),
        ("kind: mariadb", "kind: mysql", "ecluse.yaml:9: backing.db.kind: must be one of mariadb, postgresql, redis, "
         "s3"),
        ('version: "10.11"', "version: 10.11", "ecluse.yaml:9: backing.db.version: must be text\n  hint: quote it"),
        ("{domain: billing}", "[]", "ecluse.yaml:3: services.invoicing: must be a map"),
        ("{domain: billing}", "{path: ../invoicing}", "ecluse.yaml:3: services.invoicing.path: must be a path inside "
         "the folder"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_product_is_told(
    product: ProductFolder, old: str, new: str, problem: str
) -> None:
    assert product.write("ecluse.yaml", PRODUCT.replace(old, new, 1)).problems() == problem


def test_https_is_local_until_something_else_is_said(product: ProductFolder) -> None:
    assert product.load().product.environments["test"].tls == Tls()  # type: ignore[index]
    lines = """\
  test:
    domain: test.localhost
    tls: {mode: files, certificate: /etc/ssl/c.crt, key: /etc/ssl/c.key, redirect: true, hsts: 31536000}
"""
    with_environment(product, lines)
    tls = product.load().product.environments["test"].tls  # type: ignore[index]
    assert tls == Tls("files", "/etc/ssl/c.crt", "/etc/ssl/c.key", True, 31536000)


@pytest.mark.parametrize(
    ("tls", "http", "https", "address"),
    [
        (Tls(), 80, 443, "http://a.localhost"),
        (Tls(), 8080, 443, "http://a.localhost:8080"),
        (Tls(redirect=True), 8080, 443, "https://a.localhost"),
        (Tls(redirect=True), 80, 8443, "https://a.localhost:8443"),
        (Tls(redirect=True), 80, 0, "http://a.localhost"),
    ],
)
def test_an_address_names_the_ports_that_browsers_do_not_assume(
    tls: Tls, http: int, https: int, address: str
) -> None:
    assert tls.address("a.localhost", http=http, https=https) == address
