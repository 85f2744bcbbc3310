"""A Compose file → the draft of an import. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from ecluse.errors import ConfigInvalid, Location, Problem
from ecluse.importers.compose.backing import Backing, backing_of, spoken
from ecluse.importers.compose.read import ComposeFile, Value, mapping, pairs, read_compose, shown, texts
from ecluse.importers.compose.service import Built, Tell, built
from ecluse.importers.contract import declaration, native, type_of
from ecluse.importers.dotenv import read_env
from ecluse.importers.draft import Draft, Flow, environment_service, twin
from ecluse.importers.env import Wishes
from ecluse.importers.keys import contract_keys, escaped, plain_name, plain_names
from ecluse.importers.recognise import secret_reason
from ecluse.model.service import Plain

_LOCAL = re.compile(
    r"(?<![\w.-])(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]|host\.docker\.internal)(?![\w.-])"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """environment: the one that the values are of. files: env files by the path that the Compose file names,
    None where there is none. variables: those of the `.env` beside it. has_product: whether the folder is one."""

    file: str
    text: str
    environment: str
    files: Mapping[str, str | None]
    variables: Mapping[str, str]
    folder: str
    has_product: bool
    known: frozenset[str] = frozenset()
    wishes: Wishes = field(default_factory=Wishes)


def env_files(compose: ComposeFile) -> list[str]:
    """The env files that the services of a Compose file name."""
    found: dict[str, None] = {}
    for service in mapping(compose.value.get("services")).values():
        found |= dict.fromkeys(_env_files(mapping(service)))
    return list(found)


def import_compose(asked: Asked) -> Draft:
    """Raises ConfigInvalid for what cannot be read."""
    compose = read_compose(asked.text, asked.file, asked.variables)
    services = {name: mapping(one) for name, one in mapping(compose.value.get("services")).items()}
    if not services:
        raise ConfigInvalid([Problem(Location(asked.file, 1), "services", "there are none")])
    return _Converting(asked, compose, services).everything()


def _env_files(service: Mapping[str, Value]) -> list[str]:
    listed = service.get("env_file")
    found = texts(listed)
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and isinstance(one.get("path"), str):
            found.append(str(one["path"]))
    return found


class _Converting:
    def __init__(self, asked: Asked, compose: ComposeFile, services: Mapping[str, dict[str, Value]]) -> None:
        self.asked, self.compose, self.services = asked, compose, services
        self.draft = Draft("compose")
        self.names = plain_names(services)
        found = {name: backing_of(name, self.names[name], one) for name, one in services.items()}
        self.backings = {name: one for name, one in found.items() if one}
        self.hosts: dict[str, Backing] = {host: one for one in self.backings.values() for host in one.hosts}
        self.built: dict[str, Built] = {}
        self.product: dict[str, Plain] = {}

    def everything(self) -> Draft:
        for name in sorted(self.compose.unset):
            self.draft.tell("left", f"${{{name}}}", "has no value in .env: it is empty")
        for key in self.compose.value:
            if key not in ("services", "version", "name") and not key.startswith("x-"):
                self.draft.tell("left", shown(key), "has no equivalent")
        for name, ours in self.names.items():
            if name != ours:
                self.draft.tell("changed", name, f"is {ours} here")
        for name, service in self.services.items():
            if name not in self.backings:
                self.built[name] = built(service, self.names[name], self._teller(name))
        self._product()
        for name in self.built:
            self._service(name)
        for name, backing in self.backings.items():
            self._backing(name, backing)
        return self.draft

    def _teller(self, name: str) -> Tell:
        def tell(key: str, what: str) -> None:
            line = self.compose.lines.get(f"services.{name}.{key}")
            where = f"{self.asked.file}:{line}: " if line else ""
            self.draft.tell("left", f"{where}{name}.{shown(key)}", what)

        return tell

    def _product(self) -> None:
        named = self.compose.value.get("name")
        product: dict[str, Plain] = {}
        if not self.asked.has_product:
            product["product"] = plain_name(named if isinstance(named, str) else self.asked.folder)
        entries: dict[str, Plain] = {}
        for name, one in self.built.items():
            if folder := self._folder(name, one):
                entries[self.names[name]] = Flow(path=folder)
        if entries:
            product["services"] = entries
        environment = self.asked.environment
        if environment not in self.asked.known:
            product["environments"] = {environment: Flow(domain=f"{environment}.localhost")}
        if self.backings:
            product["backing"] = {one.name: Flow(kind=one.kind) for one in self.backings.values()}
        if product:
            self.draft.maps["ecluse.yaml"] = product

    def _folder(self, name: str, one: Built) -> str | None:
        """The folder of a build, when it can be the folder of the service."""
        if one.folder is None or "://" in one.folder:
            return None
        path = PurePosixPath(one.folder)
        shared = [other for other, two in self.built.items() if other != name and two.folder == one.folder]
        if path.is_absolute() or ".." in path.parts or not path.parts or shared:
            return None
        folder = str(path)
        return None if folder == f"services/{self.names[name]}" else folder

    def _backing(self, name: str, backing: Backing) -> None:
        self.draft.tell("taken", name, f"is the backing service {backing.name} of kind {backing.kind}")
        what = f"ran {backing.image}: say `version:` if it must be another one than Écluse's"
        self.draft.tell("changed", name, what)
        what = "Écluse makes its accounts; its data stays where it is: dump it there, and load it here"
        self.draft.tell("left", name, what)
        for key in self.services[name]:
            if key not in (
                "image",
                "environment",
                "env_file",
                "restart",
                "container_name",
                "networks",
                "hostname",
            ):
                self.draft.tell("left", f"{name}.{shown(key)}", "has no equivalent in a backing service")

    def _service(self, name: str) -> None:
        one, service, ours = self.built[name], self.services[name], self.names[name]
        folder = self._folder(name, one) or f"services/{ours}"
        if (
            one.folder is not None
            and self._folder(name, one) is None
            and folder != str(PurePosixPath(one.folder))
        ):
            self.draft.tell(
                "left",
                f"{name}.build",
                f"{one.folder} cannot be its folder: bring its Dockerfile to {folder}",
            )
        if one.base:
            self.draft.texts[f"{folder}/Dockerfile"] = f"FROM {one.base}\n"
        values = self._values(name, service)
        uses, config = self._uses(name, service), self._config(name, values)
        for used in config.uses:
            if used not in uses:
                uses.append(used)
        document: dict[str, Plain] = {"service": ours}
        if one.image:
            document["image"] = one.image
        document["processes"] = {"web": one.process}
        if uses:
            document["uses"] = [*uses]
        if config.keys:
            document["config"] = config.keys
        self.draft.maps[f"{folder}/service.yaml"] = document
        if one.replicas is not None:
            layer = self.draft.maps.setdefault(environment_service(self.asked.environment, ours), {})
            layer["run"] = {"web": {"replicas": one.replicas}}
        self.draft.tell("taken", name, f"is the service {ours} in {folder}: {len(config.keys)} keys")

    def _values(self, name: str, service: Mapping[str, Value]) -> dict[str, str]:
        """env files first, then `environment:`, which wins."""
        values: dict[str, str] = {}
        for path in _env_files(service):
            text = self.asked.files.get(path)
            if text is None:
                self.draft.tell("left", f"{name}.env_file", f"{path} is not there")
                continue
            file = read_env(text, path, {**self.asked.variables, **values})
            if file.problems:
                raise ConfigInvalid(file.problems)
            for key in file.inherited:
                self.draft.tell(
                    "left", f"{path}: {key}", "has no value there: it is taken from whoever calls"
                )
            values |= file.values
        for key, value in pairs(service.get("environment")).items():
            if value is None:
                known = self.asked.variables.get(key)
                if known is None:
                    self.draft.tell(
                        "left", f"{name}.environment.{key}", "is taken from whoever calls: no value here"
                    )
                    continue
                value = known
            if key in values and values[key] != value:
                self.draft.tell("shadowed", f"{name}: {key}", "an env file gives it too; `environment:` wins")
            values[key] = value
        return values

    def _uses(self, name: str, service: Mapping[str, Value]) -> list[str]:
        depends = service.get("depends_on")
        names = list(depends) if isinstance(depends, dict) else texts(depends)
        found = []
        for one in [*names, *(link.split(":")[0] for link in texts(service.get("links")))]:
            if one in self.names and one != name and self.names[one] not in found:
                found.append(self.names[one])
            elif one not in self.names:
                self.draft.tell("left", f"{name}.depends_on", f"{one} is no service of the file")
        return found

    def _config(self, name: str, values: Mapping[str, str]) -> _Config:
        result = _Config()
        keys = contract_keys(values)
        references = spoken(values, self.hosts)
        layer = environment_service(self.asked.environment, self.names[name])
        for variable, value in values.items():
            key = keys[variable]
            if key != variable:
                self.draft.tell(
                    "changed", f"{name}: {variable}", f"is {key} here: a key is made of A-Z, 0-9 and _"
                )
            if variable in references:
                text, backing = references[variable]
                result.refer(key, text, backing.name)
                self.draft.tell("changed", f"{name}: {key}", f"is {text}: the account that Écluse makes")
                continue
            if found := self._call(name, value):
                result.refer(key, found[0], found[1])
                self.draft.tell(
                    "changed", f"{name}: {key}", f"is {found[0]}: services call each other by name"
                )
                continue
            if _LOCAL.search(value):
                what = "calls localhost, which is the container itself: name the service instead"
                self.draft.tell("left", f"{name}: {key}", what)
            self._given(result, layer, variable, key, value)
        return result

    def _given(self, result: _Config, layer: str, variable: str, key: str, value: str) -> None:
        wishes = self.asked.wishes
        reason = secret_reason(variable, value) if not {variable, key} & wishes.plain else None
        if {variable, key} & wishes.secret:
            reason = "you say so"
        if reason:
            result.keys[key] = declaration("string", secret=True)
            if value:
                self.draft.secret(layer, key, value)
                self.draft.tell("secret", f"{twin(layer)}: {key}", f"because of {reason}")
            return
        kind = type_of([value])
        result.keys[key] = declaration(kind)
        self.draft.app(layer, key, native(kind, value))

    def _call(self, name: str, value: str) -> tuple[str, str] | None:
        """`http://api:8080/v1` → the address of the service api here, when 8080 is its port."""
        try:
            parts = urlsplit(value)
            port = parts.port or 80
        except ValueError:
            return None
        other = parts.hostname or ""
        if parts.scheme != "http" or other not in self.built or other == name or parts.username:
            return None
        if self.built[other].process.get("port") != port:
            return None
        rest = value[len(f"http://{parts.netloc}") :]
        return f"${{service.{self.names[other]}.url}}{escaped(rest)}", self.names[other]


@dataclass(slots=True)
class _Config:
    keys: dict[str, Plain] = field(default_factory=dict)
    uses: list[str] = field(default_factory=list)

    def refer(self, key: str, text: str, used: str) -> None:
        self.keys[key] = declaration("string", default=text)
        if used not in self.uses:
            self.uses.append(used)
