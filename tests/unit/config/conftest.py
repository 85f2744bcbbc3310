from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.config.product_folder import ACCOUNTING, PRODUCT, ProductFolder


@pytest.fixture
def product(tmp_path: Path) -> ProductFolder:
    """Two services, two environments, two backing services, no layers."""
    folder = ProductFolder(tmp_path)
    folder.write("ecluse.yaml", PRODUCT).write("services/accounting/service.yaml", ACCOUNTING)
    return folder.invoicing()
