"""Writes the lockfile of an environment into the product's folder: an export of what is known good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecluse.cli.output import say

if TYPE_CHECKING:
    from ecluse.model.product import Environment
    from ecluse.wiring.product import OpenProduct


def export_lock(product: OpenProduct, environment: Environment) -> None:
    """Says so when the file changed; committing it is left to people."""
    from ecluse.config.lockfile import write_lockfile

    known = product.reading.records.known_good(environment.name)
    path = write_lockfile(product.root, environment.name, known)
    if path is not None:
        say(f"wrote {path.relative_to(product.root)}")
