"""Every broken product gives exactly the error that its folder expects."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecluse.config.check import check
from ecluse.config.load import load
from ecluse.config.workspace import open_workspace
from ecluse.errors import ConfigInvalid, Problem
from ecluse.secrets.memory import MemorySecrets, MemoryVault

BROKEN = Path(__file__).parents[1] / "broken"
PRODUCTS = sorted(path.name for path in BROKEN.iterdir() if path.is_dir())


def problems(root: Path) -> tuple[Problem, ...]:
    try:
        found, _ = check(load(open_workspace(root)), MemorySecrets(), MemoryVault())
    except ConfigInvalid as error:
        return error.problems
    return ConfigInvalid(found).problems


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_broken_product_says_exactly_what_is_wrong(name: str) -> None:
    root = BROKEN / name
    said = "".join(f"{problem}\n" for problem in problems(root))
    assert said == (root / "expected.txt").read_text("utf-8")


def test_there_are_at_least_sixty_of_them_and_none_is_empty() -> None:
    assert len(PRODUCTS) >= 60
    assert all((BROKEN / name / "expected.txt").read_text("utf-8").strip() for name in PRODUCTS)
