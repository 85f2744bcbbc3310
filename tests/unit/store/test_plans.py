"""Saved plans: readable, without secrets, and worth nothing once they were changed."""

from __future__ import annotations

import json

import pytest

from ecluse.delivery.plan import make_plan
from ecluse.errors import EcluseError, Refused, UsageError
from ecluse.model.observed import Observed
from ecluse.model.plan import Intent
from ecluse.secrets.memory import MemoryVault
from ecluse.store.plans import SavedPlan, dump, load
from tests.unit.delivery.samples import NOON, NOTHING, TARGET, application, desired

VAULT = MemoryVault()


def saved() -> SavedPlan:
    api = application("api", settings={"LEVEL": "debug", "TOKEN": VAULT.seal("correct-horse")})
    plan = make_plan(desired(api), Observed(exists=False), NOTHING, [])
    return SavedPlan(Intent(TARGET, plan, {api.service: api}, {}), NOON, "me")


def read(text: str, *, product: str = "shop", key: str = "key") -> SavedPlan:
    return load(text, name="plan.json", product=product, key=key)


def test_a_plan_comes_back_as_it_was_and_holds_no_secret() -> None:
    text = dump(saved(), key="key")
    assert read(text) == saved()
    assert "correct-horse" not in text


@pytest.mark.parametrize("text", ["", "not json", "[]", '{"kind": "list"}', "\x00"])
def test_what_is_no_saved_plan_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="plan.json is not a saved plan"):
        read(text)


@pytest.mark.parametrize(
    ("key", "value"),
    [("digest", "x"), ("made_by", "you"), ("environment", "prod"), ("seal", ""), ("seal", 3)],
)
def test_one_that_was_edited_is_refused(key: str, value: object) -> None:
    facts = json.loads(dump(saved(), key="key"))
    with pytest.raises(Refused, match="its seal does not hold"):
        read(json.dumps(facts | {key: value}))


def test_an_edit_deep_inside_is_refused() -> None:
    text = dump(saved(), key="key")
    assert text.count('"debug"') >= 1
    with pytest.raises(Refused, match="its seal does not hold"):
        read(text.replace('"debug"', '"trace"', 1))


def test_one_of_another_state_product_or_form_is_refused_with_the_reason() -> None:
    text = dump(saved(), key="key")
    for refused, words in (
        (lambda: read(text, key="another"), "saved on another state"),
        (lambda: read(text, product="bank"), "a plan of the product shop, and this is bank"),
        (
            lambda: read(text.replace('"form": 1', '"form": 9')),
            "has the form 9, and this ecluse reads the form 1",
        ),
    ):
        with pytest.raises(EcluseError, match=words):
            refused()
