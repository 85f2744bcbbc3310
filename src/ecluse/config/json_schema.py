"""JSON Schemas (draft 2020-12) of the files that people write, so that editors complete and check them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from ecluse.config.load import Configuration
from ecluse.config.schema.fields import REFERABLE
from ecluse.config.schema.layer import ServiceLayerText, SharedLayerText
from ecluse.config.schema.product import ProductText
from ecluse.config.schema.service import ServiceText
from ecluse.config.schema.words import WORDS
from ecluse.model.names import ServiceName
from ecluse.model.service import ContractKey, ServiceSpec, ValueType

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

_REFERENCE: Schema = {"type": "string", "pattern": r"\$\{[^{}]+\}"}
_NULL: Schema = {"type": "null"}
_DURATION = r"^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+(\.[0-9]+)?s)?([0-9]+ms)?$"
_PYTHON_ONLY = re.compile(r"\(\?[^:=!]|\\[AZ]|[*+?}]\+")
_TYPES: Mapping[ValueType, Schema] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "url": {"type": "string", "pattern": r"^[A-Za-z][A-Za-z0-9+.-]*://\S+$"},
    "email": {"type": "string", "pattern": r"^[^@\s,]+@[^@\s,]+$"},
    "duration": {"type": "string", "pattern": _DURATION},
    "size": {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)$"},
    "choice": {"type": "string"},
    "list": {"type": "array", "items": {"type": ["string", "number", "boolean"]}},
    "json": {},
}


def product_schema() -> Schema:
    """Of ecluse.yaml."""
    return _titled(shape_schema(ProductText, references=False), "ecluse.yaml")


def service_schema() -> Schema:
    """Of a service.yaml."""
    return _titled(shape_schema(ServiceText, references=False), "service.yaml")


def layer_schema(configuration: Configuration, service: ServiceName) -> Schema:
    """Of the layers of one service: its own keys and processes."""
    spec = configuration.services[service]
    schema = _titled(shape_schema(ServiceLayerText, references=True), f"a layer of {service}")
    schema["properties"]["app"] = _keys([spec])
    schema["$defs"]["RunText"] = _run(schema["$defs"]["RunText"], [spec])
    return schema


def shared_schema(configuration: Configuration, domain: str | None = None) -> Schema:
    """Of the layers that speak to several services: all of the product, or those of a domain."""
    product = configuration.product
    specs = {
        name: spec
        for name, spec in configuration.services.items()
        if domain in (None, product.services[name].domain)
    }
    title = f"a layer of domain {domain}" if domain else "a layer for every service"
    schema = _titled(shape_schema(SharedLayerText, references=True), title)
    schema["properties"]["app"] = _keys(specs.values())
    own = {name: _own(schema["$defs"]["ServiceLayerText"], spec) for name, spec in specs.items()}
    services = {"type": "object", "properties": own, "additionalProperties": False}
    schema["properties"]["services"] = {
        "anyOf": [services, _NULL],
        "description": WORDS["SharedLayerText"]["services"],
    }
    return schema


def _own(layer: Schema, spec: ServiceSpec) -> Schema:
    own = {**layer, "properties": {**layer["properties"], "app": _keys([spec])}}
    return {"anyOf": [own, _NULL]}


def _run(run: Schema, specs: Collection[ServiceSpec]) -> Schema:
    """Only the processes and crons that there are."""
    process = run["additionalProperties"]
    names = {name for spec in specs for name in spec.processes}
    return {
        **run,
        "properties": {**run["properties"], **dict.fromkeys(["*", *sorted(names)], process)},
        "additionalProperties": False,
    }


def _keys(specs: Collection[ServiceSpec]) -> Schema:
    declared: dict[str, list[ContractKey]] = {}
    for spec in specs:
        for name, key in spec.config.items():
            declared.setdefault(name, []).append(key)
    properties = {name: _value(keys) for name, keys in declared.items()}
    return {"anyOf": [{"type": "object", "properties": properties, "additionalProperties": False}, _NULL]}


def _value(keys: list[ContractKey]) -> Schema:
    """What a layer may give for a key: its value, a reference, or null, which removes it."""
    if any(key.secret for key in keys):
        words = f"a secret: `ecluse secrets set {keys[0].name}`; a plain file may only refer to one"
        return {"anyOf": [{"type": "string", "pattern": r"^(\$\{[^{}]+\})?$"}, _NULL], "description": words}
    fitting = [_fitting(key) for key in keys]
    distinct = [schema for at, schema in enumerate(fitting) if schema not in fitting[:at]]
    value: Schema = {"anyOf": [*distinct, _REFERENCE, _NULL]}
    if text := next((key.description for key in keys if key.description), None):
        value["description"] = text
    if any(key.deprecated or key.replaced_by for key in keys):
        value["deprecated"] = True
    return value


def _fitting(key: ContractKey) -> Schema:
    if key.choices:
        return {"enum": list(key.choices)}
    schema = dict(_TYPES[key.type])
    if key.pattern and schema.get("type") == "string" and not _PYTHON_ONLY.search(key.pattern):
        schema["pattern"] = f"^(?:{key.pattern})$"
    return schema


def _titled(schema: Schema, title: str) -> Schema:
    return {"$schema": DIALECT, "title": title, **schema}


def shape_schema(shape: type[BaseModel], *, references: bool) -> Schema:
    """Of one shape, with what its keys mean. `references`: whether values may be references."""
    raw = _raw(shape)
    schema: Schema = _cleaned(_worded(raw, shape.__name__), references=references)
    schema["$defs"] = {
        name: _cleaned(_worded(inner, name), references=references)
        for name, inner in raw.get("$defs", {}).items()
    }
    return schema


@lru_cache(maxsize=8)
def _raw(shape: type[BaseModel]) -> Schema:
    return shape.model_json_schema()


def _worded(schema: Schema, name: str) -> Schema:
    """The schema of a shape with what each of its keys means."""
    words = WORDS.get(name, {})
    properties = {
        key: {**value, "description": words[key]} if key in words else value
        for key, value in schema.get("properties", {}).items()
    }
    rest = {key: value for key, value in schema.items() if key not in ("$defs", "description", "title")}
    return {**rest, "properties": properties}


def _cleaned(node: Any, *, references: bool) -> Any:
    if isinstance(node, list):
        return [_cleaned(item, references=references) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: _cleaned(value, references=references)
        for key, value in node.items()
        if not _is_noise(key, value)
    }
    if "patternProperties" in kept:
        kept.setdefault("additionalProperties", False)
        kept.pop("propertyNames", None)
    if kept.pop(REFERABLE, False) and references:
        words = kept.pop("description", None)
        kept = {"anyOf": [kept, _REFERENCE]} | ({"description": words} if words else {})
    return kept


def _is_noise(key: str, value: object) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "default" and value is None)
