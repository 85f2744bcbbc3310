"""Secrets that people give to a command: a private file, or variables of the command.

The file is YAML: `KEY`, `service/KEY` or `environment/service/KEY` to a text; the most specific wins.
The variables are ECLUSE_SECRET_KEY, or ECLUSE_SECRET_<SERVICE>__KEY (upper case, `-` as `_`).
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

from ecluse.errors import ConfigInvalid, Location, Problem, UsageError
from ecluse.model.application import Origin
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.secret import Sealed, Secret

Given = tuple[Secret | Sealed, Origin]
PREFIX = "ECLUSE_SECRET_"


class ProvidedSecrets:
    """Implements ports.SecretSource: file, then variables, then what the environment runs with already."""

    def __init__(
        self,
        *,
        file: Mapping[str, Secret],
        file_name: str,
        variables: Mapping[str, str],
        kept: Mapping[tuple[EnvironmentName, ServiceName, str], Sealed],
    ) -> None:
        self._file = file
        self._file_name = file_name
        self._variables = variables
        self._kept = kept

    def lookup(self, environment: EnvironmentName, service: ServiceName, key: str) -> Given | None:
        return (
            self._from_file(environment, service, key)
            or self._from_variable(service, key)
            or self._from_before(environment, service, key)
        )

    def _from_file(self, environment: EnvironmentName, service: ServiceName, key: str) -> Given | None:
        for name in (f"{environment}/{service}/{key}", f"{service}/{key}", key):
            if name in self._file:
                return self._file[name], Origin("secrets file", Location(self._file_name))
        return None

    def _from_variable(self, service: ServiceName, key: str) -> Given | None:
        specific = f"{PREFIX}{service.upper().replace('-', '_')}__{key}"
        for name in (specific, f"{PREFIX}{key}"):
            if name in self._variables:
                return Secret(self._variables[name]), Origin("variable", Location(name))
        return None

    def _from_before(self, environment: EnvironmentName, service: ServiceName, key: str) -> Given | None:
        sealed = self._kept.get((environment, service, key))
        if sealed is None:
            return None
        return sealed, Origin("kept from the last deployment", Location(f"state of {environment}"))


def read_secrets_file(path: Path) -> dict[str, Secret]:
    """The texts of a private secrets file. Errors name keys and lines, never a value."""
    import yaml

    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(f"cannot read the secrets file {path}: {reason}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise UsageError(
            f"the secrets file {path} can be read by others (mode {stat.S_IMODE(mode):04o})",
            hint=f"chmod 600 {path}",
        )
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        raise ConfigInvalid([Problem(Location(str(path), line), "", "is not valid YAML")]) from None
    return _texts(path, node)


def _texts(path: Path, node: object) -> dict[str, Secret]:
    import yaml

    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise ConfigInvalid([Problem(Location(str(path), 1), "", "must be a map of keys to texts")])
    texts: dict[str, Secret] = {}
    problems = []
    for key, value in node.value:
        where = Location(str(path), key.start_mark.line + 1)
        if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            problems.append(Problem(where, name, "must be a text", "write service/KEY: value, one a line"))
        elif key.value in texts:
            problems.append(Problem(where, key.value, "is written twice"))
        else:
            texts[key.value] = Secret(value.value)
    if problems:
        raise ConfigInvalid(problems)
    return texts
