"""What a change asks of the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from ecluse.delivery import actions
from ecluse.engines.memory import MemoryEngine
from ecluse.model.application import Application, Target
from ecluse.model.event import Event
from ecluse.model.names import ServiceName
from ecluse.model.plan import Change, DeploymentKind, Intent, Plan
from ecluse.model.service import Introduction
from ecluse.model.workload import Workload
from tests.unit.delivery.samples import TARGET, application

CHANGE = Change("replace", "api/web", ServiceName("api"), "web")
STEPS = Introduction((0.1,), 30.0)


class Noting(MemoryEngine):
    """Notes what it was asked to roll out."""

    def __init__(self) -> None:
        super().__init__()
        self.rolled_out: list[Workload] = []

    async def rollout(self, target: Target, workload: Workload) -> AsyncIterator[Event]:
        self.rolled_out.append(workload)
        return
        yield


def stepwise(version: str) -> Application:
    made = application("api", version)
    return replace(made, processes={"web": replace(made.processes["web"], rollout=STEPS)})


def intent(kind: DeploymentKind) -> Intent:
    new, old = stepwise("2"), stepwise("1")
    return Intent(TARGET, Plan("test", kind, "abc", (), (CHANGE,)), {new.service: new}, {old.service: old})


async def rolled_out(events: AsyncIterator[Event] | None, engine: Noting) -> Workload:
    assert events is not None
    assert [event async for event in events] == []
    return engine.rolled_out[-1]


async def test_a_deployment_starts_slowly_and_what_comes_back_comes_at_once() -> None:
    engine = Noting()
    forth = await rolled_out(actions.apply(engine, intent("deploy"), CHANGE), engine)
    assert (forth.box.release.version, forth.spec.rollout) == ("2", STEPS)
    back = await rolled_out(actions.undo(engine, intent("deploy"), CHANGE), engine)
    assert (back.box.release.version, back.spec.rollout) == ("1", Introduction(judge=False))
    rollback = await rolled_out(actions.apply(engine, intent("rollback"), CHANGE), engine)
    assert (rollback.box.release.version, rollback.spec.rollout) == ("2", Introduction(judge=False))
