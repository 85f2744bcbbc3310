from __future__ import annotations

from tests.unit.importers.folder import _folder  # noqa: F401
