"""What a service's values come to in one environment: each resolved once, when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from ecluse.config.backing import Accounts
from ecluse.config.interpolate import MAX_CHAIN, BadReference, Value, interpolate, is_well_meant
from ecluse.config.layers import Layer
from ecluse.config.merge import Given, Merged, merged_app, merged_cron, merged_process, speaks_of
from ecluse.config.references import refer
from ecluse.config.service import Declaration
from ecluse.config.service_rules import SECRET_HINT, holds_reference
from ecluse.config.types import Unfit, accept, written, written_as
from ecluse.errors import Problem, SecretUnavailable
from ecluse.model.application import BackingService, Origin
from ecluse.model.names import ServiceName
from ecluse.model.product import Environment, Product
from ecluse.model.secret import Encrypted, Sealed, Text, holds_stand_in
from ecluse.model.service import ContractKey, Plain, Process
from ecluse.ports import SecretSource, Vault


@dataclass(frozen=True, slots=True)
class Means:
    """What the values of an environment are resolved with.

    public_port: what public addresses must name, None for the usual one; https_port: the same for HTTPS, 0 where there
    is none. known: the backing services as they were last deployed.
    """

    secrets: SecretSource
    vault: Vault
    public_port: int | None = None
    https_port: int = 443
    known: Mapping[str, BackingService] = field(default_factory=dict)


@dataclass(slots=True)
class Surroundings:
    """What the services of one environment share while their values are resolved.

    absent: required secrets that nobody gives. trail: the values that are being resolved, outermost first.
    """

    product: Product
    environment: Environment
    means: Means
    accounts: Accounts
    scopes: dict[ServiceName, ServiceScope] = field(default_factory=dict)
    trail: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    absent: list[Problem] = field(default_factory=list)
    unreadable: dict[Sealed, Encrypted] = field(default_factory=dict)

    def sealed(self, encrypted: Encrypted) -> Sealed:
        """The secret behind a value of an encrypted file: read here, known from before, or unreadable."""
        vault = self.means.vault
        if encrypted.secret is not None:
            sealed = vault.seal(encrypted.secret.reveal())
            vault.remember(encrypted.mark, sealed)
            return sealed
        known = vault.recall(encrypted.mark)
        if known is None:
            known = Sealed.unreadable(encrypted.mark)
            self.unreadable[known] = encrypted
        return known

    def seal(self, text: str) -> Text:
        """A secret text, sealed; unreadable when something unreadable is in it."""
        return Sealed.unreadable(text) if holds_stand_in(text) else self.means.vault.seal(text)

    def reveal(self, sealed: Sealed) -> str:
        if sealed.is_unreadable:
            return sealed.stand_in
        try:
            return self.means.vault.reveal(sealed)
        except SecretUnavailable as error:
            message = "needs the text of a secret that cannot be read here"
            raise BadReference((message, error.hint)) from error

    def enter(self, name: str) -> None:
        """On the way to `name`, until it is popped; BadReference when it is on the way to itself."""
        if name in self.trail:
            circle = [*self.trail[self.trail.index(name) :], name]
            raise BadReference((f"goes round: {' → '.join(_short(circle))}", None))
        if len(self.trail) > MAX_CHAIN:
            raise BadReference((f"goes through more than {MAX_CHAIN} references", None))
        self.trail.append(name)


@dataclass(slots=True)
class ServiceScope:
    """One service in one environment. Values that cannot be resolved are None, their problems collected."""

    declaration: Declaration
    domain: str | None
    layers: Sequence[Layer]
    version: str | None
    around: Surroundings
    _merged: Mapping[str, Merged] | None = None
    _values: dict[str, Value | None] = field(default_factory=dict)
    _processes: dict[str, Mapping[str, Merged]] = field(default_factory=dict)
    secret_origins: dict[str, Origin] = field(default_factory=dict)

    @property
    def name(self) -> ServiceName:
        return self.declaration.spec.name

    @property
    def merged(self) -> Mapping[str, Merged]:
        """What the contract and the layers give for each key."""
        if self._merged is None:
            self._merged = merged_app(self.declaration, self.layers)
        return self._merged

    def app(self, key: str) -> Value | None:
        """The native value of a contract key; its data is None when it has none."""
        return self._once(f"app.{key}", lambda: self._app(self.declaration.spec.config[key]))

    def encrypted(self, key: str) -> Value | None:
        """What the encrypted files give for a key, which the contract need not have."""
        found = next((layer.app[key] for layer in reversed(self.layers) if key in layer.app), None)
        if not isinstance(found, Encrypted):
            return None
        return Value(self.around.sealed(found), secret=True, characters=100)

    def run(self, process: str, name: str) -> Value | None:
        """One field of a process, as it was written and with its references resolved."""
        given = self.process_fields(process).get(name)
        if given is None:
            return Value(_default(name))
        return self._once(f"run.{process}.{name}", lambda: self._engine_value(given))

    def cron(self, cron: str, name: str, given: Merged) -> Value | None:
        return self._once(f"run.crons.{cron}.{name}", lambda: self._engine_value(given))

    def process_fields(self, process: str) -> Mapping[str, Merged]:
        if process not in self._processes:
            self._processes[process] = merged_process(self.declaration, process, self.layers)
        return self._processes[process]

    def cron_fields(self, cron: str) -> Mapping[str, Merged]:
        return merged_cron(self.declaration, cron, self.layers)

    def is_run_untouched(self, process: str) -> bool:
        return not any(speaks_of(layer, process) for layer in self.layers)

    def public_host(self, process: Process) -> str | None:
        """The public name of a process, in full."""
        exposed = process.expose.host if process.expose else None
        if not self.is_run_untouched(process.name):
            value = self.run(process.name, "expose")
            data = value.data if value else None
            exposed = str(data["host"]) if isinstance(data, dict) and data.get("host") else None
        if exposed is None:
            return None
        return exposed if "." in exposed else f"{exposed}.{self.around.environment.domain}"

    def process_problem(self, process: str, name: str, message: str) -> Problem:
        """A problem with one field of a process, where its value was written."""
        given = self.process_fields(process).get(name)
        if given and given.winner:
            return given.winner.problem(message)
        return self.declaration.document.problem(("processes", process, name), message)

    def refer(self, reference: str) -> Value:
        """What a reference stands for, seen from this service."""
        return refer(self, reference)

    def _once(self, name: str, make: Callable[[], Value | None]) -> Value | None:
        if name in self._values:
            return self._values[name]
        self.around.enter(f"{self.name} {name}")
        try:
            value = make()
        finally:
            self.around.trail.pop()
        self._values[name] = value
        return value

    def _resolved(self, data: Plain, winner: Given) -> Value | None:
        try:
            return interpolate(self._unlocked(data), self.refer, self.around.reveal)
        except BadReference as error:
            self.around.problems += [winner.problem(message, hint) for message, hint in error.told]
        except RecursionError:
            self.around.problems.append(winner.problem("is nested too deep", None))
        return None

    def _unlocked(self, data: Plain) -> Plain:
        """Encrypted values become sealed ones. What they say is never looked through for references."""
        if isinstance(data, Encrypted):
            return cast(Plain, self.around.sealed(data))
        if isinstance(data, dict):
            return {key: self._unlocked(item) for key, item in data.items()}
        return [self._unlocked(item) for item in data] if isinstance(data, list) else data

    def _app(self, key: ContractKey) -> Value | None:
        merged = self.merged[key.name]
        winner = merged.winner
        is_default = winner is not None and winner.path[0] == "config"
        if key.secret and (winner is None or is_default) and (found := self._provided(key)):
            return found
        if key.secret and self._in_plain_files(merged.given):
            return None
        if winner is None or merged.value is None:
            return Value(None)
        if isinstance(merged.value, Encrypted):
            return self._opened(key, merged.value, winner)
        value = self._resolved(merged.value, winner)
        if value is None or value.data is None:
            return value
        if key.secret and not value.secret and not is_one_reference(merged.value) and merged.value != "":
            self.around.problems.append(winner.problem("is a secret in a plain file", SECRET_HINT))
            return None
        return self._accepted(key, value, winner.problem, is_literal=not holds_reference(merged.value))

    def _opened(self, key: ContractKey, encrypted: Encrypted, winner: Given) -> Value | None:
        """A value of an encrypted file. Remembered as it is delivered, for those who cannot read it."""
        if encrypted.secret is None:
            return Value(self.around.sealed(encrypted), secret=True, characters=100)
        text = encrypted.secret.reveal()
        value = Value(text, secret=True, characters=len(text))
        accepted = self._accepted(key, value, winner.problem, is_literal=False)
        if accepted is not None:
            vault = self.around.means.vault
            vault.remember(encrypted.mark, vault.seal(written_as(key, cast(Plain, accepted.data))))
        return accepted

    def _provided(self, key: ContractKey) -> Value | None:
        """The secret that people gave for a key."""
        accounts = self.around.accounts
        found = accounts.secrets.lookup(accounts.environment, self.name, key.name)
        if found is None:
            return None
        secret, origin = found
        self.secret_origins[key.name] = origin
        if isinstance(secret, Sealed):
            return Value(secret, secret=True, characters=100)

        def problem(message: str, hint: str | None) -> Problem:
            return Problem(origin.location, key.name, message, hint)

        text = secret.reveal()
        return self._accepted(key, Value(text, secret=True, characters=len(text)), problem, is_literal=False)

    def _in_plain_files(self, given: Sequence[Given]) -> bool:
        found = [
            one
            for one in given
            if one.value not in (None, "") and not is_well_meant(one.value) and not is_encrypted(one.value)
        ]
        self.around.problems += [one.problem("is a secret in a plain file", SECRET_HINT) for one in found]
        return bool(found)

    def _accepted(
        self,
        key: ContractKey,
        value: Value,
        problem: Callable[[str, str | None], Problem],
        *,
        is_literal: bool,
    ) -> Value | None:
        if isinstance(value.data, Sealed):
            return value
        if holds_stand_in(value.data):
            return replace(value, data=Sealed.unreadable(written(value.data)), secret=True)
        try:
            data = accept(key, value.data, is_literal=is_literal)
        except Unfit as error:
            self.around.problems.append(problem(error.message, error.hint))
            return None
        return Value(
            data, value.secret or key.secret, value.through, value.chain, value.characters, value.levels
        )

    def _engine_value(self, merged: Merged) -> Value | None:
        winner = merged.winner
        if winner is None or merged.value is None:
            return Value(None)
        if winner.path[0] in ("processes", "crons"):
            return Value(merged.value)
        value = self._resolved(merged.value, winner)
        if value and value.secret:
            hint = "engines show these values; give the program the secret under `app:`"
            self.around.problems.append(winner.problem("cannot be a secret", hint))
            return None
        return value


def is_encrypted(data: Plain) -> bool:
    """Whether all of a value comes from an encrypted file."""
    if isinstance(data, dict | list):
        return bool(data) and all(map(is_encrypted, data.values() if isinstance(data, dict) else data))
    return isinstance(data, Encrypted)


def holds_encrypted(data: Plain) -> bool:
    """Whether some of a value comes from an encrypted file."""
    if isinstance(data, dict | list):
        return any(map(holds_encrypted, data.values() if isinstance(data, dict) else data))
    return isinstance(data, Encrypted)


_DEFAULTS = Process("")


def service_scope(
    declaration: Declaration, layers: Sequence[Layer], version: str | None, around: Surroundings
) -> ServiceScope:
    spec = declaration.spec
    domain = around.product.services[spec.name].domain
    return ServiceScope(declaration, domain, layers, version, around)


def _default(name: str) -> Plain:
    """What an engine value is, as one would write it, when nobody says anything."""
    defaults: dict[str, Plain] = {
        "replicas": _DEFAULTS.replicas,
        "drain": f"{_DEFAULTS.drain:g}s",
        "stop_grace": f"{_DEFAULTS.stop_grace:g}s",
    }
    return defaults.get(name)


def is_one_reference(data: Plain) -> bool:
    return isinstance(data, str) and data.startswith("${") and data.endswith("}") and data.count("${") == 1


def _short(trail: Sequence[str]) -> list[str]:
    """The names without their service, while they are all of one."""
    services = {name.split(" ")[0] for name in trail}
    return [name.split(" ")[1] for name in trail] if len(services) == 1 else list(trail)
