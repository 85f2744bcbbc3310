"""The REST interface of a Hesperides, on a port of this machine. It reads only; accounts and roles are real."""

from __future__ import annotations

import base64
import copy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.hesperides.generate import MASK, GoesRound, Level, generate, model, valued

ACCOUNTS = {"prod-user": ("s3cret-prod", True), "developer": ("s3cret-dev", False)}


@dataclass
class Hesperides:
    """What it holds. platforms: name → its document, with `globals` and `values` (properties_path → values)."""

    application: str = "SHOP"
    platforms: dict[str, dict[str, Any]] = field(default_factory=dict)
    modules: dict[str, dict[str, Any]] = field(default_factory=dict)
    technos: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def techno(self, name: str, version: str, *templates: dict[str, Any]) -> dict[str, Any]:
        self.technos[f"{name}/{version}/release"] = list(templates)
        return {"name": name, "version": version, "working_copy": False}

    def module(
        self, name: str, *templates: dict[str, Any], version: str = "1.0", technos: tuple[Any, ...] = ()
    ) -> dict[str, Any]:
        key = {"name": name, "version": version, "working_copy": False}
        self.modules[f"{name}/{version}/release"] = {
            "document": {**key, "technos": list(technos), "version_id": 1},
            "templates": list(templates),
        }
        return key

    def platform(
        self,
        name: str,
        *deployed: dict[str, Any],
        version: str = "7",
        production: bool = False,
        **globals_: str,
    ) -> None:
        self.platforms[name] = {
            "document": {
                "platform_name": name,
                "application_name": self.application,
                "application_version": version,
                "production": production,
                "version_id": 2,
                "modules": [one["document"] for one in deployed],
            },
            "globals": {name.replace("__", "."): value for name, value in globals_.items()},
            "values": {one["document"]["properties_path"]: one["values"] for one in deployed},
        }

    # reading

    def find(self, name: str) -> dict[str, Any]:
        return next(one for key, one in self.platforms.items() if key.lower() == name.lower())

    def level(self, key: str) -> tuple[Level, list[dict[str, Any]]]:
        templates = []
        for techno in self.modules[key]["document"]["technos"]:
            templates += self.technos[f"{techno['name']}/{techno['version']}/release"]
        templates += self.modules[key]["templates"]
        return model(templates), templates

    def properties(self, platform: dict[str, Any], path: str, *, hidden: bool) -> dict[str, Any]:
        if path == "#":
            return {
                "properties_version_id": 1,
                "key_value_properties": pairs(platform["globals"]),
                "iterable_properties": [],
            }
        values = copy.deepcopy(platform["values"][path])
        document = next(one for one in platform["document"]["modules"] if one["properties_path"] == path)
        if hidden and platform["document"]["production"]:
            level, _ = self.level(f"{document['name']}/{document['version']}/release")
            mask(values, level)
        return {
            "properties_version_id": 1,
            "key_value_properties": pairs(values),
            "iterable_properties": lists(values),
        }

    def files(
        self, platform: dict[str, Any], document: dict[str, Any], instance: str, *, hidden: bool
    ) -> list[Any]:
        """Location, filename, rights, text of each file, the technos' first."""
        level, templates = self.level(f"{document['name']}/{document['version']}/release")
        module = copy.deepcopy(platform["values"][document["properties_path"]])
        if hidden and platform["document"]["production"]:
            mask(module, level)
        given = next(
            (one["key_values"] for one in document["instances"] if one["name"].lower() == instance.lower()),
            [],
        )
        groups = document["path"].split("#")[1:]
        predefined = {
            "hesperides.application.name": self.application,
            "hesperides.application.version": platform["document"]["application_version"],
            "hesperides.platform.name": platform["document"]["platform_name"],
            "hesperides.module.name": document["name"],
            "hesperides.module.version": document["version"],
            "hesperides.module.path.full": document["path"].replace("#", "/"),
            "hesperides.instance.name": instance,
            **{f"hesperides.module.path.{index}": group for index, group in enumerate(groups)},
        }
        values = valued(
            level, platform["globals"], module, {one["name"]: one["value"] for one in given}, predefined
        )
        return [
            (
                one,
                generate(one["location"], level, values),
                generate(one["filename"], level, values),
                generate(one["content"], level, values),
            )
            for one in templates
        ]


def template(
    name: str, content: str, *, filename: str = "", location: str = "/etc/app", rights: Any = None
) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": "",
        "filename": filename or name,
        "location": location,
        "content": content,
        "rights": rights or {"user": {}, "group": {}},
        "version_id": 1,
    }


def deployed(
    key: dict[str, Any],
    values: dict[str, Any] | None = None,
    *,
    path: str = "#WEB",
    **instances: dict[str, str],
) -> dict[str, Any]:
    """A module in a platform. Iterables are lists of maps; `_title` is the title of an item."""
    document = {
        "id": 1,
        "properties_version_id": 0,
        **key,
        "path": path,
        "properties_path": f"{path}#{key['name']}#{key['version']}#RELEASE",
        "instances": [{"name": name, "key_values": pairs(given)} for name, given in instances.items()],
    }
    return {"document": document, "values": values or {}}


def pairs(values: dict[str, Any]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items() if isinstance(value, str)]


def lists(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "iterable_valorisation_items": [
                {
                    "title": item.get("_title", ""),
                    "values": [
                        *pairs({key: one for key, one in item.items() if key != "_title"}),
                        *lists(item),
                    ],
                }
                for item in value
            ],
        }
        for name, value in values.items()
        if isinstance(value, list)
    ]


def mask(values: dict[str, Any], level: Level) -> None:
    for name, value in values.items():
        if isinstance(value, list):
            for item in value:
                mask(item, level.inner.get(name, Level()))
        elif any(one.password for one in level.named(name)):
            values[name] = MASK


@contextmanager
def serving(hesperides: Hesperides) -> Iterator[str]:
    """Its address, while it runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hesperides.asked.append(self.path)
            answer(self, hesperides)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def answer(handler: BaseHTTPRequestHandler, hesperides: Hesperides) -> None:
    account = login(handler.headers.get("Authorization", ""))
    if account is None:
        return reply(handler, 401, {"error": "Unauthorized"})
    parts = urlsplit(handler.path)
    words = [unquote(word) for word in parts.path.strip("/").split("/")]
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    try:
        found = look_up(hesperides, words, query, hidden=not ACCOUNTS[account][1])
    except (KeyError, StopIteration, ValueError, IndexError):
        return reply(handler, 404, {"error": "Not Found"})
    except GoesRound:
        return reply(handler, 500, {"error": "Infinite loop due to self-referencing property or template"})
    reply(handler, 200, found)


def login(header: str) -> str | None:
    kind, _, text = header.partition(" ")
    if kind != "Basic":
        return None
    user, _, password = base64.b64decode(text).decode().partition(":")
    return user if user in ACCOUNTS and ACCOUNTS[user][0] == password else None


def look_up(hesperides: Hesperides, words: list[str], query: dict[str, str], *, hidden: bool) -> Any:
    match words[1:]:
        case ["applications", name] if name.lower() == hesperides.application.lower():
            platforms = [one["document"] for one in hesperides.platforms.values()]
            return {"name": hesperides.application, "platforms": platforms, "directoryGroups": {}}
        case ["applications", _, "platforms", platform]:
            return hesperides.find(platform)["document"]
        case ["applications", _, "platforms", platform, "properties"]:
            return hesperides.properties(hesperides.find(platform), query["path"], hidden=hidden)
        case ["modules", name, version, kind]:
            return hesperides.modules[f"{name}/{version}/{kind}"]["document"]
        case ["modules", name, version, kind, "templates"]:
            return listed(hesperides.modules[f"{name}/{version}/{kind}"]["templates"])
        case ["modules", name, version, kind, "templates", wanted]:
            return chosen(hesperides.modules[f"{name}/{version}/{kind}"]["templates"], wanted)
        case ["templates", "packages", name, version, kind, "templates"]:
            return listed(hesperides.technos[f"{name}/{version}/{kind}"])
        case ["templates", "packages", name, version, kind, "templates", wanted]:
            return chosen(hesperides.technos[f"{name}/{version}/{kind}"], wanted)
        case [
            "applications",
            _,
            "platforms",
            platform,
            path,
            name,
            version,
            "instances",
            instance,
            "files",
            *rest,
        ]:
            return files(hesperides, platform, path, name, version, instance, rest, query, hidden=hidden)
    raise KeyError(words)


def files(
    hesperides: Hesperides, platform: str, path: str, name: str, version: str, instance: str, rest: list[str],
    query: dict[str, str], *, hidden: bool,
) -> Any:  # fmt: skip
    where = hesperides.find(platform)
    document = next(
        one for one in where["document"]["modules"]
        if (one["path"], one["name"], one["version"]) == (path, name, version)
    )  # fmt: skip
    exists = any(one["name"].lower() == instance.lower() for one in document["instances"])
    if not exists and query.get("simulate") != "true":
        raise KeyError(instance)
    made = hesperides.files(where, document, instance, hidden=hidden)
    if rest:
        return next(text for one, _, _, text in made if one["name"] == rest[0])
    base = "/".join(
        quote(word, safe="") for word in (platform, path, name, version, "instances", instance, "files")
    )
    return [
        {
            "name": one["name"],
            "filename": filename,
            "location": location,
            "url": f"/rest/applications/{quote(hesperides.application)}/platforms/{base}/{quote(one['name'], safe='')}"
            f"?isWorkingCopy=false&template_namespace=&simulate={query.get('simulate', 'false')}",
            "rights": {"user": "rw"},
        }
        for one, location, filename, _ in made
    ]


def listed(templates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: one[key] for key in ("name", "namespace", "filename", "location")} for one in templates]


def chosen(templates: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(one for one in templates if one["name"].lower() == name.lower())


def reply(handler: BaseHTTPRequestHandler, status: int, value: Any) -> None:
    is_text = isinstance(value, str)
    content = value.encode() if is_text else json.dumps(value).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "text/plain; charset=utf-8" if is_text else "application/json")
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
