"""Brings a draft into a product's folder: everything or nothing, and nothing that people wrote is replaced unasked."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ecluse.errors import EcluseError, Refused
from ecluse.importers.draft import FATES, Draft, Entry, leaks, twin
from ecluse.importers.written import Merged, merged
from ecluse.model.secret import Secret
from ecluse.ports import SecretLayers
from ecluse.wiring.product import OpenProduct

RECORDS = "imports"


@dataclass(frozen=True, slots=True)
class Imported:
    """How an import ended. files: what was (or would be) written. report: every line, secrets masked."""

    files: tuple[str, ...]
    report: tuple[Entry, ...]


def secret_layers(product: OpenProduct) -> SecretLayers:
    """The encrypted twins of a product."""
    from ecluse.wiring.secrets import TwinLayers

    return TwinLayers(product.twins)


def bring(draft: Draft, root: Path, secrets: SecretLayers, *, overwrite: bool, dry_run: bool) -> Imported:
    """Writes what is missing. Raises Refused, having written nothing, when a secret has nobody to be
    encrypted for, or would stand in a plain file."""
    before = _record(root, draft.name)
    plan = merged(draft, lambda path: _read(root / path), before, overwrite=overwrite)
    _refuse_leaks(draft)
    given = _missing(draft, secrets, before, plan, overwrite=overwrite)
    _remember(root, draft, plan, before)
    _tell(root, draft, plan)
    if not dry_run:
        if draft.secrets:
            secrets.require(tuple(draft.secrets))
        _write(root, plan.files, secrets, given)
    shown = (*plan.files, *(twin(layer) for layer in given))
    return Imported(tuple(sorted(shown)), (*draft.report, *plan.entries))


def _missing(
    draft: Draft,
    secrets: SecretLayers,
    before: Mapping[str, Collection[str]],
    plan: Merged,
    *,
    overwrite: bool,
) -> dict[str, dict[str, Secret]]:
    """The secrets that are to be written, by layer."""
    given: dict[str, dict[str, Secret]] = {}
    for layer, wanted in draft.secrets.items():
        path, names, known = twin(layer), secrets.names(layer), secrets.known(layer)
        plan.written[path] = sorted(wanted)
        for key, value in wanted.items():
            where = f"{path}: {key}"
            if key in names and known is not None and known.get(key) == value:
                continue
            if key in names and not overwrite:
                what = "cannot be read here" if known is None else "differs from the source"
                plan.keep(where, f"{what}; --overwrite replaces it")
            elif key not in names and key in before.get(path, ()) and not overwrite:
                plan.keep(where, "was removed since it was imported, and stays so")
            else:
                given.setdefault(layer, {})[key] = value
    return given


def _refuse_leaks(draft: Draft) -> None:
    texts = [value.reveal() for values in draft.secrets.values() for value in values.values()]
    if found := leaks(draft, texts):
        raise Refused(
            f"nothing was written: the text of a secret also stands in plain in {', '.join(found)}",
            hint="make that value a secret too (`--secret NAME`), or a reference to it at the source",
        )


def _record(root: Path, name: str) -> dict[str, list[str]]:
    """What earlier imports of this name wrote: path → keys."""
    text = _read(root / RECORDS / f"{name}.json")
    if text is None:
        return {}
    try:
        found = json.loads(text)["written"]
        return {str(path): [str(key) for key in keys] for path, keys in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EcluseError(
            f"{RECORDS}/{name}.json cannot be read", hint="bring it back from git, or remove it to start anew"
        ) from error


def _remember(root: Path, draft: Draft, plan: Merged, before: Mapping[str, Collection[str]]) -> None:
    """The record of what this import answers for; earlier ones are not forgotten."""
    paths = sorted({*before, *plan.written})
    written = {path: sorted({*before.get(path, ()), *plan.written.get(path, ())}) for path in paths}
    path = f"{RECORDS}/{draft.name}.json"
    text = json.dumps({"written": written}, indent=1, ensure_ascii=False) + "\n"
    if _read(root / path) != text:
        plan.files[path] = text


def _tell(root: Path, draft: Draft, plan: Merged) -> None:
    """The report beside the record: what was left must not be lost with a terminal."""
    lines = [f"# {draft.name}: what the import found\n"]
    for fate, title in FATES.items():
        found = [entry for entry in dict.fromkeys(draft.report) if entry.fate == fate]
        lines += [f"\n## {title[0].upper()}{title[1:]}\n\n"] if found else []
        lines += [f"- `{entry.where}`: {entry.what}\n" for entry in found]
    path, text = f"{RECORDS}/{draft.name}.md", "".join(lines)
    if _read(root / path) != text:
        plan.files[path] = text


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise EcluseError(
            f"cannot read {path}: {getattr(error, 'strerror', None) or 'it is not UTF-8'}"
        ) from error


def _write(
    root: Path, files: Mapping[str, str], secrets: SecretLayers, given: Mapping[str, Mapping[str, Secret]]
) -> None:
    """All of it, or what was there is put back."""
    paths = [root / path for path in (*files, *(twin(layer) for layer in given))]
    old = {path: path.read_bytes() if path.exists() else None for path in paths}
    try:
        for name, text in files.items():
            _replace(root / name, text.encode("utf-8"))
        for layer, values in given.items():
            secrets.give(layer, values)
    except BaseException as error:
        for path, content in old.items():
            with suppress(OSError):
                _replace(path, content) if content is not None else path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise EcluseError(f"nothing was written: {error.filename}: {error.strerror}") from error
        raise


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)
