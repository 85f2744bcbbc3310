"""Every environment as the tree would have it: all that is wrong, before anybody deploys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from ecluse.config.load import Configuration
from ecluse.config.resolve import resolved_or_not
from ecluse.errors import Problem
from ecluse.model.names import ServiceName
from ecluse.model.release import Release
from ecluse.ports import SecretSource, Vault

_VERSION = "tree"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def check(
    configuration: Configuration, secrets: SecretSource, vault: Vault
) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Problems and warnings of all environments, each once.

    A required secret that nobody gives is a warning here: it is not in the product's files.
    """
    releases = dict(_releases(configuration))
    problems: dict[Problem, None] = {}
    warnings: dict[Problem, None] = dict.fromkeys(configuration.warnings)
    for environment in configuration.product.environments:
        resolved, found, absent = resolved_or_not(
            configuration,
            environment,
            releases,
            services=releases,
            secrets=secrets,
            vault=vault,
            public_port=None,
        )
        problems |= dict.fromkeys(found)
        warnings |= dict.fromkeys((*resolved.warnings, *absent))
    return tuple(problems), tuple(warnings)


def _releases(configuration: Configuration) -> Iterator[tuple[ServiceName, Release]]:
    """What building the tree would release, without an image."""
    for name, declaration in configuration.declarations.items():
        yield (
            name,
            Release(
                service=name,
                version=_VERSION,
                image_id="",
                content="",
                inputs="",
                created=_LONG_AGO,
                commit=None,
                dirty=True,
                service_yaml=declaration.text,
                templates=configuration.templates[name],
            ),
        )
