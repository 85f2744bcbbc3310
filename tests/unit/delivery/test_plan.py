from __future__ import annotations

from dataclasses import replace

from ecluse.delivery.plan import make_plan
from ecluse.model.deployment import LedgerEntry
from ecluse.model.names import ServiceName
from ecluse.model.observed import Observed
from ecluse.model.plan import Plan
from ecluse.model.product import Tls
from ecluse.model.secret import Sealed
from ecluse.model.service import Cron, Task
from ecluse.model.workload import task_key
from tests.unit.delivery.samples import (
    NOON,
    NOTHING,
    application,
    database,
    desired,
    known,
    running,
)

EMPTY = Observed(exists=False)
MIGRATE = Task("migrate", ("php", "migrate.php"), when="before")


def changes(plan: Plan) -> list[str]:
    return [change.id for change in plan.changes]


def test_an_empty_environment_gets_backing_then_tasks_then_processes_in_the_order_of_use() -> None:
    front = application("front", uses=("api",))
    api = application("api", backing=("db",), tasks=(MIGRATE,))
    plan = make_plan(desired(front, api, backing=(database("api"),)), EMPTY, NOTHING, [])
    assert changes(plan) == ["provide db", "run api/migrate", "create api/web", "create front/web"]
    assert [(step.service, step.before, step.after) for step in plan.steps] == [
        ("api", None, "1"),
        ("front", None, "1"),
    ]


def test_what_runs_as_wanted_needs_nothing() -> None:
    api = application("api", settings={"LEVEL": "info"})
    plan = make_plan(desired(api), running(api), known(api), [])
    assert plan.is_empty


def test_a_changed_key_replaces_the_process_and_names_key_values_and_origin() -> None:
    old = application("api", settings={"LEVEL": "info", "KEPT": "x"})
    new = application("api", settings={"LEVEL": "debug", "KEPT": "x"})
    (change,) = make_plan(desired(new), running(old), known(old), []).changes
    assert change.id == "replace api/web"
    assert change.expects == ("api-web-1",)
    (difference,) = change.differences
    assert (difference.what, difference.before, difference.after) == ("config LEVEL", "info", "debug")
    assert difference.origin == "config/common.yaml:1 (common)"


def test_a_key_that_changes_through_references_names_them() -> None:
    old, new = (application("api", settings={"URL": f"http://{host}"}) for host in ("a", "b"))
    (setting,) = new.settings
    new = replace(new, settings=(replace(setting, through=("app.HOST", "environment.domain")),))
    (change,) = make_plan(desired(new), running(old), known(old), []).changes
    assert change.differences[0].origin == (
        "config/common.yaml:1 (common), through ${app.HOST}, ${environment.domain}"
    )


def test_a_changed_secret_is_visible_and_its_value_is_not() -> None:
    old = application("api", settings={"TOKEN": Sealed("aaaa")})
    new = application("api", settings={"TOKEN": Sealed("bbbb")})
    (change,) = make_plan(desired(new), running(old), known(old), []).changes
    assert change.differences[0].before == Sealed("aaaa")
    assert change.differences[0].after == Sealed("bbbb")


def test_a_release_whose_label_alone_differs_replaces_nothing_and_is_recorded() -> None:
    old = application("api", "1", content="same")
    new = application("api", "2", content="same")
    plan = make_plan(desired(new), running(old), known(old), [])
    assert plan.changes == ()
    assert not plan.is_empty


def test_other_replicas_only_scale() -> None:
    old, new = application("api"), application("api", replicas=3)
    (change,) = make_plan(desired(new), running(old), known(old), []).changes
    assert change.id == "scale api/web"
    assert [(item.what, item.before, item.after) for item in change.differences] == [("replicas", "1", "3")]


def test_a_lost_replica_is_made_up_for() -> None:
    api = application("api", replicas=2)
    seen = running(api)
    short = Observed(exists=True, replicas=seen.replicas[:1])
    assert changes(make_plan(desired(api), short, known(api), [])) == ["scale api/web"]


def test_containers_that_nobody_recorded_are_replaced_with_a_note() -> None:
    api = application("api", settings={"LEVEL": "info"})
    foreign = running(application("api", settings={"LEVEL": "by hand"}))
    (change,) = make_plan(desired(api), foreign, known(api), []).changes
    assert change.id == "replace api/web"
    assert change.note == "what runs is not what is on record"


def test_a_release_task_runs_once_for_its_content() -> None:
    api = application("api", tasks=(MIGRATE,))
    entry = LedgerEntry(
        ServiceName("api"), "migrate", task_key(api, MIGRATE), 1, NOON, reversible=True, succeeded=True
    )
    assert changes(make_plan(desired(api), running(api), known(api), [entry])) == []
    newer = application("api", "2", tasks=(MIGRATE,))
    assert changes(make_plan(desired(newer), running(api), known(api), [entry])) == [
        "run api/migrate",
        "replace api/web",
    ]


def test_a_failed_release_task_runs_again() -> None:
    api = application("api", tasks=(MIGRATE,))
    entry = LedgerEntry(
        ServiceName("api"), "migrate", task_key(api, MIGRATE), 1, NOON, reversible=True, succeeded=False
    )
    assert changes(make_plan(desired(api), running(api), known(api), [entry])) == ["run api/migrate"]


def test_a_changed_schedule_touches_no_container() -> None:
    old = application("api", crons=(Cron("mail", "0 6 * * *", ("mail",)),))
    new = application("api", crons=(Cron("mail", "0 7 * * *", ("mail",)),))
    (change,) = make_plan(desired(new), running(old), known(old), []).changes
    assert change.id == "schedule api/mail"
    assert (change.differences[0].before, change.differences[0].after) == ("0 6 * * *", "0 7 * * *")


def test_a_removed_service_is_taken_away_and_others_are_left_alone() -> None:
    api, old, other = application("api"), application("old"), application("other")
    seen = running(api, old, other)
    plan = make_plan(desired(api), seen, known(api, old, other), [], removed=[ServiceName("old")])
    assert changes(plan) == ["remove old/web"]
    assert plan.running == 3


def test_a_new_client_of_a_database_gets_an_account() -> None:
    one, two = application("one", backing=("db",)), application("two", backing=("db",))
    plan = make_plan(
        desired(one, two, backing=(database("one", "two"),)),
        running(one),
        known(one, backing=(database("one"),)),
        [],
    )
    assert changes(plan)[0] == "provide db"
    assert "account two" in [item.what for item in plan.changes[0].differences]


def test_the_digest_of_a_plan_changes_with_what_runs() -> None:
    old, new = application("api", "1"), application("api", "2")
    first = make_plan(desired(new), running(old), known(old), [])
    seen = running(old).replicas[0]
    moved = Observed(exists=True, replicas=(type(seen)(**{**_facts(seen), "id": "another"}),))
    assert make_plan(desired(new), moved, known(old), []).digest != first.digest


def _facts(replica: object) -> dict[str, object]:
    return {name: getattr(replica, name) for name in replica.__dataclass_fields__}  # type: ignore[attr-defined]


def test_another_way_to_answer_over_https_is_a_change() -> None:
    web = application("web")
    now = replace(EMPTY, exists=True, tls=Tls())
    wanted = desired(web)
    assert "secure gateway" not in changes(make_plan(wanted, now, NOTHING, []))
    wanted = replace(wanted, target=replace(wanted.target, tls=Tls(redirect=True, hsts=3600)))
    plan = make_plan(wanted, now, NOTHING, [])
    assert changes(plan)[0] == "secure gateway"
    told = [(item.what, item.before, item.after) for item in plan.changes[0].differences]
    assert told == [("tls redirect", "false", "true"), ("tls hsts", None, "3600")]
    assert "secure gateway" not in changes(make_plan(wanted, replace(now, tls=None), NOTHING, []))


def test_a_proxy_that_can_be_told_nothing_any_more_is_made_again() -> None:
    web = application("web")
    lost = replace(running(web), lost=("edge", "gateway"))
    (change,) = make_plan(desired(web), lost, known(web), []).changes
    assert change.id == "secure gateway"
    assert change.note == (
        "the edge and the gateway can be told nothing any more: made again, a moment without answers"
    )
