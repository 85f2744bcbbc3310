"""`ecluse config check`: `ecluse check`, among the questions."""

from __future__ import annotations

from ecluse.cli.commands.check import check

__all__ = ["check"]
