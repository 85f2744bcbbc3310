from __future__ import annotations

import pytest

from ecluse.config.merge import overlay
from ecluse.model.service import Plain
from tests.unit.config.product_folder import ProductFolder

LAYERS = (
    "common",
    "domains/billing",
    "services/invoicing",
    "environments/test/common",
    "environments/test/domains/billing",
    "environments/test/services/invoicing",
)
NAMES = (
    "common",
    "domain billing",
    "service invoicing",
    "environment test",
    "environment test, domain billing",
    "environment test, service invoicing",
)


@pytest.mark.parametrize("count", range(7))
def test_the_most_specific_layer_wins_and_remembers_all_that_it_beats(
    product: ProductFolder, count: int
) -> None:
    product.invoicing(config="KEY: {default: contract default}")
    for layer, name in list(zip(LAYERS, NAMES, strict=True))[:count]:
        product.layer(layer, f"app:\n  KEY: {name}\n")
    setting = product.setting("KEY")
    expected = ["contract default", *NAMES[:count]][::-1]
    assert setting.text == expected[0]
    assert setting.origin.layer == expected[0]
    assert [one.shown for one in setting.beaten] == expected[1:]
    assert [one.origin.layer for one in setting.beaten] == expected[1:]


def test_a_winner_knows_its_file_and_line(product: ProductFolder) -> None:
    product.invoicing(config="KEY: {default: x}").layer("common", "app:\n  OTHER: y\n  KEY: z\n")
    setting = product.setting("KEY")
    assert str(setting.origin) == "config/common.yaml:3 (common)"
    assert str(setting.beaten[0].origin) == "services/invoicing/service.yaml:6 (contract default)"


@pytest.mark.parametrize(
    ("below", "above", "result"),
    [
        ({"a": 1, "b": 2}, {"b": 3, "c": 4}, {"a": 1, "b": 3, "c": 4}),
        ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": 1}, {"a": None}, {}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}, {"a": {"c": 2}}),
        ([1, 2], [3], [3]),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1}, "text", "text"),
        ("text", {"a": 1}, {"a": 1}),
        (None, {"a": None}, {}),
        ({"a": 1}, None, None),
    ],
)
def test_maps_merge_lists_replace_and_null_deletes(below: Plain, above: Plain, result: Plain) -> None:
    assert overlay(below, above) == result


def test_maps_of_a_key_merge_through_the_layers(product: ProductFolder) -> None:
    product.invoicing(config="KEY: {type: json, default: {a: 1, b: {c: 2}}}")
    product.layer("common", "app: {KEY: {b: {d: 3}}}").layer(
        "environments/test/common", "app: {KEY: {a: null}}"
    )
    assert product.setting("KEY").text == '{"b":{"c":2,"d":3}}'
    assert product.setting("KEY", "prod").text == '{"a":1,"b":{"c":2,"d":3}}'


def test_null_deletes_the_default_too(product: ProductFolder) -> None:
    product.invoicing(config="KEY: {default: x}").layer("environments/test/common", "app: {KEY: null}")
    assert product.values("test") == {}
    assert product.values("prod") == {"KEY": "x"}


def test_a_required_key_that_null_deletes_is_told_where(product: ProductFolder) -> None:
    product.invoicing(config="KEY: {default: x, required: true}")
    product.layer("environments/test/common", "\napp:\n  KEY: null\n")
    assert product.problems() == (
        "services/invoicing/service.yaml:6: config.KEY: has no value in environment test\n"
        "  hint: null in config/environments/test/common.yaml:2 (environment test) removes it"
    )


def test_a_value_after_a_null_counts_again(product: ProductFolder) -> None:
    product.invoicing(config="KEY: {default: x}")
    product.layer("common", "app: {KEY: null}").layer("services/invoicing", "app: {KEY: z}")
    setting = product.setting("KEY")
    assert (setting.text, [one.shown for one in setting.beaten]) == ("z", ["null", "x"])


def test_a_star_speaks_of_every_process(product: ProductFolder) -> None:
    product.invoicing().write(
        "services/accounting/service.yaml", "service: accounting\nprocesses: {web: {port: 80}, worker: {}}\n"
    )
    product.layer("common", 'run: {"*": {memory: 64Mi}}')
    processes = product.application(service="accounting").processes
    assert {name: one.memory for name, one in processes.items()} == {"web": 67_108_864, "worker": 67_108_864}


def test_within_a_layer_the_name_of_a_process_beats_the_star(product: ProductFolder) -> None:
    product.layer("common", 'run: {web: {replicas: 3}, "*": {replicas: 2, cpu: 200m}}')
    web = product.application().processes["web"]
    assert (web.replicas, web.cpu) == (3, 200)


def test_a_star_of_a_more_specific_layer_beats_a_name(product: ProductFolder) -> None:
    product.layer("common", "run: {web: {replicas: 3}}").layer(
        "services/invoicing", 'run: {"*": {replicas: 5}}'
    )
    application = product.application()
    assert application.processes["web"].replicas == 5
    assert application.origins is not None
    assert application.origins["run.web.replicas"].layer == "service invoicing"


def test_fields_of_a_probe_merge(product: ProductFolder) -> None:
    product.layer("environments/test/common", "run: {web: {probe: {deadline: 2m}}}")
    probe = product.application().processes["web"].probe
    assert (probe.path, probe.deadline) == ("/health", 120.0)


def test_a_cron_is_switched_off_with_a_reason(product: ProductFolder) -> None:
    product.invoicing(more='crons: {reminders: {schedule: "0 6 * * *", command: [x]}}\n')
    product.layer(
        "environments/prod/services/invoicing",
        "run: {crons: {reminders: {enabled: false, reason: sent by the old side until July}}}",
    )
    cron = product.application("prod").crons["reminders"]
    assert (cron.enabled, cron.reason, cron.schedule, cron.command) == (
        False,
        "sent by the old side until July",
        "0 6 * * *",
        ("x",),
    )
    assert product.application("test").crons["reminders"].enabled
