from __future__ import annotations

import pytest

from tests.unit.config.product_folder import ProductFolder

OF_BOTH = "KEY: {default: contract}"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("environments/tset/common", "app: {}", "config/environments/tset/common.yaml: no environment is named tset\n"
         "  hint: did you mean test?"),
        ("domains/biling", "app: {}", "config/domains/biling.yaml: no domain is named biling\n"
         "  hint: did you mean billing?"),
        ("services/invoicin", "app: {}", "config/services/invoicin.yaml: no service is named invoicin\n"
         "  hint: did you mean invoicing?"),
        ("invoicing", "app: {}", "config/invoicing.yaml: speaks for no scope\n"
         "  hint: a layer is common.yaml, domains/<domain>.yaml or services/<service>.yaml"),
        ("environments/test/a/b/c", "app: {}", "config/environments/test/a/b/c.yaml: speaks for no scope\n"
         "  hint: a layer is common.yaml, domains/<domain>.yaml or services/<service>.yaml"),
        ("common", "ap: {}", "config/common.yaml:1: ap: unknown key\n  hint: did you mean app?"),
        ("common", "app: [KEY]", "config/common.yaml:1: app: must be a map"),
        ("common", "run: {web: 3}", "config/common.yaml:1: run.web: must be a map"),
        ("common", "run: {web: {replica: 3}}", "config/common.yaml:1: run.web.replica: unknown key\n"
         "  hint: did you mean replicas?"),
        ("common", "run: {web: {replicas: many}}", "config/common.yaml:1: run.web.replicas: must be an integer"),
        ("common", "run: {crons: {c: {enabled: no}}}", "config/common.yaml:1: run.crons.c.enabled: must be true or "
         "false\n  hint: yes, no, on and off are texts"),
        ("common", "services: {invoicin: {}}", "config/common.yaml:1: services.invoicin: no service is named invoicin\n"
         "  hint: did you mean invoicing?"),
        ("domains/billing", "services: {accounting: {}}", "config/domains/billing.yaml:1: services.accounting: "
         "accounting is not of the domain billing"),
        ("services/invoicing", "services: {}", "config/services/invoicing.yaml:1: services: unknown key\n"
         "  hint: known: app, reasons, run"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_layer_file_is_told(
    product: ProductFolder, name: str, text: str, problem: str
) -> None:
    assert product.layer(name, text).problems() == problem


def test_a_layer_file_ends_in_yaml(product: ProductFolder) -> None:
    product.write("config/common.yml", "app: {}\n")
    assert product.problems() == "config/common.yml: is not read\n  hint: a layer file ends in .yaml"


def test_an_empty_layer_file_says_nothing(product: ProductFolder) -> None:
    assert product.layer("common", "# later\n").layer("domains/billing", "app:\nrun:\n").problems() == ""


@pytest.mark.parametrize(
    ("shared", "own"),
    [
        ("common", "services/invoicing"),
        ("domains/billing", "services/invoicing"),
        ("environments/test/common", "environments/test/services/invoicing"),
        ("environments/test/domains/billing", "environments/test/services/invoicing"),
    ],
)
def test_one_layer_written_in_two_files_names_both(product: ProductFolder, shared: str, own: str) -> None:
    product.invoicing(config=OF_BOTH)
    product.layer(own, "app: {KEY: a}").layer(
        shared, "\nservices:\n  invoicing: {run: {web: {replicas: 2}}}\n"
    )
    problems = product.problems()
    assert "this layer is also written in config/" in problems
    assert f"config/{shared}.yaml" in problems
    assert f"config/{own}.yaml" in problems
    assert problems.endswith("hint: keep all of it in one place")


def test_the_same_service_in_two_scopes_is_two_layers(product: ProductFolder) -> None:
    product.invoicing(config=OF_BOTH)
    product.layer("common", "services: {invoicing: {app: {KEY: a}}}")
    product.layer("environments/test/common", "services: {invoicing: {app: {KEY: b}}}")
    assert product.problems() == ""
    assert product.setting("KEY").text == "b"
    assert product.setting("KEY", "prod").text == "a"
