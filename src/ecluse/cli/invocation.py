"""What every command gets: the folder it works in, and the way to open it."""

from __future__ import annotations

import os
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ecluse.settings import Settings
    from ecluse.wiring.product import OpenProduct

Value = TypeVar("Value")


class Invocation:
    """One call of the command."""

    def __init__(self, directory: Path, *, debug: bool) -> None:
        self.directory = directory
        self.debug = debug

    @property
    def settings(self) -> Settings:
        from ecluse.settings import read_settings

        return read_settings(os.environ)

    def open(self, *, secrets: Path | None = None) -> OpenProduct:
        from ecluse.wiring.product import OpenProduct

        return OpenProduct(self.directory.absolute(), self.settings, secrets_file=secrets)

    def run(self, work: Coroutine[Any, Any, Value]) -> Value:
        """The one place where asynchronous work begins."""
        import asyncio

        return asyncio.run(work)
