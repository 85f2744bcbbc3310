from __future__ import annotations

import pytest

from tests.unit.config.product_folder import PRODUCT, ProductFolder

FILE = "services/invoicing/service.yaml"


def test_every_kind_of_reference_leads_somewhere(product: ProductFolder) -> None:
    product.public_port = 8080
    product.invoicing(
        config="""
        OTHER: {default: x}
        A: {default: "${app.OTHER}"}
        B: {type: integer, default: "${run.web.port}"}
        C: {type: url, default: "${service.accounting.url}"}
        D: {type: url, default: "${service.invoicing.public_url}/back"}
        E: {default: "${backing.db.host}:${backing.db.port}/${backing.db.name}"}
        F: {default: "${environment.name} ${environment.domain} ${product.name} ${release.version}"}
        G: {type: size, default: "${run.web.memory}"}
        H: {type: duration, default: "${run.web.drain}"}
        I: {type: integer, default: "${run.web.replicas}"}
        J: {default: "${run.web.probe.path}"}
        K: {default: "${backing.sessions.user} ${backing.sessions.name}"}
        L: {default: "$${app.OTHER}"}
        """
    )
    assert product.values() == {
        "OTHER": "x",
        "A": "x",
        "B": "8080",
        "C": "http://accounting",
        "D": "http://invoicing.test.localhost:8080/back",
        "E": "db:3306/invoicing",
        "F": "test test.localhost comptoir 1.4",
        "G": "128Mi",
        "H": "10s",
        "I": "1",
        "J": "/health",
        "K": "default 0",
        "L": "${app.OTHER}",
    }


def test_a_public_address_follows_a_redirect_to_https(product: ProductFolder) -> None:
    product.public_port = 8080
    product.invoicing(config='D: {default: "${service.invoicing.public_url}"}')
    told = PRODUCT.replace("{domain: test.localhost}", "{domain: test.localhost, tls: {redirect: true}}")
    product.write("ecluse.yaml", told)
    assert product.values() == {"D": "https://invoicing.test.localhost"}


def test_a_usual_port_is_not_named(product: ProductFolder) -> None:
    product.invoicing(config='D: {default: "${service.invoicing.public_url}"}')
    assert product.values() == {"D": "http://invoicing.test.localhost"}


def test_a_host_with_a_dot_is_a_public_address_as_it_stands(product: ProductFolder) -> None:
    product.invoicing(config='D: {default: "${service.invoicing.public_url}"}')
    product.layer("environments/prod/common", "run: {web: {expose: {host: factures.example.fr}}}")
    product.write("services/accounting/service.yaml", "service: accounting\n")
    assert product.values("prod") == {"D": "http://factures.example.fr"}


def test_public_addresses_need_no_use_because_browsers_follow_them(product: ProductFolder) -> None:
    product.write(
        "services/accounting/service.yaml",
        'service: accounting\nconfig: {BACK: {default: "${service.invoicing.public_url}"}}\n',
    )
    settings = product.application(service="accounting").settings
    assert [one.text for one in settings] == ["http://invoicing.test.localhost"]


def test_one_value_feeds_the_program_and_the_engine(product: ProductFolder) -> None:
    product.invoicing(config="WEB_REPLICAS: {type: integer, default: 2}\nMEMORY: {type: size, default: 64Mi}")
    product.layer("common", 'run: {web: {replicas: "${app.WEB_REPLICAS}", memory: "${app.MEMORY}"}}')
    product.write("services/accounting/service.yaml", "service: accounting\n")
    product.layer("environments/prod/services/invoicing", "app: {WEB_REPLICAS: 4}")
    assert product.application("test").processes["web"].replicas == 2
    assert product.application("prod").processes["web"].replicas == 4
    assert product.application("prod").processes["web"].memory == 67_108_864


def test_values_resolve_after_merging(product: ProductFolder) -> None:
    product.invoicing(config='HOST: {default: a}\nURL: {default: "http://${app.HOST}"}')
    product.layer("environments/test/common", "app: {HOST: b}")
    assert product.values("test")["URL"] == "http://b"
    assert product.values("prod")["URL"] == "http://a"


def test_a_setting_tells_the_way_of_its_references(product: ProductFolder) -> None:
    product.invoicing(config='A: {default: "${app.B}"}\nB: {default: "${environment.name}"}')
    assert product.setting("A").through == ("app.B", "environment.name")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("${app.KEX}", "the contract of invoicing has no key KEX\n  hint: did you mean KEY?"),
        ("${ap.KEY}", "ap.KEY is not a reference\n  hint: did you mean app?; $${ is a literal ${"),
        ("${}", "a reference is empty\n  hint: name what you mean; $${ is a literal ${"),
        ("${app.KEY", "has a ${ that is never closed\n  hint: write $${ for a literal ${"),
        ("${run.wbe.port}", "invoicing has no process named wbe\n  hint: did you mean web?"),
        ("${run.web.prot}", "run.web.prot has no value\n  hint: did you mean port?"),
        ("${run.web}", "run.web has no value\n  hint: known: command, cpu, drain, expose, memory, port, probe, "
         "replicas, stop_grace"),
        ("${service.acounting.url}", "no service is named acounting\n  hint: did you mean accounting?"),
        ("${service.accounting.uri}", "service.accounting.uri is not a reference\n"
         "  hint: write ${service.NAME.url} or .public_url"),
        ("${service.accounting.public_url}", "accounting has no public address\n"
         "  hint: give one of its processes `expose: {host: …}`"),
        ("${backing.sesions.url}", "no backing service is named sesions\n  hint: did you mean sessions?"),
        ("${backing.db.uri}", "a backing service has no uri\n  hint: did you mean url?"),
        ("${environment.nam}", "environment.nam is not a reference\n  hint: did you mean name?"),
        ("${product.version}", "product.version is not a reference\n  hint: known: name"),
        ("${release.date}", "release.date is not a reference\n  hint: known: version"),
    ],
)  # fmt: skip
def test_a_reference_that_leads_nowhere_is_told(product: ProductFolder, value: str, problem: str) -> None:
    product.invoicing(config=f'KEY: {{default: x}}\nA: {{default: "{value}"}}')
    assert product.problems() == f"{FILE}:7: config.A.default: {problem}"


def test_a_service_that_is_not_used_is_out_of_reach(product: ProductFolder) -> None:
    product.invoicing(
        uses="[db]",
        config='A: {default: "${service.accounting.url}"}\nB: {default: "${backing.sessions.url}"}',
    )
    assert product.problems() == (
        f"{FILE}:6: config.A.default: invoicing does not use accounting\n"
        "  hint: add accounting to `uses:` in service.yaml\n"
        f"{FILE}:7: config.B.default: invoicing does not use sessions\n"
        "  hint: add sessions to `uses:` in service.yaml"
    )


def test_a_service_without_a_front_has_no_address(product: ProductFolder) -> None:
    product.write("services/accounting/service.yaml", "service: accounting\nprocesses: {worker: {}}\n")
    product.invoicing(config='A: {default: "${service.accounting.url}"}')
    assert product.problems() == (
        f"{FILE}:6: config.A.default: accounting has no address\n"
        "  hint: name one of its processes with a port `web`"
    )


def test_a_cycle_shows_its_path_once(product: ProductFolder) -> None:
    product.invoicing(
        config="""
        A: {default: "${app.B}"}
        B: {default: "x ${app.C}"}
        C: {default: "${app.A}"}
        D: {default: "${app.A}"}
        """
    )
    assert product.problems() == f"{FILE}:8: config.C.default: goes round: app.A → app.B → app.C → app.A"


def test_a_cycle_may_pass_through_the_engine(product: ProductFolder) -> None:
    product.invoicing(config='A: {type: integer, default: "${run.web.replicas}"}')
    product.layer("services/invoicing", 'run: {web: {replicas: "${app.A}"}}')
    assert "goes round: " in product.problems()
    assert "run.web.replicas → app.A → run.web.replicas" in product.problems()


def test_a_cycle_may_pass_through_another_service(product: ProductFolder) -> None:
    config = 'HOST: {default: "${service.%s.public_url}"}'
    product.invoicing(config=config % "accounting")
    product.layer("common", 'run: {web: {expose: {host: "${app.HOST}"}}}')
    product.write(
        "services/accounting/service.yaml",
        "service: accounting\nprocesses: {web: {port: 80}}\nconfig:\n  " + config % "invoicing",
    )
    assert "goes round: accounting run.web.expose → accounting app.HOST → invoicing run.web.expose" in (
        product.problems()
    )


def test_a_broken_value_is_told_once_and_not_by_those_that_refer_to_it(product: ProductFolder) -> None:
    product.invoicing(config='A: {default: "${app.X}"}\nB: {default: "${app.A}"}\nC: {default: "${app.B}"}')
    assert product.problems().count("config.") == 1


@pytest.mark.parametrize("order", [1, -1])
def test_a_chain_without_end_is_a_problem_and_not_a_crash(product: ProductFolder, order: int) -> None:
    keys = [f'K{i}: {{default: "${{app.K{i + 1}}}"}}' for i in range(500)][::order]
    product.invoicing(config="\n".join([*keys, "K500: {default: x}"]))
    assert "goes through more than 32 references" in product.problems()


def test_a_chain_of_a_dozen_is_no_problem(product: ProductFolder) -> None:
    keys = [f'K{i}: {{default: "${{app.K{i + 1}}}"}}' for i in range(12)]
    product.invoicing(config="\n".join([*keys, "K12: {default: x}"]))
    assert product.values()["K0"] == "x"


def test_a_text_that_doubles_at_each_step_is_refused(product: ProductFolder) -> None:
    keys = [f'K{i}: {{default: "${{app.K{i + 1}}}${{app.K{i + 1}}}"}}' for i in range(30)]
    product.invoicing(config="\n".join([*keys, "K30: {default: laugh}"]))
    assert "becomes longer than 262144 characters" in product.problems()


def test_nested_values_through_references_are_bounded(product: ProductFolder) -> None:
    nested = "[" * 20 + '"${app.K%d}"' + "]" * 20
    keys = [f"K{i}: {{type: json, default: {nested % (i + 1)}}}" for i in range(30)]
    product.invoicing(config="\n".join([*keys, "K30: {default: x}"]))
    assert product.problems() != ""
