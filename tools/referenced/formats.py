"""The reference of ecluse.yaml, service.yaml and layers, made from their schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ecluse.config.json_schema import shape_schema
from ecluse.config.schema.layer import SharedLayerText
from ecluse.config.schema.product import ProductText
from ecluse.config.schema.service import ServiceText

Schema = Mapping[str, Any]
NOTE = "<!-- written by tools/reference: change the schema or its words (config/schema), then run it -->"
HEADS = {
    "ecluse-yaml": (
        ProductText,
        "ecluse.yaml",
        "The product: what is delivered together, and where it runs.",
    ),
    "service-yaml": (
        ServiceText,
        "service.yaml",
        "One service, beside its Dockerfile and code. Part of its release.",
    ),
    "layers": (
        SharedLayerText,
        "Layers",
        "The files under `config/`: `common.yaml`, `domains/<domain>.yaml`, `services/<service>.yaml`, and the same\n"
        "under `environments/<environment>/`. The most specific wins; maps merge, lists replace, `null` deletes.\n"
        "A file of one service has no `services`. What `run` says may be a reference: `${app.KEY}`. Each file may\n"
        "have an encrypted twin, `….sops.yaml`, for the secrets under `app`.",
    ),
}
TYPES = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "true or false",
    "object": "map",
}


def pages() -> Iterator[tuple[str, str]]:
    """Name and text of each page."""
    for name, (shape, title, head) in HEADS.items():
        schema = shape_schema(shape, references=False)
        lines = [f"# {title}\n\n{NOTE}\n\n{head}\n", *_Page(schema["$defs"]).sections(schema, "")]
        yield name, "\n".join(lines)


@dataclass
class _Page:
    """Sections in the order in which they are met; each shape once, where it is met first."""

    shapes: Mapping[str, Schema]
    titles: dict[str, str] = field(default_factory=dict)

    def sections(self, schema: Schema, path: str) -> Iterator[str]:
        waiting: list[tuple[Schema, str]] = [(schema, path)]
        while waiting:
            schema, path = waiting.pop(0)
            if path:
                yield f"## `{path}`\n"
            below = self.below(schema, path)
            yield from self.table(schema)
            waiting = below + waiting

    def below(self, schema: Schema, path: str) -> list[tuple[Schema, str]]:
        found = []
        for key, value in _properties(schema):
            for name, inner in _shapes_in(value, f"{path}.{key}".lstrip(".")):
                if name not in self.titles:
                    self.titles[name] = inner
                    found.append((self.shapes[name], inner))
        return found

    def table(self, schema: Schema) -> Iterator[str]:
        required = schema.get("required", [])
        yield "| key | value | without it | meaning |\n|---|---|---|---|"
        for key, value in _properties(schema):
            without = "must be given" if key in required else _default(value)
            yield f"| `{key}` | {self.words(value)} | {without} | {value.get('description', '')} |"
        yield ""

    def words(self, schema: Schema) -> str:
        """What may be written."""
        if "$ref" in schema:
            return f"a map: `{self.titles[_name(schema)]}`"
        if "anyOf" in schema:
            kinds = [self.words(one) for one in schema["anyOf"] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
        if "const" in schema:
            return f"`{schema['const']}`"
        if "enum" in schema:
            return ", ".join(f"`{one}`" for one in schema["enum"])
        if schema.get("type") == "array":
            return f"a list: {self.words(schema.get('items', {}))}"
        if inner := _values(schema):
            return f"name → {self.words(inner)}"
        return _plain(schema)


def _properties(schema: Schema) -> Iterator[tuple[str, Schema]]:
    yield from schema.get("properties", {}).items()
    free = schema.get("additionalProperties")
    if isinstance(free, dict) and "properties" in schema:
        yield (
            "PROCESS",
            {**free, "description": "the fields of a process of that name; `*` for every process"},
        )


def _shapes_in(schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    if "$ref" in schema:
        yield _name(schema), path
    for one in schema.get("anyOf", []):
        yield from _shapes_in(one, path)
    if inner := _values(schema):
        yield from _shapes_in(inner, f"{path}.NAME")
    if isinstance(schema.get("items"), dict):
        yield from _shapes_in(schema["items"], path)


def _values(schema: Schema) -> Schema | None:
    for free in (*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")):
        if isinstance(free, dict):
            return free
    return None


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _plain(schema: Schema) -> str:
    kind = schema.get("type")
    words = (
        " or ".join(TYPES[one] for one in (kind if isinstance(kind, list) else [kind]) if one) or "anything"
    )
    if examples := [one for one in schema.get("examples", []) if one]:
        words += " like " + ", ".join(f"`{one}`" for one in examples)
    bounds = [
        f"{word} {schema[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in schema
    ]
    return " ".join([words, *bounds])


def _default(schema: Schema) -> str:
    if "default" not in schema or schema["default"] in ({}, []):
        return ""
    value = schema["default"]
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"
