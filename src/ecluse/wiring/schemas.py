"""JSON Schemas of a product's files, one by one or all of them in a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from ecluse.errors import NotFound, nearest
from ecluse.wiring.product import OpenProduct

KINDS = (
    "ecluse.yaml",
    "service.yaml",
    "config/common.yaml",
    "config/services/NAME.yaml",
    "config/domains/NAME.yaml",
)


def schema_of(product: OpenProduct, file: str) -> dict[str, Any]:
    """The schema of a file, by its path in the product; NotFound when no file of that name has one."""
    from ecluse.config.json_schema import layer_schema, product_schema, service_schema, shared_schema

    parts = list(PurePosixPath(file).with_suffix("").parts)
    if parts[-1:] in (["ecluse"], ["service"]):
        return product_schema() if parts == ["ecluse"] else service_schema()
    if parts[:2] == ["config", "environments"]:
        parts = ["config", *parts[3:]]
    match parts:
        case ["config", "common"]:
            return shared_schema(product.configuration)
        case ["config", "services", name]:
            service = product.service(name)
            if service not in product.configuration.services:
                raise NotFound(f"{name} is in another repository: its contract is not here")
            return layer_schema(product.configuration, service)
        case ["config", "domains", name] if name in _domains(product):
            return shared_schema(product.configuration, name)
    raise NotFound(f"{file} has no schema", hint=nearest(file, KINDS))


def write_schemas(product: OpenProduct, folder: Path) -> dict[str, list[str]]:
    """Writes every schema; gives each one's path with the files that it is for (globs)."""
    found = {}
    for name, file, globs in _files(product):
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(schema_of(product, file), indent=2, ensure_ascii=False) + "\n"
        path.write_text(text, "utf-8")
        found[str(path)] = globs
    return found


def _files(product: OpenProduct) -> Iterator[tuple[str, str, list[str]]]:
    yield "ecluse", "ecluse.yaml", ["ecluse.yaml"]
    folders = [folder for folder in product.workspace.folders.values() if not folder.startswith("services/")]
    yield "service", "service.yaml", ["services/*/service.yaml", *(f"{one}/service.yaml" for one in folders)]
    yield "common", "config/common.yaml", ["config/common.yaml", "config/environments/*/common.yaml"]
    for domain in sorted(_domains(product)):
        yield f"domains/{domain}", f"config/domains/{domain}.yaml", _everywhere(f"domains/{domain}.yaml")
    for service in sorted(product.configuration.services):
        yield (
            f"services/{service}",
            f"config/services/{service}.yaml",
            _everywhere(f"services/{service}.yaml"),
        )


def _everywhere(path: str) -> list[str]:
    return [f"config/{path}", f"config/environments/*/{path}"]


def _domains(product: OpenProduct) -> set[str]:
    return {entry.domain for entry in product.product.services.values() if entry.domain}
