"""Who may read what, seen from a plan: values that would be delivered and that nobody can read here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ecluse.model.application import Application, Desired
from ecluse.model.names import EnvironmentName
from ecluse.model.secret import Encrypted, Sealed

if TYPE_CHECKING:
    from ecluse.config.load import Configuration
    from ecluse.config.readers import Received
    from ecluse.wiring.product import OpenProduct


def unreadable_values(
    configuration: Configuration, desired: Desired, met: Sequence[Encrypted]
) -> Iterator[str]:
    """A line for each encrypted value behind what cannot be delivered; nothing where all is known."""
    from ecluse.config.twins import location_of

    if not any(map(_is_unreadable, desired.applications.values())):
        return
    for encrypted in met:
        where = location_of(configuration.twins.documents, encrypted)
        readers = ", ".join(named(configuration.product.holders, encrypted.recipients))
        yield f"{where}: {encrypted.path}: nobody can read it here; {readers} can"


def named(holders: Mapping[str, str], recipients: Sequence[str]) -> list[str]:
    """Recipients with the names of those that ecluse.yaml knows."""
    names = {recipient: name for name, recipient in holders.items()}
    return [f"{names[one]} ({one})" if one in names else one for one in recipients]


def received(product: OpenProduct) -> Callable[[EnvironmentName], Received]:
    """The secrets that services have: from the record, or else from the lockfile in git."""
    from ecluse.config.readers import received_by
    from ecluse.wiring.lock import locked_secrets

    def find(environment: EnvironmentName) -> Received:
        known = product.reading.records.known_good(environment).applications
        return received_by(known) if known else locked_secrets(product, product.environment(environment))

    return find


def claimed(product: OpenProduct, desired: Desired) -> list[str]:
    """A line for each service that would receive a shared secret which it did not have."""
    from ecluse.config.readers import claims

    before = received(product)(desired.target.environment)
    return [str(problem) for problem in claims(product.configuration, desired, before)]


def _is_unreadable(application: Application) -> bool:
    texts = [setting.text for setting in application.settings]
    texts += [file.content for file in application.files]
    return any(isinstance(text, Sealed) and text.is_unreadable for text in texts)
