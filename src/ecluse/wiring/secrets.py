"""Writing secrets into a product's encrypted files: what commands and importers use.

    seal_values(product.twins, "config/environments/test/common.yaml", {("app", "SMTP_PASSWORD"): "…"})

creates or changes the encrypted twin of that layer under the creation rules of `.sops.yaml`, keeps everything else in
it byte for byte as far as YAML allows, and gives the twin's name. A value of None removes the key. It raises
SecretUnavailable when the twin exists and no key here opens it, Refused when no rule names anybody to encrypt for.
`TwinLayers` is the same by layer and key, as ports.SecretLayers asks for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from ecluse.errors import NotFound, SecretUnavailable, UsageError, nearest
from ecluse.model.names import ServiceName
from ecluse.model.secret import Secret

if TYPE_CHECKING:
    from ecluse.secrets.twins import TwinFiles
    from ecluse.wiring.product import OpenProduct

ValuePath = tuple[str | int, ...]


def seal_values(twins: TwinFiles, layer: str, values: Mapping[ValuePath, str | None]) -> str:
    """Puts values into the encrypted twin of a plain layer file; gives the twin's path."""
    file = twins.of_layer(layer)
    twins.change(file, values)
    return file


class TwinLayers:
    """Implements ports.SecretLayers on the encrypted files of a product."""

    def __init__(self, twins: TwinFiles) -> None:
        self._twins = twins

    def require(self, layers: Collection[str]) -> None:
        for layer in layers:
            file = self._twins.of_layer(layer)
            if not self._twins.exists(file):
                self._twins.required_rule(file)

    def known(self, layer: str) -> Mapping[str, Secret] | None:
        from ecluse.secrets.files import written
        from ecluse.secrets.sops.tree import leaves

        file = self._twins.of_layer(layer)
        try:
            readable = self._twins.read(file)
        except NotFound:
            return {}
        except SecretUnavailable:
            return None
        below = () if file.endswith(".env") else ("app",)
        found = leaves(readable.branches[0]) if readable.branches else ()
        return {
            str(path[-1]): Secret(written(leaf))
            for path, leaf in found
            if path[:-1] == below and leaf is not None
        }

    def names(self, layer: str) -> Collection[str]:
        file = self._twins.of_layer(layer)
        if not self._twins.exists(file):
            return ()
        start = 0 if file.endswith(".env") else 1
        paths = [path for path in self._twins.names(file) if start == 0 or path[0] == "app"]
        return tuple(dict.fromkeys(str(path[start]) for path in paths if len(path) > start))

    def give(self, layer: str, values: Mapping[str, Secret]) -> None:
        seal_values(self._twins, layer, {("app", key): value.reveal() for key, value in values.items()})


def layer_path(product: OpenProduct, environment: str | None, service: str | None, domain: str | None) -> str:
    """The plain layer file that a command's words mean; NotFound when a name is unknown."""
    if service and domain:
        raise UsageError("--service and --domain are two layers", hint="name one of them")
    outline = product.outline
    base = (
        f"config/environments/{_known(environment, outline.environments, 'environment')}"
        if environment
        else "config"
    )
    if service:
        return f"{base}/services/{_known(service, outline.services, 'service')}.yaml"
    if domain:
        domains = {entry.domain for entry in outline.services.values() if entry.domain}
        return f"{base}/domains/{_known(domain, domains, 'domain')}.yaml"
    return f"{base}/common.yaml"


def refuse_stray(product: OpenProduct, service: str | None, key: str) -> None:
    """NotFound when a service of the tree does not declare the key: its own layer may not hold it."""
    declared = product.configuration.services.get(ServiceName(service)) if service else None
    if declared is not None and key not in declared.config:
        raise NotFound(f"the contract of {service} has no key {key}", hint=nearest(key, declared.config))


def _known(name: str, known: Collection[str], what: str) -> str:
    if name not in known:
        raise NotFound(f"there is no {what} {name!r}", hint=nearest(name, known))
    return name


def merge_files(twins: TwinFiles, base: str, ours: str, theirs: str, name: str) -> list[str]:
    """Merges what git hands over, into `ours`; gives the keys in conflict, nothing being written then.

    SecretUnavailable when no key here opens one of the three.
    """
    from pathlib import Path

    from ecluse.secrets.merging import merge
    from ecluse.secrets.sops.file import close_file, form_of, open_file, read_closed, unlock, write_closed
    from ecluse.secrets.sops.tree import BadFile
    from ecluse.secrets.twins import invalid

    opened = []
    try:
        for path in (base, ours, theirs):
            text = Path(path).read_bytes().decode("utf-8", "surrogateescape")
            closed = read_closed(text, form_of(name))
            key = unlock(closed, twins.identities.keys)
            if key is None:
                raise twins.unavailable(name, closed)
            opened.append(open_file(closed, key))
        merged, conflicts = merge(*opened)
        if not conflicts:
            text = write_closed(close_file(merged))
            Path(ours).write_bytes(text.encode("utf-8", "surrogateescape"))
    except BadFile as error:
        raise invalid(name, str(error)) from error
    return [str(conflict) for conflict in conflicts]
