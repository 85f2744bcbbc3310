"""Who may read which secret, held against the environments: keys that open too much, secrets that are newly claimed.

Recipients are public: nothing here needs a key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ecluse.config.load import Configuration
from ecluse.errors import Location, Problem
from ecluse.model.application import Application, Desired, Setting
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.product import Environment
from ecluse.model.secret import Sealed

FOLDER = "config/environments/"
Received = Mapping[tuple[ServiceName, str], str | None]
"""The secrets that services of an environment have: by service and key, the file that each came from, if known."""


def reader_problems(
    configuration: Configuration, environment: Environment, applications: Iterable[Application]
) -> Iterator[Problem]:
    """Secrets of a protected environment that a key of another environment opens."""
    if not environment.protected:
        return
    strangers = _strangers(configuration, environment.name)
    own = f"{FOLDER}{environment.name}/"
    delivered = {setting.origin.location.file for one in applications for setting in one.settings}
    for file, twin in configuration.twins.files.items():
        if file.startswith(own) or (file in delivered and not file.startswith(FOLDER)):
            for recipient in twin.recipients:
                if other := strangers.get(recipient):
                    yield _readable(file, environment.name, other, recipient)


def same_secrets(configuration: Configuration, desired: Iterable[Desired]) -> Iterator[Problem]:
    """Secrets of a protected environment that an unprotected one has too, as far as they can be read here, and
    one of the two stands in the product's files."""
    all_desired = list(desired)
    weak = {
        setting.text: (one.target.environment, setting.origin.location.file)
        for one in all_desired
        if not one.target.protected
        for setting in _secrets(one)
    }
    for one in all_desired if weak else ():
        for setting in _secrets(one) if one.target.protected else ():
            assert isinstance(setting.text, Sealed)
            other, file = weak.get(setting.text, (None, ""))
            if other and {file, setting.origin.location.file} & configuration.twins.files.keys():
                message = f"is the same secret in {one.target.environment} and in {other}"
                hint = "whoever sees it there can use it here: give each its own"
                yield Problem(setting.origin.location, setting.key, message, hint)


def claims(configuration: Configuration, desired: Desired, received: Received) -> Iterator[Problem]:
    """Services that receive a secret of a shared file which they did not receive before."""
    for service, application in desired.applications.items():
        for setting in application.settings:
            origin = setting.origin
            is_shared = not origin.layer.split(", ")[-1].startswith("service ")
            if origin.location.file not in configuration.twins.files or not is_shared:
                continue
            before = (service, setting.key) in received
            if not before or received[service, setting.key] not in (None, origin.location.file):
                message = f"is a shared secret that {service} claims in {desired.target.environment}"
                yield Problem(origin.location, setting.key, message)


def received_by(applications: Mapping[ServiceName, Application]) -> dict[tuple[ServiceName, str], str | None]:
    """What services have, from what is known good."""
    return {
        (service, setting.key): setting.origin.location.file
        for service, application in applications.items()
        for setting in application.settings
        if isinstance(setting.text, Sealed)
    }


def _strangers(configuration: Configuration, name: EnvironmentName) -> dict[str, EnvironmentName]:
    """The recipients of other environments, but for people who may hold several keys."""
    holders = set(configuration.product.holders.values())
    found: dict[str, EnvironmentName] = {}
    for other in configuration.product.environments:
        keys = set(configuration.twins.rules.get(other, ()))
        for file, twin in configuration.twins.files.items():
            keys |= set(twin.recipients) if file.startswith(f"{FOLDER}{other}/") else set()
        found |= dict.fromkeys(keys - holders, other) if other != name else {}
    return found


def _readable(file: str, environment: str, other: str, recipient: str) -> Problem:
    message = f"is for {environment}, and can be read with a key of {other}: {recipient}"
    scope = f"--env {environment} " if file.startswith(FOLDER) else ""
    hint = (
        f"`ecluse secrets recipients remove {scope}{recipient}`; "
        "or name who holds it under secrets.holders in ecluse.yaml"
    )
    return Problem(Location(file), "", message, hint)


def _secrets(desired: Desired) -> Iterator[Setting]:
    """Those that people gave; what is composed of references is told where its parts are."""
    for application in desired.applications.values():
        for setting in application.settings:
            if isinstance(setting.text, Sealed) and not setting.text.is_unreadable and not setting.through:
                yield setting
