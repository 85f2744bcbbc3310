"""The list of crons is the same in every environment; where it differs, there is a reason."""

from __future__ import annotations

import pytest

from tests.unit.config.product_folder import ProductFolder

OWN = "environments/prod/services/invoicing"
HINT = "  hint: differences need a reason: write `reason: …` beside it"


@pytest.fixture
def crons(product: ProductFolder) -> ProductFolder:
    return product.invoicing(more='crons: {mail: {schedule: "0 6 * * *", command: [x], timeout: 5m}}\n')


def says(crons: ProductFolder, text: str, *, layer: str = OWN) -> str:
    return crons.layer(layer, f"run: {{crons: {{mail: {text}}}}}").problems()


def test_policies_come_from_service_yaml_and_from_layers(product: ProductFolder) -> None:
    product.invoicing(
        more='crons: {mail: {schedule: "0 6 * * *", command: [x], overlap: queue, missed: skip}}\n'
    )
    product.layer(OWN, "run: {crons: {mail: {overlap: skip, missed: once, timeout: 1m}}}")
    test, prod = (product.application(name).crons["mail"] for name in ("test", "prod"))
    assert (test.overlap, test.missed, test.timeout) == ("queue", "skip", 3600.0)
    assert (prod.overlap, prod.missed, prod.timeout) == ("skip", "once", 60.0)


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("{enabled: false}", "enabled", "switched off"),
        ('{schedule: "0 7 * * *"}', "schedule", "rescheduled"),
        ("{timezone: Europe/Paris}", "timezone", "rescheduled"),
        ('{enabled: false, reason: "  "}', "enabled", "switched off"),
    ],
)
def test_a_difference_without_a_reason_is_an_error(
    crons: ProductFolder, text: str, field: str, words: str
) -> None:
    assert says(crons, text) == (
        f"config/{OWN}.yaml:1: run.crons.mail.{field}: is {words} in prod without a reason\n{HINT}"
    )


@pytest.mark.parametrize(
    "text",
    [
        "{enabled: false, reason: sent by the old side until July}",
        '{schedule: "0 7 * * *", timezone: Europe/Paris, reason: the bank opens later}',
        "{enabled: true}",
        '{schedule: "0 6 * * *", timezone: UTC}',
        "{timeout: 2m, overlap: queue, missed: skip}",
    ],
)
def test_a_reason_or_no_difference_is_fine(crons: ProductFolder, text: str) -> None:
    assert says(crons, text) == ""


def test_what_holds_in_every_environment_is_no_difference(crons: ProductFolder) -> None:
    assert says(crons, "{enabled: false}", layer="common") == ""
    assert says(crons, "{enabled: false}") == ""


def test_an_environment_that_runs_what_the_others_do_not_says_why(crons: ProductFolder) -> None:
    says(crons, "{enabled: false, reason: not before July}", layer="common")
    assert "run.crons.mail.enabled: is switched on in prod without a reason" in says(crons, "{enabled: true}")


def test_a_reason_may_stand_in_another_layer_of_the_environment(crons: ProductFolder) -> None:
    crons.layer("environments/prod/common", "run: {crons: {mail: {reason: a rehearsal}}}")
    assert says(crons, "{enabled: false}") == ""
