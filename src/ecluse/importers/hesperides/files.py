"""The files of a unit: their templates as ours, where they go, and what each must be. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ecluse.importers.draft import Draft, Flow
from ecluse.importers.hesperides.contract import Defaults
from ecluse.importers.hesperides.dump import Item, ModuleKey
from ecluse.importers.hesperides.jinja import Naming, jinja
from ecluse.importers.hesperides.model import Fields, Parsed, default_in_items
from ecluse.importers.hesperides.mustache import Node, Section, Tag
from ecluse.importers.hesperides.units import Unit
from ecluse.importers.hesperides.valuation import Valuation
from ecluse.model.service import Plain

_PATH = re.compile(r"(?:/[A-Za-z0-9._@+-]+)+")


@dataclass(frozen=True, slots=True)
class Made:
    """One generated file: whose, where, and its text as Hesperides' rules make it. None: Hesperides makes none."""

    environment: str
    service: str
    path: str
    text: str | None
    platform: str
    logical_path: str
    module: ModuleKey
    instance: str
    location: str
    filename: str


@dataclass(slots=True)
class Files:
    entries: dict[str, Plain] = field(default_factory=dict)
    files: list[Made] = field(default_factory=list)


def files_of(draft: Draft, unit: Unit, key: Callable[[str], str], defaults: Defaults) -> Files:
    """Puts the templates into the draft; gives the `files:` of the service."""
    result = Files()
    variants: dict[str, dict[str, tuple[Parsed, str]]] = {}
    for environment, seen in unit.seen.items():
        for one in unit.read[environment].templates:
            made = _made(unit, environment, seen, one)
            path = _container_path(draft, unit, made)
            if environment in variants.setdefault(path, {}):
                draft.tell(
                    "left", f"{unit.service}: {one.template.name}", f"has the path {path} of another file"
                )
                continue
            naming = Naming(
                key,
                lambda name: any(other.is_parent(name) for other in unit.seen.values()),
                defaults.is_own,
            )
            text = jinja(one.content, unit.read[environment].model, naming)
            variants[path][environment] = (one, text)
            result.files.append(replace(made, path=path))
    names = _template_names({path: found for path, found in variants.items()})
    for path, found in variants.items():
        draft.texts[f"services/{unit.service}/{names[path]}"] = _chosen(draft, unit, path, found)
        rights = next(
            (one.template.rights for one, _ in found.values() if one.template.rights is not None), None
        )
        entry = Flow(template=names[path])
        if rights is not None:
            entry["mode"] = f"0{rights:o}".rjust(4, "0")
        result.entries[path] = entry
    return result


def _made(unit: Unit, environment: str, seen: Valuation, one: Parsed) -> Made:
    location, filename = rendered(one.location, seen), rendered(one.filename, seen)
    text = rendered(one.content, seen)
    return Made(
        environment,
        unit.service,
        "",
        None if seen.endless else text,
        seen.platform.name,
        seen.deployed.path,
        seen.deployed.key,
        seen.instance,
        location,
        filename,
    )


def _container_path(draft: Draft, unit: Unit, made: Made) -> str:
    """Where the file goes in a container; told when it cannot be where it was."""
    wanted = re.sub(r"/{2,}", "/", f"{made.location}/{made.filename}")
    if _PATH.fullmatch(wanted) and not {".", ".."} & set(wanted.split("/")):
        return wanted
    parts = [part for part in re.split(r"[/\\]+", wanted) if part not in ("", ".", "..")]
    path = "".join(f"/{re.sub(r'[^A-Za-z0-9._@+-]+', '_', part)}" for part in parts) or "/file"
    draft.tell(
        "changed",
        f"{unit.service}: {wanted}",
        f"goes to {path}: a path in a container has a-z, 0-9 and ._@+-",
    )
    return path


def _template_names(variants: Mapping[str, Mapping[str, tuple[Parsed, str]]]) -> dict[str, str]:
    """A file under templates/ for each path; the name of the template in Hesperides, as far as it can be."""
    result: dict[str, str] = {}
    taken: set[str] = set()
    for path, found in variants.items():
        first, _ = next(iter(found.values()))
        stem = re.sub(r"[^A-Za-z0-9._-]+", "_", first.template.name).strip("._") or "template"
        name, number = stem, 2
        while name in taken:
            name, number = f"{stem}_{number}", number + 1
        taken.add(name)
        result[path] = f"templates/{name}.j2"
    return result


def _chosen(draft: Draft, unit: Unit, path: str, found: Mapping[str, tuple[Parsed, str]]) -> str:
    """One template; where environments have different ones, it asks which one it is in."""
    by_text: dict[str, list[str]] = {}
    for environment in unit.seen:
        by_text.setdefault(found[environment][1] if environment in found else "", []).append(environment)
    if len(by_text) == 1:
        return next(iter(by_text))
    last = max(by_text, key=lambda text: (text != "", len(by_text[text])))
    branches: list[str] = []
    for text, environments in by_text.items():
        if text == last:
            continue
        word = "elif" if branches else "if"
        names = ", ".join(f'"{name}"' for name in environments)
        branches.append(f"{{% {word} environment.name in [{names}] %}}{text}")
        if text == "":
            what = f"is empty in {', '.join(environments)}, where Hesperides has no such file"
        else:
            what = f"is another one in {', '.join(environments)}: the module has another version there"
        draft.tell("changed", f"{unit.service}: {path}", what)
    return "".join([*branches, "{% else %}", last, "{% endif %}"])


def rendered(nodes: Sequence[Node], seen: Valuation) -> str:
    """What Hesperides generates from a template."""
    return "".join(_rendered(nodes, seen, [], seen.model))


def _rendered(
    nodes: Sequence[Node], seen: Valuation, above: list[tuple[Item, Fields]], fields: Fields
) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, str):
            yield node
        elif isinstance(node, Tag):
            yield _in_items(node, seen, above, fields) if above else seen.of_tag(node.text)
        elif isinstance(node, Section):
            items = above[-1][0].iterables.get(node.name, ()) if above else seen.items(node.name)
            inner = fields.iterables[node.name]
            for item in items:
                yield from _rendered(node.inside, seen, [*above, (item, inner)], inner)


def _in_items(tag: Tag, seen: Valuation, above: list[tuple[Item, Fields]], fields: Fields) -> str:
    """The item's value, that of the items around it, that of the module, or the default of the tag."""
    declared = fields.by_tag[tag.text]
    for item, level in reversed(above):
        if declared.name in level.names and (text := seen.text(item.values.get(declared.name, ""))).strip():
            return text
    value = seen.value(declared.name) if seen.is_parent(declared.name) else None
    if value is not None:
        return value
    return default_in_items(tag, [seen.model, *(level for _, level in above)])
