"""Encrypted files → documents whose encrypted values are Encrypted: what the layers are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ecluse.config.document import Document, Path, read_document
from ecluse.config.workspace import Workspace
from ecluse.errors import Location, Problem
from ecluse.model.names import EnvironmentName
from ecluse.model.secret import Encrypted, Twin
from ecluse.model.service import Plain
from ecluse.ports import SecretFiles

METADATA = "sops"


@dataclass(frozen=True, slots=True)
class Twins:
    """The encrypted files of a product, by name. rules: who should read what is encrypted for an environment."""

    files: Mapping[str, Twin] = field(default_factory=dict)
    documents: Mapping[str, Document] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    rules: Mapping[EnvironmentName, tuple[str, ...]] = field(default_factory=dict)


def with_rules(twins: Twins, secret_files: SecretFiles, names: Iterable[EnvironmentName]) -> Twins:
    """ConfigInvalid when the rules cannot be read."""
    rules = {name: secret_files.rule(f"config/environments/{name}/common.sops.yaml") for name in names}
    return replace(twins, rules={name: rule for name, rule in rules.items() if rule})


def read_twins(workspace: Workspace, secret_files: SecretFiles) -> Twins:
    files: dict[str, Twin] = {}
    documents: dict[str, Document] = {}
    problems: list[Problem] = []
    for file in workspace.encrypted:
        text = workspace.texts[file]
        twin = secret_files.read(file, text)
        document = _dotenv(text, file) if file.endswith(".env") else read_document(text, file)
        problems += twin.problems or document.problems
        if twin.problems or document.problems:
            continue
        files[file] = twin
        documents[file] = _filled(document, twin)
        problems += _out_of_place(documents[file], twin)
    return Twins(files, documents, tuple(problems))


def _filled(document: Document, twin: Twin) -> Document:
    value = document.value if isinstance(document.value, dict) else {}
    kept = {key: item for key, item in value.items() if key != METADATA}
    return Document(document.file, _sealed(kept, (), twin.values), document.lines)


def _sealed(node: Plain, path: Path, values: Mapping[Path, Encrypted]) -> Plain:
    if path in values:
        return values[path]
    if isinstance(node, dict):
        return {key: _sealed(item, (*path, key), values) for key, item in node.items()}
    if isinstance(node, list):
        return [_sealed(item, (*path, index), values) for index, item in enumerate(node)]
    return node


def _out_of_place(document: Document, twin: Twin) -> Iterator[Problem]:
    """Encrypted values where no secret can be: only `app` has secrets."""
    for path in twin.values:
        inner = path[2:] if path[0] == "services" else path
        if not inner or inner[0] != "app":
            yield document.problem(path, "is encrypted, and only values under `app:` can be")


def _dotenv(text: str, file: str) -> Document:
    """`KEY=value` lines: all of them are under `app`. What is wrong in it, the reader of secrets tells."""
    app: dict[str, Plain] = {}
    lines: dict[Path, int] = {(): 1, ("app",): 1}
    for number, line in enumerate(text.split("\n"), start=1):
        key, found, value = line.partition("=")
        if found and not line.startswith("#") and not key.startswith(f"{METADATA}_"):
            app[key] = value.replace("\\n", "\n")
            lines["app", key] = number
    return Document(file, {"app": app}, lines)


def location_of(documents: Mapping[str, Document], encrypted: Encrypted) -> Location:
    """Where an encrypted value stands."""
    document = documents.get(encrypted.file)
    for path, line in document.lines.items() if document else ():
        if ".".join(map(str, path)) == encrypted.path:
            return Location(encrypted.file, line)
    return Location(encrypted.file)
