"""Reads and edits ecluse.yaml as far as a new service needs it; comments, order and quotes stay."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from ecluse.errors import ConfigInvalid, Location, Problem


@dataclass(frozen=True, slots=True)
class ProductFile:
    """The product's name, and what each name that is taken stands for."""

    name: str
    taken: Mapping[str, str]


def read_product(path: Path) -> ProductFile:
    """Raises ConfigInvalid when the file is no map. A service that is only listed is not taken yet."""
    document = _load(path)
    backing = dict.fromkeys(_keys(document, "backing"), "backing service")
    services = document.get("services") or {}
    elsewhere = {
        name: "service in a repository of its own"
        for name in _keys(document, "services")
        if isinstance(services[name], dict) and services[name].get("repository")
    }
    return ProductFile(str(document.get("product", "")), backing | elsewhere)


def add_service(path: Path, name: str, domain: str) -> None:
    """Puts `name` under `domain` in the file, atomically."""
    document = _load(path)
    if not isinstance(document.get("services"), dict):
        _insert_services(document)
    entry = document["services"].get(name)
    if isinstance(entry, dict):
        entry["domain"] = domain
    else:
        document["services"][name] = _flow({"domain": domain})
    text = io.StringIO()
    _yaml().dump(document, text)
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text.getvalue(), encoding="utf-8")
    beside.replace(path)


def _insert_services(document: CommentedMap) -> None:
    if "services" in document:
        document["services"] = CommentedMap()
    else:
        document.insert(1, "services", CommentedMap())


def _flow(values: Mapping[str, str]) -> CommentedMap:
    entry = CommentedMap(values)
    entry.fa.set_flow_style()
    return entry


def _keys(document: Mapping[str, Any], key: str) -> list[str]:
    found = document.get(key)
    return [str(name) for name in found] if isinstance(found, dict) else []


def _load(path: Path) -> CommentedMap:
    try:
        document = _yaml().load(path.read_text(encoding="utf-8"))
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        location = Location(path.name, mark.line + 1 if mark else 0)
        reason = getattr(error, "problem", None) or "is no YAML"
        raise ConfigInvalid([Problem(location, "", str(reason))]) from error
    if not isinstance(document, CommentedMap):
        raise ConfigInvalid([Problem(Location(path.name), "", "must be a map that begins with product:")])
    return document


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    return yaml
