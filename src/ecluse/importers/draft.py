"""What an import wants to write, and its report: what was taken, changed, shadowed or left. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ecluse.model.secret import Secret
from ecluse.model.service import Plain

Fate = Literal["taken", "changed", "secret", "shadowed", "left", "kept"]
FATES: Mapping[Fate, str] = {
    "taken": "taken",
    "changed": "changed on the way",
    "secret": "encrypted",
    "shadowed": "shadowed: it had no effect at the source",
    "left": "left: look at these",
    "kept": "kept as they are here",
}


class Flow(dict[str, Plain]):
    """A map that is written in one line."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One line of a report. `where` is a name or a file; `what` holds no secret value."""

    fate: Fate
    where: str
    what: str


@dataclass(slots=True)
class Draft:
    """Everything that an import writes, computed before anything is.

    name: of the import, for its record under imports/. maps: YAML files as nested maps, of which what is
    missing is added. texts: whole files. secrets: layer → key → value, for the encrypted twin of the layer.
    """

    name: str
    maps: dict[str, dict[str, Plain]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, dict[str, Secret]] = field(default_factory=dict)
    report: list[Entry] = field(default_factory=list)

    def tell(self, fate: Fate, where: str, what: str) -> None:
        self.report.append(Entry(fate, where, what))

    def app(self, layer: str, key: str, value: Plain) -> None:
        """Gives a key in a plain layer."""
        app = self.maps.setdefault(layer, {}).setdefault("app", {})
        assert isinstance(app, dict)
        app[key] = value

    def secret(self, layer: str, key: str, value: str) -> None:
        """Gives a key in the encrypted twin of a layer."""
        self.secrets.setdefault(layer, {})[key] = Secret(value)


def environment_service(environment: str | None, service: str | None) -> str:
    """The layer file of an environment (None: every one) and a service (None: every one)."""
    folder = f"config/environments/{environment}" if environment else "config"
    return f"{folder}/services/{service}.yaml" if service else f"{folder}/common.yaml"


def environment_domain(environment: str, domain: str) -> str:
    return f"config/environments/{environment}/domains/{domain}.yaml"


def twin(layer: str) -> str:
    """The encrypted twin of a layer file."""
    return layer.removesuffix(".yaml") + ".sops.yaml"


def leaks(draft: Draft, secrets: Iterable[str]) -> list[str]:
    """The plain files of a draft in which one of these texts stands. Short texts are found by chance: not asked."""
    long = {text for text in secrets if len(text) >= 8}
    found = []
    for path, text in draft.texts.items():
        if any(secret in text for secret in long):
            found.append(path)
    for path, value in draft.maps.items():
        if any(secret in text for text in texts_in(value) for secret in long):
            found.append(path)
    return sorted(found)


def texts_in(value: Plain) -> Iterable[str]:
    """Every text of a structure, keys apart."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)
