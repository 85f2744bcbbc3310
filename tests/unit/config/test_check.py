from __future__ import annotations

from pathlib import Path

import pytest

from ecluse.config.check import check
from ecluse.config.load import load
from ecluse.config.workspace import open_workspace
from ecluse.secrets.memory import MemorySecrets, MemoryVault
from tests.unit.config.product_folder import ProductFolder

COMPTOIR = Path(__file__).parents[3] / "examples" / "comptoir"


def test_every_environment_is_checked_and_each_problem_told_once(product: ProductFolder) -> None:
    product.invoicing(config="PORT: {type: integer, default: 80}\nKEY: {required: true}")
    product.layer("common", "app: {PORT: x}").layer("environments/prod/common", "app: {KEY: given}")
    assert product.problems() == (
        "config/common.yaml:1: app.PORT: must be an integer\n"
        "services/invoicing/service.yaml:7: config.KEY: has no value in environment test\n"
        "  hint: give it one under `app:` in config/environments/test/services/invoicing.yaml, "
        "or in a less specific layer"
    )


def test_an_absent_secret_is_a_warning_because_it_is_in_no_file(product: ProductFolder) -> None:
    product.invoicing(config="PASSWORD: {secret: true, required: true}")
    assert product.problems() == ""
    assert product.warnings().startswith(
        "services/invoicing/service.yaml:6: config.PASSWORD: has no value in environment test\n"
    )


def test_a_public_name_of_two_environments_is_a_warning(product: ProductFolder) -> None:
    product.layer("services/invoicing", "run: {web: {expose: {host: factures.example.fr}}}")
    assert product.warnings() == (
        "services/invoicing/service.yaml:3: processes.web.expose: "
        "factures.example.fr is the public name in test and in prod\n"
        "  hint: leave the domain out, or give each environment its own in `run:`"
    )


@pytest.mark.skipif(not (COMPTOIR / "ecluse.yaml").exists(), reason="the example is not there")
def test_the_example_has_no_problem() -> None:
    configuration = load(open_workspace(COMPTOIR))
    assert check(configuration, MemorySecrets({"DEMO_PASSWORD": "x"}), MemoryVault()) == ((), ())
