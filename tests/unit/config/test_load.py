from __future__ import annotations

from tests.unit.config.product_folder import PRODUCT, ProductFolder


def test_the_problems_of_all_files_come_at_once(product: ProductFolder) -> None:
    product.write("ecluse.yaml", PRODUCT.replace("follows: [test]", "follows: [tset]"))
    product.invoicing(config="KEY: {type: strin}")
    product.layer("common", "app: [")
    product.layer("services/accounting", "app: {KEY: 1}")
    assert (
        product.problems()
        == """\
config/common.yaml:2: is not YAML: did not find expected node content
config/services/accounting.yaml:1: app.KEY: is not in the contract of accounting
ecluse.yaml:7: environments.prod.follows.0: no environment is named tset
  hint: did you mean test?
services/invoicing/service.yaml:6: config.KEY.type: must be one of string, integer, number, boolean, url, email, \
duration, size, choice, list, json"""
    )


def test_a_service_is_called_as_its_folder(product: ProductFolder) -> None:
    product.write("services/invoicing/service.yaml", "service: billing\n")
    assert product.problems() == (
        "services/invoicing/service.yaml:1: service: is billing in the place of invoicing\n"
        "  hint: write `service: invoicing`, or rename the folder"
    )


def test_a_use_of_nothing_is_told_with_the_nearest_name(product: ProductFolder) -> None:
    product.invoicing(uses="[acounting, db]")
    assert product.problems() == (
        "services/invoicing/service.yaml:4: uses.0: acounting is neither a service nor a backing service\n"
        "  hint: did you mean accounting?"
    )


def test_a_template_that_is_not_there_is_told(product: ProductFolder) -> None:
    product.invoicing(more="files: {/config/x: {template: templates/x.j2}}\n")
    assert product.problems() == (
        "services/invoicing/service.yaml:5: files./config/x.template: "
        "there is no file services/invoicing/templates/x.j2"
    )


def test_a_configuration_gives_what_others_need(product: ProductFolder) -> None:
    product.invoicing(more="files: {/config/x: {template: x.j2}}\n")
    product.write("services/invoicing/x.j2", "hello\n")
    configuration = product.load()
    assert sorted(configuration.services) == ["accounting", "invoicing"]
    assert configuration.templates["invoicing"] == {"x.j2": "hello\n"}  # type: ignore[index]
    assert configuration.revision.startswith("tree:")
    assert configuration.dirty


def test_encrypted_files_are_told_to_be_unread(product: ProductFolder) -> None:
    product.layer("common.sops", "app: {KEY: ENC[x]}\n")
    assert product.warnings() == (
        "config/common.sops.yaml: encrypted files are not read yet\n  hint: give its values with `--secrets FILE`"
    )
