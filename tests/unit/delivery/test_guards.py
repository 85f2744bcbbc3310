"""What is asked twice, and what is not."""

from __future__ import annotations

import pytest

from ecluse.delivery import guards
from ecluse.errors import Refused
from ecluse.model.deployment import LedgerEntry
from ecluse.model.doubt import Doubt
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.plan import Change, Circumstances, Plan
from tests.unit.delivery.samples import NOON

HERE = Circumstances("a1:", "/srv/shop", "engine-1")
API = ServiceName("api")


def plan(removed: int, *, running: int, kind: str = "deploy", created: int = 0) -> Plan:
    gone = tuple(Change("remove", f"s{number}/web") for number in range(removed))
    come = tuple(Change("create", f"n{number}/web") for number in range(created))
    return Plan("test", kind, "", (), (*gone, *come), running=running)  # type: ignore[arg-type]


def test_taking_away_more_than_half_is_asked() -> None:
    assert guards.removes_much(plan(2, running=3))
    assert guards.removes_much(plan(1, running=1))
    assert not guards.removes_much(plan(2, running=4))
    assert not guards.removes_much(plan(3, running=3, kind="down"))
    assert not guards.removes_much(plan(1, running=1, created=1))


def test_an_empty_product_is_asked_for_what_it_is() -> None:
    (doubt,) = guards.doubts(plan(3, running=3), services=(), now=HERE, before=HERE)
    assert doubt == Doubt("empty-product", "the product has no services, and 3 processes would go")
    (much,) = guards.doubts(plan(3, running=3), services=[API], now=HERE, before=HERE)
    assert much == Doubt("removes-most", "3 of the 3 processes that run here would go")


@pytest.mark.parametrize(
    ("repository", "folder", "is_other"),
    [
        ("a1:", "/home/bob/shop", False),
        ("b2:", "/srv/shop", True),
        ("a1:old/", "/srv/shop", True),
        ("", "/srv/shop", False),
        ("", "/home/bob/shop", True),
        ("?", "/ci/build/17", False),
    ],
)
def test_another_history_is_another_product_and_another_clone_is_not(
    repository: str, folder: str, *, is_other: bool
) -> None:
    assert guards.is_other_folder(Circumstances(repository, folder), HERE) == is_other


def test_nothing_is_asked_where_nothing_is_on_record() -> None:
    assert list(guards.elsewhere(HERE, Circumstances())) == []


def test_another_engine_is_asked() -> None:
    (doubt,) = guards.elsewhere(Circumstances("a1:", "/srv/shop", "engine-2"), HERE)
    assert doubt.guard == "other-engine"
    assert "it was engine-1, this is engine-2" in doubt.sentence


def test_a_guard_is_accepted_by_its_name_only() -> None:
    found = [Doubt("removes-most", "3 of 3 would go"), *guards.irreversible([entry()])]
    with pytest.raises(Refused) as refused:
        guards.refuse(found, ["removes-most"])
    assert refused.value.message == (
        "this needs a yes of its own:\n  - api/migrate ran in deployment 4 and cannot be undone: "
        "the older api would find data that it does not know"
    )
    assert refused.value.hint == "when it is what you want: --accept irreversible"
    guards.refuse(found, ["removes-most", "irreversible"])


def entry() -> LedgerEntry:
    return LedgerEntry(API, "migrate", "k", 4, NOON, reversible=False, succeeded=True)


def test_what_runs_without_any_record_is_asked_about_and_adopt_is_named() -> None:
    assert list(guards.unrecorded(EnvironmentName("test"), [])) == []
    (doubt,) = guards.unrecorded(EnvironmentName("test"), [ServiceName("web"), ServiceName("api")])
    assert doubt.guard == "no-record"
    assert doubt.sentence.startswith(
        "api, web run in test, and no deployment of it is on record: `ecluse adopt test`"
    )
