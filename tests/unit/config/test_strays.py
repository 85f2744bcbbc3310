from __future__ import annotations

from tests.unit.config.product_folder import ProductFolder

CRON = 'crons: {reminders: {schedule: "0 6 * * *", command: [x]}}\n'


def test_an_unknown_name_in_a_services_own_layer_is_an_error(product: ProductFolder) -> None:
    product.invoicing(config="SMTP_HOST: {}", more=CRON)
    product.layer(
        "environments/test/services/invoicing",
        """
        app: {SMTP_HSOT: x}
        run:
          wbe: {replicas: 2}
          crons: {reminder: {enabled: false}}
        """,
    )
    file = "config/environments/test/services/invoicing.yaml"
    assert product.problems() == (
        f"{file}:1: app.SMTP_HSOT: is not in the contract of invoicing\n  hint: did you mean SMTP_HOST?\n"
        f"{file}:3: run.wbe: invoicing has no process named wbe\n  hint: did you mean web?\n"
        f"{file}:4: run.crons.reminder: invoicing has no cron named reminder\n  hint: did you mean reminders?"
    )


def test_an_unknown_name_in_a_services_part_of_a_shared_file_is_an_error(product: ProductFolder) -> None:
    product.invoicing(config="KEY: {}").layer("common", "services: {invoicing: {app: {KEX: 1}}}")
    assert product.problems() == (
        "config/common.yaml:1: services.invoicing.app.KEX: is not in the contract of invoicing\n"
        "  hint: did you mean KEY?"
    )


def test_a_key_that_no_service_declares_is_a_warning_in_a_shared_layer(product: ProductFolder) -> None:
    product.invoicing(config="SMTP_HOST: {}")
    product.layer("common", "app: {SMTP_HSOT: x, OTHER: y}\nrun: {wroker: {replicas: 2}}\n")
    assert product.problems() == ""
    assert product.warnings() == (
        "config/common.yaml:1: app.SMTP_HSOT: no service declares this key\n  hint: did you mean SMTP_HOST?\n"
        "config/common.yaml:1: app.OTHER: no service declares this key\n"
        "config/common.yaml:2: run.wroker: no service has this process"
    )


def test_a_domain_layer_is_compared_with_the_services_of_its_domain(product: ProductFolder) -> None:
    product.invoicing(config="SMTP_HOST: {}").layer("domains/books", "app: {SMTP_HOST: x}")
    assert product.warnings() == "config/domains/books.yaml:1: app.SMTP_HOST: no service declares this key"


def test_a_key_that_one_service_declares_is_none_of_the_others_business(product: ProductFolder) -> None:
    product.invoicing(config="SMTP_HOST: {}").layer("common", "app: {SMTP_HOST: x}")
    assert product.warnings() == ""
    assert product.application(service="accounting").settings == ()


def test_nothing_is_said_of_shared_keys_while_a_contract_is_elsewhere(product: ProductFolder) -> None:
    text = (product.root / "ecluse.yaml").read_text()
    product.write(
        "ecluse.yaml", text.replace("services:", "services:\n  pay: {repository: 'git@x.fr:p.git'}")
    )
    assert product.layer("common", "app: {OF_PAY: x}").warnings() == ""
