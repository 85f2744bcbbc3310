"""`ecluse import hesperides`: reads a server or a dump, brings the draft, and compares the files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecluse.errors import EcluseError, NotFound, Refused, UsageError, nearest
from ecluse.importers.draft import Entry
from ecluse.importers.hesperides.client import Client, fetch
from ecluse.importers.hesperides.convert import Choice, Conversion, convert
from ecluse.importers.hesperides.dump import Dump, read_dump
from ecluse.importers.keys import plain_names
from ecluse.model.names import name_problem
from ecluse.wiring.import_check import difference, drafted_files, product_files
from ecluse.wiring.importing import Imported, bring, secret_layers
from ecluse.wiring.product import OpenProduct


@dataclass(frozen=True, slots=True)
class Verified:
    """What the comparison of one file came to. difference: None when every byte is equal."""

    file: str
    difference: str | None


def read_documents(path: Path) -> list[dict[str, Any]]:
    """The documents of a dump: one file, or every `*.json` of a folder."""
    paths = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not paths:
        raise NotFound(f"{path} holds no *.json")
    result = []
    for one in paths:
        try:
            result.append(json.loads(one.read_text("utf-8")))
        except OSError as error:
            raise UsageError(f"cannot read {one}: {error.strerror}") from error
        except (ValueError, RecursionError):
            raise UsageError(
                f"cannot read {one}: it is not JSON", hint="`--save FILE` makes a dump"
            ) from None
    return result


def fetch_documents(
    client: Client, application: str, platforms: Sequence[str], *, with_files: bool
) -> list[dict[str, Any]]:
    try:
        return [fetch(client, application, platforms, with_files=with_files)]
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise EcluseError(
            f"the server answers in a way that is not Hesperides' ({type(error).__name__})",
            hint="look at --url",
        ) from error


def save(documents: Sequence[dict[str, Any]], path: Path) -> None:
    """Writes a dump for its owner only: it holds passwords in plain."""
    from ecluse.secrets.vault import write_private

    try:
        write_private(path, (json.dumps(documents[0], indent=1, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise EcluseError(f"cannot write {path}: {error.strerror}") from error


def environments_of(dump: Dump, platforms: Sequence[str]) -> dict[str, str]:
    """Platform → environment. `platforms`: words PLATFORM or PLATFORM=ENV; none for all."""
    known = {one.name.lower(): one.name for one in dump.platforms}
    names = plain_names(known.values())
    if not platforms:
        return {name: names[name] for name in known.values()}
    result = {}
    for word in platforms:
        name, _, environment = word.partition("=")
        if name.lower() not in known:
            hint = nearest(name, known.values())
            raise NotFound(f"{dump.application} has no platform {name}", hint=hint)
        name = known[name.lower()]
        if environment and (problem := name_problem(environment)):
            raise UsageError(f"{environment!r}: {problem}")
        result[name] = environment or names[name]
    if len(set(result.values())) < len(result):
        raise UsageError("two platforms cannot be one environment")
    return result


def import_dump(
    product: OpenProduct, document: dict[str, Any], file: str, *, platforms: Sequence[str], prefix: str,
    secret: Sequence[str], plain: Sequence[str], overwrite: bool, dry_run: bool,
) -> tuple[Imported, Conversion, Dump]:  # fmt: skip
    """Raises EcluseError, having written nothing, when a file of ours would not be what Hesperides' rules make."""
    dump = read_dump(document, file)
    has_product = (product.root / "ecluse.yaml").exists()
    known = frozenset(map(str, product.product.environments)) if has_product else frozenset()
    choice = Choice(environments_of(dump, platforms), known, prefix, frozenset(secret), frozenset(plain))
    conversion = convert(dump, choice)
    draft = conversion.draft
    _prove(conversion)
    if has_product:
        _refuse_strangers(product, conversion)
        draft.maps["ecluse.yaml"].pop("product")
    imported = bring(draft, product.root, secret_layers(product), overwrite=overwrite, dry_run=dry_run)
    return imported, conversion, dump


def _prove(conversion: Conversion) -> None:
    """That the draft alone makes every file as Hesperides' rules make it."""
    ours = drafted_files(conversion.draft, {made.environment for made in conversion.files})
    wrong = []
    for made in conversion.files:
        if made.text is None:
            continue
        found = difference(made.text, ours.get((made.environment, made.service, made.path)))
        if found:
            wrong.append(f"\n  {made.service} in {made.environment}, {made.path}: {found}")
    if wrong:
        raise EcluseError(
            f"nothing was written: {len(wrong)} files would not be equal:{''.join(wrong)}",
            hint="this is a flaw of the import: please report it with the template",
        )


def _refuse_strangers(product: OpenProduct, conversion: Conversion) -> None:
    """Services of the product that have nothing to do with this application."""
    services = conversion.draft.maps["ecluse.yaml"]["services"]
    assert isinstance(services, dict)
    for name, entry in services.items():
        there = product.product.services.get(name)  # type: ignore[call-overload]
        domain = entry["domain"] if isinstance(entry, dict) else None
        if there is not None and there.domain != domain:
            raise Refused(
                f"nothing was written: the product has a service {name} that is not of the domain {domain}",
                hint="--prefix NAME begins the names of these services with another word",
            )


def verify(product: OpenProduct, conversion: Conversion, dump: Dump) -> list[Verified]:
    """Each file that Hesperides generated beside what the product makes now."""
    if not dump.files:
        raise UsageError(
            "this dump holds no generated files", hint="save it again: `--save FILE` fetches them"
        )
    ours = product_files(product)
    places: Mapping[tuple[str, ...], tuple[str, str, str]] = {
        (
            made.platform,
            made.logical_path,
            str(made.module),
            made.location,
            made.filename,
            made.instance.lower(),
        ): (
            made.environment,
            made.service,
            made.path,
        )
        for made in conversion.files
    }
    result = []
    asked = {made.platform for made in conversion.files}
    for file in dump.files:
        if file.platform not in asked:
            continue
        key = (file.platform, file.path, str(file.module), file.location, file.filename)
        place = places.get((*key, file.instance.lower())) or next(
            (found for other, found in places.items() if other[:5] == key), None
        )
        name = f"{file.platform} {file.module} {file.instance} {file.location}/{file.filename}"
        if place is None:
            result.append(Verified(name, "has no file here"))
        else:
            shown = f"{name} = {place[1]} in {place[0]}, {place[2]}"
            result.append(Verified(shown, difference(file.content, ours.get(place))))
    return result


def report_of(verified: Sequence[Verified]) -> list[Entry]:
    return [
        Entry("left" if one.difference else "taken", one.file, one.difference or "equal") for one in verified
    ]
