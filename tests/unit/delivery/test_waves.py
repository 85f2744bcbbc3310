from __future__ import annotations

from ecluse.delivery.plan import make_plan
from ecluse.delivery.waves import waves
from ecluse.model.names import ServiceName
from ecluse.model.observed import Observed
from ecluse.model.plan import Change
from ecluse.model.service import Task
from tests.unit.delivery.samples import NOTHING, application, database, desired

MIGRATE = Task("migrate", ("migrate",), when="before")


def test_what_is_used_is_ready_before_who_uses_it_and_the_rest_goes_side_by_side() -> None:
    wanted = desired(
        application("front", uses=("api", "mail")),
        application("api", backing=("db",), tasks=(MIGRATE,)),
        application("mail"),
        backing=(database("api"),),
    )
    plan = make_plan(wanted, Observed(exists=False), NOTHING, [])
    told = [
        [[change.id for change in lane] for lane in wave] for wave in waves(plan.changes, wanted.applications)
    ]
    assert told == [
        [["provide db"]],
        [["run api/migrate", "create api/web"], ["create mail/web"]],
        [["create front/web"]],
    ]


def test_what_goes_goes_last_and_the_ground_after_everything() -> None:
    changes = (
        Change("remove", "a/web", ServiceName("a"), "web"),
        Change("remove", "b/web", ServiceName("b"), "web"),
        Change("withdraw", "db", part="db"),
        Change("erase", "gateway and network"),
    )
    told = [[len(lane) for lane in wave] for wave in waves(changes, {})]
    assert told == [[1, 1], [1, 1]]


def test_a_circle_of_uses_ends() -> None:
    one, two = application("one", uses=("two",)), application("two", uses=("one",))
    wanted = desired(one, two)
    plan = make_plan(wanted, Observed(exists=False), NOTHING, [])
    assert sum(len(wave) for wave in waves(plan.changes, wanted.applications)) == 2
