from __future__ import annotations

from dataclasses import replace

import pytest

from ecluse.config.resolve import resolve
from ecluse.config.scope import Means
from ecluse.errors import ConfigInvalid, Location, NotFound
from ecluse.model.application import Application, Origin, ReleaseId, Target
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.secret import Sealed
from tests.unit.config.product_folder import ProductFolder

FILE = "services/invoicing/service.yaml"
INVOICING = ServiceName("invoicing")


def told(product: ProductFolder, environment: str = "test") -> str:
    with pytest.raises(ConfigInvalid) as raised:
        product.resolve(environment)
    return "\n".join(map(str, raised.value.problems))


def test_an_application_is_complete(product: ProductFolder) -> None:
    resolved = product.resolve()
    application = resolved.desired.applications[INVOICING]
    assert resolved.desired.target == Target("comptoir", "test", "test.localhost")  # type: ignore[arg-type]
    assert resolved.desired.revision.startswith("tree:")
    form = application.release.form
    assert application.release == ReleaseId(
        INVOICING, "1.4", "sha256:invoicing", "content", "abc1234", dirty=False, form=form
    )
    assert (application.domain, application.place) == ("billing", "docker")
    assert (application.uses, application.backing) == (("accounting",), ("db", "sessions"))
    assert application.front is not None
    assert application.front.name == "web"
    assert application.origins == {}


def test_the_form_of_a_release_is_what_its_service_yaml_and_templates_say(product: ProductFolder) -> None:
    def form() -> str:
        return product.resolve().desired.applications[INVOICING].release.form

    file = product.root / FILE
    plain, first = file.read_text(), form()
    file.write_text("# a remark\n" + plain.replace("service: invoicing", 'service:   "invoicing"'))
    assert form() == first
    product.layer("environments/test/services/invoicing", "run: {web: {replicas: 2}}")
    assert form() == first
    file.write_text(plain + "tasks: {look: {command: [look]}}\n")
    assert form() != first
    file.write_text(plain)
    release = product.releases()[INVOICING]
    changed = {**product.releases(), INVOICING: replace(release, templates={"a.j2": "x"})}
    assert product.resolve(releases=changed).desired.applications[INVOICING].release.form != first


def test_only_named_services_are_resolved(product: ProductFolder) -> None:
    product.write(
        "services/accounting/service.yaml", "service: accounting\nconfig: {KEY: {required: true}}\n"
    )
    assert list(product.resolve(services=["invoicing"]).desired.applications) == ["invoicing"]


def test_only_keys_of_the_contract_reach_the_service(product: ProductFolder) -> None:
    product.invoicing(config="KEY: {}").layer("common", "app: {KEY: a, OTHER: b}")
    assert product.values() == {"KEY": "a"}


def test_a_key_without_a_value_does_not_reach_the_service(product: ProductFolder) -> None:
    product.invoicing(config='KEY: {}\nOTHER: {default: "${app.KEY}"}')
    assert product.values() == {}


def test_what_is_not_there_is_not_found(product: ProductFolder) -> None:
    with pytest.raises(NotFound) as raised:
        product.resolve("tset")
    assert (raised.value.message, raised.value.hint) == ("no environment is named tset", "did you mean test?")
    with pytest.raises(NotFound) as raised:
        product.resolve(services=["invoicin"])
    assert (raised.value.message, raised.value.hint) == (
        "no service is named invoicin",
        "did you mean invoicing?",
    )
    with pytest.raises(NotFound) as raised:
        product.resolve(services=["invoicing"], releases={})
    assert (raised.value.message, raised.value.hint) == (
        "invoicing has no release",
        "`ecluse build invoicing` makes one",
    )


def test_a_required_key_without_a_value_is_told_with_where_to_write_it(product: ProductFolder) -> None:
    product.invoicing(config="KEY: {required: true}")
    assert told(product, "prod") == (
        f"{FILE}:6: config.KEY: has no value in environment prod\n"
        "  hint: give it one under `app:` in config/environments/prod/services/invoicing.yaml, "
        "or in a less specific layer"
    )


def test_a_key_is_required_while_another_is_true(product: ProductFolder) -> None:
    product.invoicing(config="LDAP: {type: boolean, default: false}\nLDAP_URL: {required_when: LDAP}")
    assert product.values() == {"LDAP": "false"}
    product.layer("environments/prod/common", "app: {LDAP: true}")
    assert told(product, "prod").startswith(
        f"{FILE}:7: config.LDAP_URL: has no value in environment prod and LDAP is true\n"
    )


def test_a_value_that_does_not_fit_is_told_where_it_was_written(product: ProductFolder) -> None:
    product.invoicing(config="PORT: {type: integer}").layer(
        "environments/test/common", "\napp:\n  PORT: '80'\n"
    )
    assert told(product) == (
        "config/environments/test/common.yaml:2: app.PORT: must be an integer\n  hint: remove the quotes"
    )


def test_a_value_that_an_engine_cannot_take_is_told_where_it_was_written(product: ProductFolder) -> None:
    product.invoicing(config="N: {type: integer, default: 5000}")
    product.layer("services/invoicing", '\nrun:\n  web:\n    replicas: "${app.N}"\n')
    assert told(product) == "config/services/invoicing.yaml:3: run.web.replicas: must be at most 1000"


def test_what_layers_put_together_is_checked_too(product: ProductFolder) -> None:
    product.layer("common", "run: {web: {probe: {command: [x]}, drain: 9s, stop_grace: 5s}}")
    assert told(product) == (
        "config/common.yaml:1: run.web.probe: has both a path and a command\n"
        "  hint: keep one; `path: null` removes it\n"
        "config/common.yaml:1: run.web.stop_grace: must be longer than drain\n"
        "  hint: stopping begins while the last requests drain"
    )


def test_a_probe_is_exchanged_by_removing_its_path(product: ProductFolder) -> None:
    product.layer("common", "run: {web: {probe: {path: null, command: [bin/ready]}}}")
    probe = product.application().processes["web"].probe
    assert (probe.path, probe.command) == (None, ("bin/ready",))


def test_two_services_cannot_have_one_public_name(product: ProductFolder) -> None:
    product.write(
        "services/accounting/service.yaml",
        "service: accounting\nprocesses: {web: {port: 80, expose: {host: invoicing}}}\n",
    )
    assert told(product) == (
        f"{FILE}:3: processes.web.expose: invoicing.test.localhost is also the public name of accounting/web"
    )


def test_a_public_name_that_only_layers_give_is_compared_too(product: ProductFolder) -> None:
    product.layer("environments/prod/common", "run: {web: {expose: {host: all}}}")
    assert "all.comptoir.example.fr is also the public name of" in told(product, "prod")
    assert product.resolve("test")


class TestSecrets:
    def test_a_secret_comes_from_outside_and_is_sealed(self, product: ProductFolder) -> None:
        product.secrets = {"SMTP_PASSWORD": "hunter2"}
        product.invoicing(config="SMTP_PASSWORD: {secret: true, required: true}")
        setting = product.setting("SMTP_PASSWORD")
        assert setting.text == product.vault.seal("hunter2")
        assert setting.origin.layer == "secrets in memory"

    def test_a_secret_that_nobody_gives_is_told_with_what_to_do(self, product: ProductFolder) -> None:
        product.invoicing(config="SMTP_PASSWORD: {secret: true, required: true}")
        assert told(product) == (
            f"{FILE}:6: config.SMTP_PASSWORD: has no value in environment test\n"
            "  hint: encrypt it with `ecluse secrets set`, or give it in a private file: `--secrets FILE`"
        )

    @pytest.mark.parametrize(
        "value",
        ["hunter2", "hun${ter}2", "hun$${ter2", "x${environment.name}", "[hunter2]", "7777777", "${hunter2}"],
    )
    def test_a_secret_in_a_plain_file_is_an_error_that_does_not_repeat_it(
        self, product: ProductFolder, value: str
    ) -> None:
        product.invoicing(config="SMTP_PASSWORD: {secret: true}").layer(
            "common", f"app: {{SMTP_PASSWORD: '{value}'}}"
        )
        assert told(product) == (
            "config/common.yaml:1: app.SMTP_PASSWORD: is a secret in a plain file\n"
            "  hint: encrypt it with `ecluse secrets set`, or give it in a private file: `--secrets FILE`"
        )

    def test_a_beaten_value_in_a_plain_file_is_an_error_too(self, product: ProductFolder) -> None:
        product.invoicing(config="SMTP_PASSWORD: {secret: true}").layer(
            "common", "app: {SMTP_PASSWORD: hunter2}"
        )
        product.layer("environments/test/common", 'app: {SMTP_PASSWORD: "${backing.db.password}"}')
        assert told(product).startswith(
            "config/common.yaml:1: app.SMTP_PASSWORD: is a secret in a plain file"
        )

    def test_a_secret_may_be_made_of_references(self, product: ProductFolder) -> None:
        product.invoicing(
            config='DSN: {secret: true, default: "u=${backing.db.user} p=${backing.db.password}"}'
        )
        assert product.values()["DSN"].startswith("u=invoicing p=")
        assert isinstance(product.setting("DSN").text, Sealed)

    def test_a_given_secret_beats_the_default_of_the_contract(self, product: ProductFolder) -> None:
        product.secrets = {"PASSWORD": "given"}
        product.invoicing(config='PASSWORD: {secret: true, default: "${backing.db.password}"}')
        setting = product.setting("PASSWORD")
        assert setting.text == product.vault.seal("given")
        assert [(one.origin.layer, one.shown) for one in setting.beaten] == [("contract default", None)]

    def test_secrecy_follows_references_into_keys_that_are_not_secret(self, product: ProductFolder) -> None:
        product.secrets = {"PASSWORD": "hunter2"}
        product.invoicing(config='PASSWORD: {secret: true}\nDSN: {default: "smtp://u:${app.PASSWORD}@mail"}')
        assert product.setting("DSN").text == product.vault.seal("smtp://u:hunter2@mail")

    def test_a_secret_has_a_type_too(self, product: ProductFolder) -> None:
        product.secrets = {"PIN": "hunter2"}
        product.invoicing(config="PIN: {secret: true, type: integer}")
        assert told(product) == "memory: PIN: must be an integer"
        product.secrets = {"PIN": "1234"}
        assert product.setting("PIN").text == product.vault.seal("1234")

    def test_the_engine_gets_no_secret_as_a_plain_value(self, product: ProductFolder) -> None:
        product.secrets = {"PASSWORD": "hunter2"}
        product.invoicing(config="PASSWORD: {secret: true}")
        product.layer("services/invoicing", 'run: {web: {command: [serve, "--password=${app.PASSWORD}"]}}')
        assert told(product) == (
            "config/services/invoicing.yaml:1: run.web.command: cannot be a secret\n"
            "  hint: engines show these values; give the program the secret under `app:`"
        )

    def test_no_problem_repeats_a_secret(self, product: ProductFolder) -> None:
        product.secrets = {"A": "hunter2", "B": "hunter2", "C": "hunter2", "D": "hunter2"}
        product.invoicing(
            config="""
            A: {secret: true, type: url}
            B: {secret: true, pattern: "[0-9]+"}
            C: {secret: true, choices: [hunter1, x]}
            D: {secret: true, type: json}
            """
        )
        assert told(product).count("memory: ") == 4
        assert "hunter2" not in told(product)


class TestReleases:
    def test_a_service_is_what_its_release_says_and_not_the_tree(self, product: ProductFolder) -> None:
        product.invoicing(config="OLD: {default: x}")
        releases = product.releases("1.0")
        product.invoicing(config="NEW: {default: y}", more="tasks: {migrate: {command: [x]}}\n")
        application = product.resolve(releases=releases).desired.applications[INVOICING]
        assert [one.key for one in application.settings] == ["OLD"]
        assert application.tasks == {}

    def test_a_value_for_the_next_release_is_a_warning(self, product: ProductFolder) -> None:
        releases = product.releases("1.0")
        product.invoicing(config="NEW: {}").layer("services/invoicing", "app: {NEW: x}")
        resolved = product.resolve(releases=releases)
        assert [str(one) for one in resolved.warnings] == [
            "config/services/invoicing.yaml:1: app.NEW: is not in the contract of invoicing"
        ]

    def test_a_problem_of_a_release_names_its_version(self, product: ProductFolder) -> None:
        product.invoicing(config="KEY: {required: true}")
        releases = product.releases("1.0")
        product.invoicing(config="KEY: {default: x}")
        with pytest.raises(
            ConfigInvalid, match=r"^services/invoicing/service.yaml@1.0:6: config.KEY: has no value"
        ):
            product.resolve(releases=releases)

    def test_a_label_that_cannot_be_read_is_a_problem(self, product: ProductFolder) -> None:
        releases = product.releases("1.0")
        releases[INVOICING] = replace(releases[INVOICING], service_yaml="service: [")
        with pytest.raises(ConfigInvalid, match=r"^services/invoicing/service.yaml@1.0:2: is not YAML"):
            product.resolve(releases=releases)
        releases[INVOICING] = replace(releases[INVOICING], service_yaml="service: other")
        with pytest.raises(ConfigInvalid, match="service: is other in a release of invoicing"):
            product.resolve(releases=releases)

    def test_a_bad_release_of_another_service_stops_nobody(self, product: ProductFolder) -> None:
        releases = product.releases("1.0")
        releases[ServiceName("accounting")] = replace(releases[ServiceName("accounting")], service_yaml="- x")
        resolved = product.resolve(services=["invoicing"], releases=releases)
        assert [str(one) for one in resolved.warnings] == [
            "services/accounting/service.yaml@1.0:1: must be a map"
        ]

    def test_templates_come_from_the_release(self, product: ProductFolder) -> None:
        product.invoicing(more="files: {/x: {template: x.j2}}\n")
        product.write("services/invoicing/x.j2", "old {{ release.version }}\n")
        releases = product.releases("1.0")
        product.write("services/invoicing/x.j2", "new\n")
        files = product.resolve(releases=releases).desired.applications[INVOICING].files
        assert files[0].content == "old 1.0\n"
        releases[INVOICING] = replace(releases[INVOICING], templates={})
        with pytest.raises(ConfigInvalid, match=r"release 1.0 has no template x.j2"):
            product.resolve(releases=releases)

    def test_a_service_of_another_repository_is_known_by_its_release(self, product: ProductFolder) -> None:
        releases = product.releases("1.0")
        text = (product.root / "ecluse.yaml").read_text()
        repository = "{domain: billing, repository: 'git@git.example.fr:i.git'}"
        product.write("ecluse.yaml", text.replace("invoicing: {domain: billing}", f"invoicing: {repository}"))
        (product.root / FILE).unlink()
        assert sorted(product.resolve(releases=releases).desired.applications) == ["accounting", "invoicing"]
        product.layer("services/invoicing", "app: {KEX: x}")
        with pytest.raises(ConfigInvalid, match="app.KEX: is not in the contract of invoicing"):
            product.resolve(releases=releases)


def test_a_deprecated_key_that_is_still_given_names_its_replacement(product: ProductFolder) -> None:
    product.invoicing(
        config="OLD: {deprecated: since 2.0, replaced_by: NEW}\nNEW: {}\nOLDER: {replaced_by: NEW}"
    )
    product.layer("common", "app: {OLD: x,\n  OLDER: y}")
    assert product.warnings() == (
        "config/common.yaml:1: app.OLD: is deprecated: since 2.0\n  hint: give NEW instead\n"
        "config/common.yaml:2: app.OLDER: is deprecated\n  hint: give NEW instead"
    )


def test_a_deprecated_key_that_is_still_given_is_a_warning(product: ProductFolder) -> None:
    product.invoicing(config="OLD: {deprecated: use NEW}").layer("common", "app: {OLD: x}")
    assert product.warnings() == "config/common.yaml:1: app.OLD: is deprecated: use NEW"


def test_each_type_is_written_out_in_variables_and_native_in_files(product: ProductFolder) -> None:
    product.invoicing(
        config="ON: {type: boolean, default: true}\nN: {type: number, default: 0.5}\nL: {type: list, default: [a, b]}",
        more="deliver: [env, {path: /c.json, format: json}]\n",
    )
    assert product.values() == {"ON": "true", "N": "0.5", "L": "a,b"}
    assert product.file("/c.json") == '{\n  "ON": true,\n  "N": 0.5,\n  "L": [\n    "a",\n    "b"\n  ]\n}\n'
    assert product.application().env


class TestSealedSecrets:
    """Somebody plans who cannot read the secrets: a source gives fingerprints."""

    class Kept:
        def lookup(
            self, environment: EnvironmentName, service: ServiceName, key: str
        ) -> tuple[Sealed, Origin]:
            return Sealed("f00d" * 8), Origin("kept", Location("state of test"))

    def plan(self, product: ProductFolder) -> Application:
        releases = product.releases()
        resolved = resolve(
            product.load(),
            EnvironmentName("test"),
            releases,
            [INVOICING],
            Means(self.Kept(), product.vault),
        )
        return resolved.desired.applications[INVOICING]

    def test_a_fingerprint_is_enough_for_a_whole_value(self, product: ProductFolder) -> None:
        product.invoicing(
            config='PIN: {secret: true, type: integer, required: true}\nCOPY: {default: "${app.PIN}"}'
        )
        assert [one.text for one in self.plan(product).settings] == [Sealed("f00d" * 8)] * 2

    def test_a_text_around_it_or_a_file_needs_the_secret_itself(self, product: ProductFolder) -> None:
        product.invoicing(
            config='PIN: {secret: true}\nDSN: {default: "x ${app.PIN}"}',
            more="deliver: {path: /x, format: env}\n",
        )
        with pytest.raises(ConfigInvalid) as raised:
            self.plan(product)
        assert [(one.key, one.message) for one in raised.value.problems] == [
            ("config.PIN", "goes into a file, and cannot be read here"),
            ("config.DSN.default", "needs the text of a secret that cannot be read here"),
        ]
