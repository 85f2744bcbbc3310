from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.asked import Asked
from tests.unit.config.product_folder import ACCOUNTING, PRODUCT, ProductFolder


@pytest.fixture
def product(tmp_path: Path) -> ProductFolder:
    folder = ProductFolder(tmp_path / "product")
    folder.write("ecluse.yaml", PRODUCT).write("services/accounting/service.yaml", ACCOUNTING)
    return folder.invoicing()


@pytest.fixture
def ask(
    product: ProductFolder,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Asked:
    """`ecluse` on the product, with a state that is not there, and must not be there afterwards."""
    monkeypatch.setenv("ECLUSE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("NO_COLOR", "1")
    return Asked(product.root, capsys)
