"""Encrypted files beside plain ones: what they give, and what people see who cannot open them."""

from __future__ import annotations

from pathlib import Path

import pyrage
import pytest

from ecluse.config.load import load
from ecluse.config.readers import claims, received_by
from ecluse.config.workspace import open_workspace
from ecluse.errors import ConfigInvalid
from ecluse.model.application import Setting
from ecluse.model.names import ServiceName
from ecluse.model.secret import Sealed
from ecluse.secrets.files import SopsFiles
from ecluse.secrets.memory import MemoryVault
from ecluse.secrets.sops.file import close_file, form_of, new_file, read_plain, write_closed
from ecluse.secrets.sops.identities import Identities
from ecluse.secrets.sops.walk import Selector
from ecluse.secrets.twins import TwinFiles
from tests.unit.config.product_folder import ProductFolder

KEY = pyrage.x25519.Identity.generate()
HOLDER = Identities((KEY,))
NOBODY = Identities(())
SERVICE = """
SMTP_PASSWORD: {secret: true, required: true}
SMTP_HOST: {default: localhost}
MAIL_URL: {type: url, default: "smtp://me:${app.SMTP_PASSWORD}@${app.SMTP_HOST}/"}
RETRIES: {type: integer, default: 3}
"""
TWIN = "config/environments/test/services/invoicing.sops.yaml"


class Sealing(ProductFolder):
    """The product of invoicing with encrypted files, read by a key holder or by nobody."""

    holder: Identities = HOLDER

    def seal(self, path: str, text: str, selector: Selector | None = None) -> Sealing:
        form = form_of(path)
        opened = new_file(form, read_plain(text, form), [str(KEY.to_public())], selector=selector)
        self.write(path, write_closed(close_file(opened)))
        return self

    def load(self):
        return load(open_workspace(self.root), SopsFiles(TwinFiles(self.root, self.holder)))

    def as_nobody(self) -> Sealing:
        self.holder = NOBODY
        return self


@pytest.fixture
def product(tmp_path: Path) -> Sealing:
    folder = Sealing(tmp_path)
    folder.write("ecluse.yaml", _product())
    folder.invoicing(config=SERVICE)
    folder.write("services/accounting/service.yaml", _accounting())
    return folder


def _product() -> str:
    from tests.unit.config.product_folder import PRODUCT

    return PRODUCT


def _accounting() -> str:
    from tests.unit.config.product_folder import ACCOUNTING

    return ACCOUNTING


def sealed(setting: Setting) -> Sealed:
    assert isinstance(setting.text, Sealed)
    return setting.text


def test_a_value_of_an_encrypted_file_is_delivered_sealed_with_its_file_and_line(product: Sealing) -> None:
    product.seal(TWIN, "app:\n    # the relay\n    SMTP_PASSWORD: s3cr3t\n")
    setting = product.setting("SMTP_PASSWORD")
    assert product.vault.reveal(sealed(setting)) == "s3cr3t"
    assert str(setting.origin) == f"{TWIN}:3 (environment test, service invoicing)"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("config/common.sops.json", '{"app": {"SMTP_PASSWORD": "s3cr3t"}}'),
        ("config/common.sops.env", "SMTP_PASSWORD=s3cr3t\n"),
        ("config/common.sops.yaml", "services: {invoicing: {app: {SMTP_PASSWORD: s3cr3t}}}"),
        ("config/domains/billing.sops.yaml", "app: {SMTP_PASSWORD: s3cr3t}"),
        ("config/environments/test/common.sops.yaml", "app: {SMTP_PASSWORD: s3cr3t}"),
    ],
)
def test_every_form_and_every_scope_has_its_twin(product: Sealing, path: str, text: str) -> None:
    product.seal(path, text)
    assert product.values()["SMTP_PASSWORD"] == "s3cr3t"
    assert product.setting("SMTP_PASSWORD").origin.location.file == path


def test_the_most_specific_twin_wins_and_says_what_it_beats_without_its_value(product: Sealing) -> None:
    product.seal("config/common.sops.yaml", "app: {SMTP_PASSWORD: general}")
    product.seal(TWIN, "app: {SMTP_PASSWORD: s3cr3t}")
    setting = product.setting("SMTP_PASSWORD")
    assert product.text(setting.text) == "s3cr3t"
    assert [(one.origin.location.file, one.shown) for one in setting.beaten] == [
        ("config/common.sops.yaml", None)
    ]


def test_a_secret_is_never_looked_through_for_references(product: Sealing) -> None:
    product.seal(TWIN, 'app: {SMTP_PASSWORD: "a${app.SMTP_HOST}$${b"}')
    assert product.values()["SMTP_PASSWORD"] == "a${app.SMTP_HOST}$${b"


def test_secrecy_follows_a_value_that_need_not_be_secret(product: Sealing) -> None:
    product.seal(TWIN, "app: {SMTP_PASSWORD: s3cr3t, RETRIES: 7}")
    assert product.values()["MAIL_URL"] == "smtp://me:s3cr3t@localhost/"
    assert isinstance(product.setting("MAIL_URL").text, Sealed)
    assert isinstance(product.setting("RETRIES").text, Sealed)
    assert product.values()["RETRIES"] == "7"


def test_what_a_twin_leaves_plain_is_an_ordinary_value_but_no_secret(product: Sealing) -> None:
    only_passwords = Selector("encrypted_regex", "PASSWORD")
    product.seal(TWIN, "app: {SMTP_PASSWORD: s3cr3t, SMTP_HOST: relay}", only_passwords)
    assert product.setting("SMTP_HOST").text == "relay"
    product.seal(TWIN, "app: {SMTP_PASSWORD: s3cr3t}", Selector("encrypted_regex", "HOST"))
    assert "app.SMTP_PASSWORD: is a secret in a plain file" in product.problems()


def with_external(product: Sealing) -> Sealing:
    outside = "external: {host: cache.example.fr, user: comptoir, password_key: CACHE_PASSWORD}"
    text = _product().replace("{kind: redis}", f"{{kind: redis, {outside}}}")
    product.write("ecluse.yaml", text)
    return product.invoicing(config='URL: {type: url, default: "${backing.sessions.url}"}')


def test_the_password_of_somebody_elses_database_may_be_in_an_encrypted_file(product: Sealing) -> None:
    with_external(product).seal("config/common.sops.yaml", "app: {CACHE_PASSWORD: s3cr3t}")
    assert product.values()["URL"] == "redis://comptoir:s3cr3t@cache.example.fr:6379/0"
    assert isinstance(product.setting("URL").text, Sealed)
    assert product.problems() == ""
    product.secrets = {"CACHE_PASSWORD": "elsewhere"}
    assert product.values()["URL"] == "redis://comptoir:s3cr3t@cache.example.fr:6379/0"


def test_who_cannot_read_the_password_of_somebody_elses_database_is_told_of_it_as_of_any(
    product: Sealing,
) -> None:
    with_external(product).seal("config/common.sops.yaml", "app: {CACHE_PASSWORD: s3cr3t}").as_nobody()
    assert sealed(product.setting("URL")).is_unreadable
    assert len(product.resolve("test").unreadable) == 1


def test_without_an_identity_everything_resolves_and_nothing_is_told(product: Sealing) -> None:
    product.seal("config/common.sops.yaml", "app: {SMTP_PASSWORD: s3cr3t, RETRIES: 7}").as_nobody()
    for key in ("SMTP_PASSWORD", "MAIL_URL", "RETRIES"):
        assert sealed(product.setting(key)).is_unreadable
    assert product.setting("SMTP_HOST").text == "localhost"
    assert product.problems() == ""
    (met, _) = product.resolve("test").unreadable
    assert met.recipients == (str(KEY.to_public()),)


def test_another_ciphertext_shows_as_a_change_to_who_cannot_read_it(product: Sealing) -> None:
    product.seal(TWIN, "app: {SMTP_PASSWORD: s3cr3t}").as_nobody()
    before = sealed(product.setting("SMTP_PASSWORD"))
    assert sealed(product.setting("SMTP_PASSWORD")) == before
    product.seal(TWIN, "app: {SMTP_PASSWORD: changed}")
    assert sealed(product.setting("SMTP_PASSWORD")) != before


def test_what_the_state_has_seen_deployed_is_known_to_who_cannot_read_it(product: Sealing) -> None:
    product.seal(TWIN, 'app: {SMTP_PASSWORD: s3cr3t, RETRIES: "007"}')
    seen = {key: product.setting(key).text for key in ("SMTP_PASSWORD", "MAIL_URL", "RETRIES")}
    product.as_nobody()
    assert {key: product.setting(key).text for key in seen} == seen
    assert product.resolve("test").unreadable == ()


def test_a_known_ciphertext_that_is_moved_elsewhere_is_not_known_there(product: Sealing) -> None:
    with_holder(product).seal(TWIN, "app: {SMTP_PASSWORD: s3cr3t}")
    product.values()
    there = "config/environments/prod/services/invoicing.sops.yaml"
    product.write(there, (product.root / TWIN).read_text()).as_nobody()
    assert sealed(product.setting("SMTP_PASSWORD", "prod")).is_unreadable


def test_files_are_made_for_who_cannot_read_their_secrets(product: Sealing) -> None:
    product.invoicing(
        config=SERVICE,
        more="""
            deliver: [env, {path: /app/.env, format: env}]
            files: {/app/mail.conf: {template: mail.conf.j2}}
        """,
    )
    product.write("services/invoicing/mail.conf.j2", "retries {{ RETRIES + 1 }}\n")
    product.seal(TWIN, "app: {SMTP_PASSWORD: s3cr3t, RETRIES: 7}").as_nobody()
    contents = [file.content for file in product.application().files]
    assert len(contents) == 2
    assert all(isinstance(content, Sealed) and content.is_unreadable for content in contents)


def test_a_key_in_both_files_of_a_scope_is_an_error(product: Sealing) -> None:
    product.seal(TWIN, "app: {SMTP_PASSWORD: s3cr3t, SMTP_HOST: relay}")
    product.layer("environments/test/services/invoicing", "app: {SMTP_HOST: other}")
    assert product.problems() == (
        "config/environments/test/services/invoicing.yaml:1: app.SMTP_HOST: is also given in "
        f"{TWIN}:3\n  hint: keep one of the two"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("data:", "data:AAAA", 1), "app.SMTP_PASSWORD does not open with the key"),
        (lambda text: text.replace("lastmodified", "lost"), "has no moment of the last change"),
        (lambda text: text.replace("sops:", "sips:"), "is not encrypted: it has no metadata of SOPS"),
        (lambda text: text.replace("SMTP_PASSWORD: ", "SMTP_PASSWORD: ["), "is not YAML"),
    ],
)
def test_a_file_that_was_tampered_with_is_an_error_that_shows_no_value(
    product: Sealing, change, message: str
) -> None:
    product.seal(TWIN, "app: {SMTP_PASSWORD: s3cr3t}")
    file = product.root / TWIN
    file.write_text(change(file.read_text()))
    with pytest.raises(ConfigInvalid) as caught:
        product.load()
    assert TWIN in str(caught.value)
    assert message in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


def test_only_app_can_be_encrypted(product: Sealing) -> None:
    product.seal(TWIN, "app: {SMTP_PASSWORD: s3cr3t}\nrun: {web: {memory: 64Mi}}")
    assert "run.web.memory: is encrypted, and only values under `app:` can be" in product.problems()


def test_a_twin_for_nobody_is_an_error_like_its_plain_file(product: Sealing) -> None:
    product.seal("config/services/invoise.sops.yaml", "app: {A: b}")
    assert "no service is named invoise\n  hint: did you mean invoicing?" in product.problems()


def test_a_changed_twin_changes_the_revision(product: Sealing) -> None:
    product.seal(TWIN, "app: {SMTP_PASSWORD: s3cr3t}")
    before = product.load().revision
    product.seal(TWIN, "app: {SMTP_PASSWORD: s3cr3t}")
    assert product.load().revision != before


PROD = "config/environments/prod/services/invoicing.sops.yaml"
STRANGER = str(pyrage.x25519.Identity.generate().to_public())


def with_holder(product: Sealing) -> Sealing:
    """The key of these tests is of somebody who may hold several."""
    text = (product.root / "ecluse.yaml").read_text()
    holders = f"secrets: {{holders: {{alice: {KEY.to_public()}}}}}\n"
    product.write("ecluse.yaml", text if "holders" in text else text + holders)
    return product


def test_a_secret_of_a_protected_environment_that_another_key_opens_is_an_error(product: Sealing) -> None:
    product.seal(TWIN, "app: {SMTP_PASSWORD: a}").seal(PROD, "app: {SMTP_PASSWORD: b}")
    for holder in (HOLDER, NOBODY):
        product.holder = holder
        assert product.problems() == (
            f"{PROD}: is for prod, and can be read with a key of test: {KEY.to_public()}\n"
            f"  hint: `ecluse secrets recipients remove --env prod {KEY.to_public()}`; "
            "or name who holds it under secrets.holders in ecluse.yaml"
        )
    assert with_holder(product).problems() == ""


def test_a_key_that_a_rule_gives_to_another_environment_counts_too(product: Sealing) -> None:
    product.seal(PROD, "app: {SMTP_PASSWORD: b}")
    assert "can be read with a key" not in product.problems()
    rule = f"creation_rules: [{{path_regex: environments/test/, age: {KEY.to_public()}}}]\n"
    product.write(".sops.yaml", rule)
    assert "can be read with a key of test" in product.problems()


def test_a_shared_secret_that_reaches_a_protected_environment_is_held_to_its_keys(product: Sealing) -> None:
    product.seal("config/common.sops.yaml", "app: {SMTP_PASSWORD: a}")
    product.write(
        ".sops.yaml", f"creation_rules: [{{path_regex: environments/test/, age: {KEY.to_public()}}}]\n"
    )
    assert "config/common.sops.yaml: is for prod, and can be read with a key of test" in product.problems()
    product.write(".sops.yaml", f"creation_rules: [{{path_regex: environments/test/, age: {STRANGER}}}]\n")
    assert product.problems() == ""


def test_one_secret_in_a_protected_and_an_unprotected_environment_is_a_warning(product: Sealing) -> None:
    with_holder(product).seal(TWIN, "app: {SMTP_PASSWORD: same}").seal(PROD, "app: {SMTP_PASSWORD: same}")
    assert f"{PROD}:2: SMTP_PASSWORD: is the same secret in prod and in test" in product.warnings()
    product.seal(PROD, "app: {SMTP_PASSWORD: other}")
    assert "is the same secret" not in product.warnings()
    product.seal(PROD, "app: {SMTP_PASSWORD: same}").as_nobody()
    product.vault = MemoryVault(b"another state")
    assert "is the same secret" not in product.warnings()


def test_a_service_that_newly_receives_a_shared_secret_claims_it(product: Sealing) -> None:
    product.seal("config/common.sops.yaml", "app: {SMTP_PASSWORD: a}")
    product.seal(PROD, "app: {SMTP_PASSWORD: b}")
    configuration, desired = product.load(), product.resolve("test").desired
    found = [str(one) for one in claims(configuration, desired, {})]
    assert found == [
        "config/common.sops.yaml:2: SMTP_PASSWORD: is a shared secret that invoicing claims in test"
    ]
    assert list(claims(configuration, desired, received_by(desired.applications))) == []
    assert list(claims(configuration, desired, {(ServiceName("invoicing"), "SMTP_PASSWORD"): None})) == []
    elsewhere = {(ServiceName("invoicing"), "SMTP_PASSWORD"): "config/services/invoicing.sops.yaml"}
    assert [str(one) for one in claims(configuration, desired, elsewhere)] == found
    assert list(claims(configuration, product.resolve("prod").desired, {})) == []
