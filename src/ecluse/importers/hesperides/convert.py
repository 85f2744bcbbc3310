"""A dump of Hesperides → the draft of an import: services, contracts, templates, layers. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ecluse.errors import ConfigInvalid, Location, Problem, Refused
from ecluse.importers.draft import Draft, Flow, environment_domain, environment_service, twin
from ecluse.importers.hesperides.cells import Cell, Sheet
from ecluse.importers.hesperides.contract import contract_entry, iterable_entry, told_defaults
from ecluse.importers.hesperides.dump import Dump, Item, masked
from ecluse.importers.hesperides.files import Made, files_of
from ecluse.importers.hesperides.model import BadTemplate, Fields
from ecluse.importers.hesperides.secrecy import Secrets, all_names, find_secrets
from ecluse.importers.hesperides.tell import tell_all
from ecluse.importers.hesperides.units import Unit, read_modules, units
from ecluse.importers.keys import contract_keys, plain_name
from ecluse.model.service import Plain


@dataclass(frozen=True, slots=True)
class Choice:
    """What the caller decides. environments: platform → environment; others are left. known: the environments
    that the product has already. prefix: what service names begin with."""

    environments: Mapping[str, str]
    known: frozenset[str] = frozenset()
    prefix: str = ""
    secret: frozenset[str] = frozenset()
    plain: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Conversion:
    """A draft, and what each generated file must be."""

    draft: Draft
    files: tuple[Made, ...]


def convert(dump: Dump, choice: Choice) -> Conversion:
    """Raises Refused for masked passwords, ConfigInvalid for templates that cannot be read."""
    if hidden := masked(dump):
        names = "".join(f"\n  {name}" for name in hidden)
        raise Refused(
            f"nothing was written: these values are masked for this account:{names}",
            hint=f"log in with an account that has the production role of {dump.application}, then import again",
        )
    try:
        found = units(dump, read_modules(dump), choice.environments, choice.prefix)
    except BadTemplate as error:
        where = Location(f"template {error.template}", error.line)
        raise ConfigInvalid(
            [Problem(where, "", str(error), "mend it in Hesperides, then import again")]
        ) from None
    return _Converting(dump, choice, found).everything()


class _Converting:
    def __init__(self, dump: Dump, choice: Choice, found: list[Unit]) -> None:
        self.dump, self.choice, self.units = dump, choice, found
        self.domain = plain_name(dump.application)
        self.draft = Draft(f"hesperides-{self.domain}")
        self.secrets: Secrets = find_secrets(found, more=choice.secret, plain=choice.plain)
        names = {name for unit in found for name in all_names(unit)}
        iterables = {
            f"#{name}" for unit in found for read in unit.read.values() for name in read.model.iterables
        }
        self.keys = contract_keys([*names, *iterables])
        self.files: list[Made] = []

    def everything(self) -> Conversion:
        self._product()
        for unit in self.units:
            self._unit(unit)
        tell_all(self.draft, self.dump, self.choice.environments, self.units, self.keys, self.secrets)
        return Conversion(self.draft, tuple(self.files))

    def key(self, name: str) -> str:
        return self.keys[name]

    def _product(self) -> None:
        environments: dict[str, Plain] = {}
        for platform in self.dump.platforms:
            name = self.choice.environments.get(platform.name)
            if name is None:
                continue
            what = f"is the environment {name}: say in ecluse.yaml where it runs and under which domain"
            self.draft.tell("changed", f"platform {platform.name}", what)
            if name not in self.choice.known:
                entry = Flow(domain=f"{name}.localhost")
                if platform.production:
                    entry["protected"] = True
                environments[name] = entry
        services: dict[str, Plain] = {unit.service: {"domain": self.domain} for unit in self.units}
        product: dict[str, Plain] = {"product": self.domain, "services": services}
        if environments:
            product["environments"] = environments
        self.draft.maps["ecluse.yaml"] = product

    def _unit(self, unit: Unit) -> None:
        names = all_names(unit)
        own = told_defaults(unit, names, self.secrets)
        sheets = {
            environment: Sheet(environment, seen, self.key, names, own.defaults)
            for environment, seen in unit.seen.items()
        }
        for environment, sheet in sheets.items():
            sheet.fill()
            self._layers(unit, environment, sheet)
        is_everywhere = {*self.choice.known, *self.choice.environments.values()} <= set(sheets)
        config: dict[str, Plain] = {}
        for name in names:
            wanted = [sheet.wanted(name) for sheet in sheets.values()]
            config[self.key(name)] = contract_entry(
                self.draft, unit, name, wanted, own.defaults[name], self.secrets, is_everywhere=is_everywhere
            )
        for name in dict.fromkeys(name for read in unit.read.values() for name in read.model.iterables):
            config[self.key(f"#{name}")] = iterable_entry(is_secret=f"#{name}" in self.secrets.reasons)
        made = files_of(self.draft, unit, self.key, own)
        self.files += made.files
        self.draft.maps[f"services/{unit.service}/service.yaml"] = {
            "service": unit.service,
            **({"config": config} if config else {}),
            "deliver": [],
            **({"files": made.entries} if made.entries else {}),
        }

    def _layers(self, unit: Unit, environment: str, sheet: Sheet) -> None:
        service = environment_service(environment, unit.service)
        shared = environment_domain(environment, self.domain)
        for name, cell in sheet.cells.items():
            self._cell(name, cell, service, shared)
            if cell.is_flat:
                what = "its references are replaced by their text: ours would not come to the same"
                self.draft.tell("changed", f"{service}: {self.key(name)}", what)
        for name, fields in sheet.seen.model.iterables.items():
            items = sheet.seen.items(name)
            if not items:
                continue
            if f"#{name}" in self.secrets.reasons:
                sealed = [_literal(sheet, item, fields) for item in items]
                self._secret(service, f"#{name}", json.dumps(sealed, ensure_ascii=False))
            else:
                value: list[Plain] = [sheet.item(item, fields) for item in items]
                self.draft.app(service, self.key(f"#{name}"), value)

    def _cell(self, name: str, cell: Cell, service: str, shared: str) -> None:
        raw_is_shared = cell.kind == "global" or name.startswith(
            ("hesperides.application.", "hesperides.platform.")
        )
        is_reference = (
            cell.text.startswith("${app.") and cell.text.endswith("}") and cell.text.count("${") == 1
        )
        layer = shared if raw_is_shared and not cell.is_flat else service
        if name not in self.secrets.reasons or is_reference or not cell.final:
            self.draft.app(layer, self.key(name), cell.text)
            return
        has_references = cell.text.count("${") != cell.text.count("$${")
        self._secret(service if has_references else layer, name, cell.final)

    def _secret(self, layer: str, name: str, value: str) -> None:
        self.draft.secret(layer, self.key(name), value)
        self.draft.tell(
            "secret", f"{twin(layer)}: {self.key(name)}", f"because of {self.secrets.reasons[name]}"
        )


def _literal(sheet: Sheet, item: Item, fields: Fields) -> dict[str, Plain]:
    """An item with every reference replaced: an encrypted text is taken as it stands."""
    result: dict[str, Plain] = {}
    if item.title and "title" not in {*fields.names, *fields.iterables}:
        result["title"] = item.title
    for name, raw in item.values.items():
        if name in fields.names and (final := sheet.seen.text(raw)).strip():
            result[name] = final
    for name, items in item.iterables.items():
        if name in fields.iterables:
            result[name] = [_literal(sheet, inner, fields.iterables[name]) for inner in items]
    return result
