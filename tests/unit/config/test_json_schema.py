"""The JSON Schemas are valid, accept what Écluse accepts, and complain where an editor should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from ecluse.config.document import read_document
from ecluse.config.json_schema import layer_schema, product_schema, service_schema, shared_schema
from ecluse.config.load import load
from ecluse.config.schema.layer import SharedLayerText
from ecluse.config.schema.product import ProductText
from ecluse.config.schema.service import ServiceText
from ecluse.config.schema.words import WORDS
from ecluse.config.workspace import open_workspace
from ecluse.model.names import ServiceName
from tests.unit.config.product_folder import ProductFolder

ROOT = Path(__file__).parents[3]
COMPTOIR = ROOT / "examples" / "comptoir"
BROKEN = ROOT / "tests" / "broken"
INVOICING = ServiceName("invoicing")
CONTRACT = """
HOST: {pattern: "[a-z.]+", description: Where mail goes}
DAYS: {type: integer, deprecated: no longer read}
URL: {type: url}
MAIL: {type: email}
AFTER: {type: duration}
ROOM: {type: size}
ON: {type: boolean}
RATE: {type: number}
LEVEL: {choices: [info, debug]}
NAMES: {type: list}
TREE: {type: json}
TOKEN: {secret: true}
"""


def accepts(schema: dict[str, Any], text: str) -> bool:
    return Draft202012Validator(schema).is_valid(read_document(text, "x").value)


@pytest.fixture
def schema(product: ProductFolder) -> dict[str, Any]:
    product.invoicing(config=CONTRACT)
    return layer_schema(product.load(), INVOICING)


def test_every_schema_is_one_of_its_dialect() -> None:
    configuration = load(open_workspace(COMPTOIR))
    every = [product_schema(), service_schema(), shared_schema(configuration)]
    every += [layer_schema(configuration, name) for name in configuration.services]
    every += [shared_schema(configuration, "accounting")]
    for schema in every:
        Draft202012Validator.check_schema(schema)
        assert "x-referable" not in str(schema)


def test_the_files_of_the_example_are_accepted() -> None:
    configuration = load(open_workspace(COMPTOIR))
    for file, document in open_workspace(COMPTOIR).documents.items():
        parts = Path(file).with_suffix("").parts
        if file == "ecluse.yaml":
            schema = product_schema()
        elif file.endswith("service.yaml"):
            schema = service_schema()
        elif parts[-2] == "services":
            schema = layer_schema(configuration, ServiceName(parts[-1]))
        else:
            schema = shared_schema(configuration, parts[-1] if parts[-2] == "domains" else None)
        assert not list(Draft202012Validator(schema).iter_errors(document.value)), file


SHAPED = [
    "unknown-key", "port-as-text", "environment-without-domain", "process-unknown-key", "contract-type-unknown",
    "cpu-with-a-unit-that-is-none", "memory-without-a-unit", "unknown-engine", "probe-as-text", "drain-without-a-unit",
    "file-mode-not-quoted", "deliver-with-an-unknown-format", "cron-schedule-with-six-fields", "service-key-missing",
    "contract-key-in-small-letters", "process-name-with-underscore", "tls-mode-unknown", "product-name-with-capitals",
]  # fmt: skip


@pytest.mark.parametrize("name", SHAPED)
def test_an_editor_sees_what_is_wrong_with_the_shape_of_a_broken_product(name: str) -> None:
    workspace = open_workspace(BROKEN / name)
    told = [
        error
        for file, document in workspace.documents.items()
        for schema in [product_schema() if file == "ecluse.yaml" else service_schema()]
        if not file.startswith("config/")
        for error in Draft202012Validator(schema).iter_errors(document.value)
    ]
    assert told


@pytest.mark.parametrize(
    "text",
    [
        "{}", "app:", "app: {HOST: mail.example.fr, DAYS: 3, URL: 'http://x', MAIL: a@b, AFTER: 30s, ROOM: 1Gi}",
        "app: {ON: true, RATE: 0.5, LEVEL: info, NAMES: [a, 1], TREE: {a: [null]}}",
        "app: {HOST: null, DAYS: '${app.X}', ON: '${app.X}', TOKEN: '${backing.db.password}'}",
        "run: {web: {replicas: 2, memory: 64Mi}, '*': {cpu: 0.5}, crons: {}}",
        "run: {web: {replicas: '${run.web.replicas}', memory: null}}",
        "reasons: {app.DAYS: why}",
    ],
)  # fmt: skip
def test_a_layer_of_a_service_may_say_this(schema: dict[str, Any], text: str) -> None:
    assert accepts(schema, text)


@pytest.mark.parametrize(
    "text",
    [
        "app: {HOTS: x}", "app: {HOST: 'A B'}", "app: {DAYS: three}", "app: {URL: x}", "app: {MAIL: x}", "app: {AFTER: 30}",
        "app: {ROOM: 1}", "app: {ON: 'yes'}", "app: {RATE: x}", "app: {LEVEL: loud}", "app: {NAMES: x}", "app: {TOKEN: x}",
        "run: {wbe: {replicas: 2}}", "run: {web: {replica: 2}}", "run: {web: {replicas: two}}", "rnu: {}", "reasons: {app.DAYS: ''}",
        "services: {}",
    ],
)  # fmt: skip
def test_a_layer_of_a_service_may_not_say_this(schema: dict[str, Any], text: str) -> None:
    assert not accepts(schema, text)


def test_an_editor_can_show_what_a_key_is_for_and_that_it_is_old(schema: dict[str, Any]) -> None:
    keys = schema["properties"]["app"]["anyOf"][0]["properties"]
    assert keys["HOST"]["description"] == "Where mail goes"
    assert keys["DAYS"]["deprecated"] is True
    assert keys["TOKEN"]["description"].startswith("a secret: `ecluse secrets set TOKEN`")


def test_a_shared_layer_knows_the_keys_of_all_and_the_services_one_by_one(product: ProductFolder) -> None:
    product.invoicing(config="DAYS: {type: integer}")
    product.write(
        "services/accounting/service.yaml", "service: accounting\nconfig: {DAYS: {}, ROOM: {type: size}}\n"
    )
    schema = shared_schema(product.load())
    assert accepts(schema, "app: {DAYS: 3, ROOM: 1Gi}\nservices: {invoicing: {app: {DAYS: 3}}}")
    assert accepts(schema, "app: {DAYS: three}")
    assert not accepts(schema, "app: {DAY: 3}")
    assert not accepts(schema, "services: {invoicing: {app: {ROOM: 1Gi}}}")
    assert not accepts(schema, "services: {payroll: {}}")
    assert not accepts(shared_schema(product.load(), "billing"), "app: {ROOM: 1Gi}")


def test_every_key_of_the_files_has_its_meaning_in_words() -> None:
    """A key without words: add them to config/schema/words.py, then run tools/reference."""
    missing = {
        f"{shape.__name__}.{name}"
        for shape in shapes(ProductText, ServiceText, SharedLayerText)
        for name in shape.model_fields
        if name not in WORDS.get(shape.__name__, {})
    }
    assert not missing


def shapes(*roots: type[BaseModel]) -> set[type[BaseModel]]:
    found: set[type[BaseModel]] = set()
    waiting = list(roots)
    while waiting:
        shape = waiting.pop()
        if shape not in found:
            found.add(shape)
            names = shape.model_json_schema().get("$defs", {})
            waiting += [one for one in every_shape() if one.__name__ in names]
    return found


def every_shape() -> list[type[BaseModel]]:
    from ecluse.config.schema import layer, product, service

    return [
        item
        for module in (layer, product, service)
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, BaseModel)
    ]
