"""The report of an import from Hesperides: nothing that was there goes unmentioned. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ecluse.importers.draft import Draft
from ecluse.importers.hesperides.dump import Dump
from ecluse.importers.hesperides.secrecy import Secrets, all_names
from ecluse.importers.hesperides.units import Unit
from ecluse.importers.hesperides.valuation import Valuation

_KINDS = {"global": "the global", "predefined": "Hesperides' own value", "instance": "the instance's value"}


def tell_all(
    draft: Draft, dump: Dump, environments: Mapping[str, str], units: Sequence[Unit], keys: Mapping[str, str],
    secrets: Secrets,
) -> None:  # fmt: skip
    for platform in dump.platforms:
        if platform.name not in environments:
            draft.tell("left", f"platform {platform.name}", "was not asked for")
    for name, key in keys.items():
        if name != key:
            kind = "iterable " if name.startswith("#") else ""
            draft.tell("changed", f"{kind}{name.removeprefix('#')}", f"is {key} here")
    for unit in units:
        _tell_unit(draft, unit)
        for environment, seen in unit.seen.items():
            _tell_values(draft, unit, environment, seen, secrets)
    _tell_globals(draft, dump, environments, units, secrets)


def _tell_unit(draft: Draft, unit: Unit) -> None:
    for environment, seen in unit.seen.items():
        read = unit.read[environment]
        technos = sorted({one.template.source for one in read.templates if one.template.source})
        more = f", with the templates of {', '.join(technos)}" if technos else ""
        what = f"{seen.deployed.key} at {seen.deployed.path or '#'}: {len(read.templates)} files{more}"
        draft.tell("taken", f"{unit.service} in {environment}", what)
        count = len(unit.instances[environment])
        if count > 1 and unit.instance is None:
            what = f"has {count} instances that are alike: give its process `replicas: {count}` there"
            draft.tell("changed", f"{unit.service} in {environment}", what)
        if seen.endless:
            names = ", ".join(sorted(seen.endless))
            draft.tell(
                "left",
                f"{unit.service} in {environment}",
                f"{names} goes round or grows too large: no file can be made of it",
            )
    if unit.instance is not None:
        draft.tell(
            "changed",
            unit.service,
            f"is the instance {unit.instance} of {unit.label}: its values are its own",
        )
    draft.tell("left", unit.service, "needs a Dockerfile and processes: Hesperides knows neither")


def _tell_values(draft: Draft, unit: Unit, environment: str, seen: Valuation, secrets: Secrets) -> None:
    used = set(all_names(unit))
    where = f"{unit.service} in {environment}"
    for name in sorted(used):
        sources = seen.sources(name)
        for loser in sources[1:]:
            winner = sources[0]
            shown = _shown(name, loser.text, secrets)
            what = f"the {loser.kind} value {shown} gives way to {_KINDS.get(winner.kind, winner.kind)}"
            draft.tell("shadowed", f"{where}: {name}", what)
    for name, text in sorted(seen.deployed.values.simple.items()):
        if name not in used:
            draft.tell("left", f"{where}: {name}", f"no template has it: {_shown(name, text, secrets)}")
    for name, items in seen.deployed.values.iterables.items():
        if name not in seen.model.iterables:
            shown = "(secret)" if f"#{name}" in secrets.reasons else f"{len(items)} items"
            draft.tell("left", f"{where}: {name}", f"no template has this iterable: {shown}")
            continue
        unknown = {
            one for item in items for one in item.values if one not in seen.model.iterables[name].names
        }
        for one in sorted(unknown):
            draft.tell("left", f"{where}: {name}.{one}", "no template has this field of its items")
    for name, text in _idle(unit, seen):
        draft.tell(
            "left", f"{where}: {name}", f"no value asks the instance for it: {_shown(name, text, secrets)}"
        )


def _idle(unit: Unit, seen: Valuation) -> Iterator[tuple[str, str]]:
    """Values of instances that have no effect."""
    for instance, values in seen.deployed.instances.items():
        if unit.instance is None or instance.lower() == unit.instance.lower():
            for name, text in values.items():
                if name not in seen.instance_model:
                    yield f"{instance}.{name}", text


def _tell_globals(
    draft: Draft, dump: Dump, environments: Mapping[str, str], units: Sequence[Unit], secrets: Secrets
) -> None:
    for platform in dump.platforms:
        environment = environments.get(platform.name)
        if environment is None:
            continue
        used = {name for unit in units if environment in unit.seen for name in all_names(unit)}
        for name, text in sorted(platform.globals.simple.items()):
            if name not in used:
                shown = _shown(name, text, secrets)
                draft.tell("left", f"globals of {environment}: {name}", f"no module uses it: {shown}")


def _shown(name: str, text: str, secrets: Secrets) -> str:
    """A value in a report, unless it may be a secret."""
    from ecluse.importers.recognise import secret_reason

    plain_name = name.rpartition(".")[2] if name not in secrets.reasons else name
    if (
        name in secrets.reasons
        or plain_name in secrets.reasons
        or secret_reason(name, text)
        or secrets.holds(text)
    ):
        return "(secret)"
    return f'"{text}"'
