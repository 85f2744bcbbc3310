"""Writes the lockfile after a deployment, and says so. Committing it is left to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecluse.cli.output import say

if TYPE_CHECKING:
    from ecluse.model.product import Environment
    from ecluse.wiring.product import OpenProduct


def export_lock(product: OpenProduct, environment: Environment) -> None:
    from ecluse.wiring import lock

    path = lock.export_lock(product, environment)
    if path is not None:
        say(f"wrote {path.relative_to(product.root)}")
