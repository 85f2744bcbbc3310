"""The interpreter on the in-memory engine and the real record: success, failure, restoration, cancel, crash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest

from ecluse.delivery import quarantine
from ecluse.delivery.acting import Acting, side_by_side
from ecluse.delivery.execute import Execution
from ecluse.delivery.journal import MemoryJournal
from ecluse.delivery.plan import make_plan
from ecluse.delivery.single import command_intent
from ecluse.delivery.turns import Turns
from ecluse.delivery.waves import Lane
from ecluse.engines.memory import MemoryEngine
from ecluse.errors import CutShort
from ecluse.model.application import Application, BackingService
from ecluse.model.cause import Cause
from ecluse.model.deployment import DeploymentState
from ecluse.model.event import Event
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.plan import Change, DeploymentKind, Intent
from ecluse.model.service import Task
from ecluse.store.clock import SystemClock
from ecluse.store.database import open_memory
from ecluse.store.records import SqlRecords
from tests.unit.delivery.samples import TARGET, application, database, desired

TEST = EnvironmentName("test")
MIGRATE = Task("migrate", ("migrate",), when="before", reversible=False)


@dataclass
class Workshop:
    """A product's state and engine, and the way from applications to a finished deployment."""

    records: SqlRecords = field(default_factory=lambda: SqlRecords(open_memory()))
    engine: MemoryEngine = field(default_factory=MemoryEngine)

    async def intent(
        self,
        *applications: Application,
        backing: tuple[BackingService, ...] = (),
        removed: tuple[str, ...] = (),
    ) -> Intent:
        known = self.records.known_good(TEST)
        wanted = desired(*applications, backing=backing)
        gone = [ServiceName(name) for name in removed]
        plan = make_plan(
            wanted, await self.engine.observe(TARGET), known, self.records.ledger(TEST), removed=gone
        )
        scope = {*wanted.applications, *gone}
        return Intent(
            TARGET,
            plan,
            wanted.applications,
            {name: app for name, app in known.applications.items() if name in scope},
            others={name: app for name, app in known.applications.items() if name not in scope},
            backing=wanted.backing,
            previous_backing=known.backing,
        )

    async def execute(self, intent: Intent, journal: MemoryJournal | None = None) -> DeploymentState:
        return await self.resume(self.records.enqueue(intent, by="me"), journal)

    async def resume(
        self, number: int, journal: MemoryJournal | None = None, turns: Turns | None = None
    ) -> DeploymentState:
        execution = Execution(
            self.records.deployment(number),
            engine=self.engine,
            journal=journal or MemoryJournal(),
            records=self.records,
            clock=SystemClock(),
            turns=turns,
        )
        return await execution.execute()

    async def deploy(self, *applications: Application, **more: tuple[BackingService, ...]) -> DeploymentState:
        return await self.execute(await self.intent(*applications, **more))

    def kinds(self, number: int) -> list[str]:
        return [item.event.kind for item in self.records.events(number)]

    async def versions(self) -> dict[str, list[str]]:
        seen: dict[str, list[str]] = {}
        for replica in (await self.engine.observe(TARGET)).replicas:
            seen.setdefault(replica.service, []).append(replica.version)
        return seen


@pytest.fixture
def workshop() -> Workshop:
    return Workshop()


async def test_a_deployment_makes_what_it_planned_and_is_known_good(workshop: Workshop) -> None:
    api = application("api", tasks=(MIGRATE,), backing=("db",), replicas=2)
    assert await workshop.deploy(api, backing=(database("api"),)) == "succeeded"
    assert await workshop.versions() == {"api": ["1", "1"]}
    assert workshop.records.known_good(TEST).applications == {"api": api}
    assert workshop.engine.asked == [
        "prepare",
        "provide db",
        "run api/migrate",
        "rollout api/web",
        "confirm",
        "prepare",
    ]
    assert workshop.kinds(1)[0] == "deployment.started"
    assert workshop.kinds(1)[-1] == "deployment.succeeded"
    again = await workshop.intent(api, backing=(database("api"),))
    assert again.plan.is_empty


async def test_a_failure_restores_everything_that_was_replaced_and_says_why(workshop: Workshop) -> None:
    await workshop.deploy(application("api"), application("web", uses=("api",)))
    cause = Cause("exited", "web/web", "it exited with 3", logs=("no ledger",))
    workshop.engine.fail("web/web", cause, version="2")
    state = await workshop.deploy(application("api", "2"), application("web", "2", uses=("api",)))
    assert state == "restored"
    assert await workshop.versions() == {"api": ["1"], "web": ["1"]}
    assert workshop.records.deployment(2).cause == cause
    assert workshop.records.known_good(TEST).deployments == {"api": 1, "web": 1}


async def test_a_failure_leaves_alone_what_ran_without_being_on_record(workshop: Workshop) -> None:
    await workshop.deploy(application("web"))
    routes = dict(workshop.engine.world(TARGET).routes)
    workshop.records = SqlRecords(open_memory())
    workshop.engine.fail("web/web", Cause("exited", "web/web", "it exited with 3"), version="2")
    assert await workshop.deploy(application("web", "2")) == "restored"
    assert await workshop.versions() == {"web": ["1"]}
    assert workshop.engine.world(TARGET).routes == routes
    assert routes


async def test_what_was_made_must_be_well_when_the_deployment_ends(workshop: Workshop) -> None:
    await workshop.deploy(application("api"))
    workshop.engine.fail("confirm api/web", Cause("exited", "api/web", "it ended later"), version="2")
    assert await workshop.deploy(application("api", "2")) == "restored"
    assert await workshop.versions() == {"api": ["1"]}
    assert workshop.records.deployment(2).cause == Cause("exited", "api/web", "it ended later")


async def test_a_release_that_failed_is_kept_out_until_it_is_lifted_or_proves_well(
    workshop: Workshop,
) -> None:
    await workshop.deploy(application("api"))
    workshop.engine.fail("api/web", version="2")
    await workshop.deploy(application("api", "2"))
    (kept,) = workshop.records.quarantined(TEST)
    assert (kept.service, kept.version, kept.content, kept.deployment) == ("api", "2", "content-2", 2)
    assert "quarantined" in [item.event for item in workshop.records.events(2)][-2].message
    known = workshop.records.known_good(TEST)
    wanted = {ServiceName("api"): application("api", "2")}
    (reason,) = quarantine.refusals(wanted, known, [kept])
    assert "api 2 is quarantined here since deployment 2: api/web was told to fail" in reason
    assert not list(quarantine.refusals({ServiceName("api"): application("api", "3")}, known, [kept]))
    workshop.engine.mend("api/web")
    assert await workshop.deploy(application("api", "2")) == "succeeded"
    assert workshop.records.quarantined(TEST) == []


async def test_lifting_names_what_was_kept_out(workshop: Workshop) -> None:
    workshop.engine.fail("api/web", version="1")
    await workshop.deploy(application("api"))
    assert [entry.version for entry in workshop.records.lift(TEST, ServiceName("api"))] == ["1"]
    assert workshop.records.lift(TEST, ServiceName("api")) == []


async def test_neither_the_same_content_nor_a_full_disk_is_held_against_a_release(workshop: Workshop) -> None:
    await workshop.deploy(application("api"))
    workshop.engine.fail("api/web")
    await workshop.deploy(application("api", settings={"LEVEL": "debug"}))
    workshop.engine.fail("api/web", Cause("no-space", "api/web", "no disk space is left"))
    await workshop.deploy(application("api", "2"))
    assert workshop.records.quarantined(TEST) == []


async def test_a_failing_first_deployment_leaves_no_replica(workshop: Workshop) -> None:
    workshop.engine.fail("web/web")
    assert await workshop.deploy(application("api"), application("web", uses=("api",))) == "restored"
    assert await workshop.versions() == {}


async def test_a_failing_task_stops_before_any_traffic_moves(workshop: Workshop) -> None:
    await workshop.deploy(application("api"))
    workshop.engine.fail("api/migrate")
    assert await workshop.deploy(application("api", "2", tasks=(MIGRATE,))) == "restored"
    assert await workshop.versions() == {"api": ["1"]}
    (entry,) = workshop.records.ledger(TEST)
    assert not entry.succeeded


async def test_a_failure_while_restoring_is_told_apart(workshop: Workshop) -> None:
    await workshop.deploy(application("api"), application("web", uses=("api",)))
    workshop.engine.fail("web/web", version="2")
    workshop.engine.fail("api/web", version="1")
    state = await workshop.deploy(application("api", "2"), application("web", "2", uses=("api",)))
    assert state == "failed"
    assert "restore.failed" in workshop.kinds(2)


async def test_a_cancelled_deployment_restores(workshop: Workshop) -> None:
    await workshop.deploy(application("api"))
    number = workshop.records.enqueue(await workshop.intent(application("api", "2")), by="me")
    workshop.records.request_cancel(number)
    assert await workshop.resume(number) == "cancelled"
    assert await workshop.versions() == {"api": ["1"]}


async def test_a_removed_service_goes_and_comes_back_when_the_rest_fails(workshop: Workshop) -> None:
    await workshop.deploy(application("api"), application("old"))
    gone = await workshop.intent(application("api"), removed=("old",))
    assert await workshop.execute(gone) == "succeeded"
    assert await workshop.versions() == {"api": ["1"]}


async def test_a_task_on_its_own_touches_nothing_else(workshop: Workshop) -> None:
    api = application("api", tasks=(MIGRATE,))
    await workshop.deploy(api)
    asked = len(workshop.engine.asked)
    assert await workshop.execute(command_intent(TARGET, api, "migrate", key="by-hand")) == "succeeded"
    assert workshop.engine.asked[asked:] == ["run api/migrate"]
    workshop.engine.fail("api/migrate")
    assert await workshop.execute(command_intent(TARGET, api, "migrate", key="again")) == "failed"
    assert workshop.records.known_good(TEST).deployments == {"api": 1}


class Killed(BaseException):
    """The runner dies: nothing of ours may catch it."""


class Dying(MemoryJournal):
    """A journal whose process dies before or after the n-th step was recorded."""

    def __init__(self, outcomes: dict[str, str], after: int, *, recorded: bool) -> None:
        super().__init__(outcomes)
        self._left = after
        self._recorded = recorded

    async def step(self, name: str, act: Callable[[], Awaitable[str]]) -> str:
        if name in self.outcomes:
            return await super().step(name, act)
        if self._left == 0:
            if self._recorded:
                await super().step(name, act)
            else:
                await act()
            raise Killed
        self._left -= 1
        return await super().step(name, act)


@pytest.mark.parametrize("kind", ["deploy", "failing"])
@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("after", range(9))
async def test_a_deployment_killed_after_any_step_ends_as_if_nothing_had_happened(
    workshop: Workshop, kind: DeploymentKind, recorded: bool, after: int
) -> None:
    await workshop.deploy(application("api"), application("web", uses=("api",)))
    if kind == "failing":
        workshop.engine.fail("web/web", version="2")
    task = Task("migrate", ("migrate",), when="before")
    number = workshop.records.enqueue(
        await workshop.intent(application("api", "2", tasks=(task,)), application("web", "2", uses=("api",))),
        by="me",
    )
    outcomes: dict[str, str] = {}
    try:
        await workshop.resume(number, Dying(outcomes, after, recorded=recorded))
    except Killed:
        await workshop.resume(number, MemoryJournal(outcomes))
    expected = "restored" if kind == "failing" else "succeeded"
    version = "1" if kind == "failing" else "2"
    assert workshop.records.deployment(number).state == expected
    assert await workshop.versions() == {"api": [version], "web": [version]}
    ended = [
        name
        for name in workshop.kinds(number)
        if name.startswith("deployment.") and name != "deployment.started"
    ]
    assert ended == [f"deployment.{expected}"]


@pytest.mark.parametrize("journal_survives", [True, False])
async def test_a_release_task_runs_once_wherever_its_deployment_is_killed(
    workshop: Workshop, journal_survives: bool
) -> None:
    for after in range(8):
        version = str(after + 2)
        task = Task("migrate", ("migrate", version), when="before")
        number = workshop.records.enqueue(
            await workshop.intent(application("api", version, tasks=(task,))), by="me"
        )
        outcomes: dict[str, str] = {}
        try:
            await workshop.resume(number, Dying(outcomes, after, recorded=False))
        except Killed:
            await workshop.resume(number, MemoryJournal(outcomes if journal_survives else {}))
        world = workshop.engine.world(TARGET)
        assert [subject for subject, _ in world.ran] == ["api/migrate"] * (after + 1)
        assert world.ended == {}


async def test_a_task_that_failed_is_not_run_again_when_its_outcome_was_lost(workshop: Workshop) -> None:
    workshop.engine.fail("api/migrate")
    number = workshop.records.enqueue(await workshop.intent(application("api", tasks=(MIGRATE,))), by="me")
    outcomes: dict[str, str] = {}
    with pytest.raises(Killed):
        await workshop.resume(number, Dying(outcomes, 2, recorded=False))
    workshop.engine.mend("api/migrate")
    assert await workshop.resume(number, MemoryJournal(outcomes)) == "restored"
    assert len(workshop.engine.world(TARGET).ran) == 1


async def test_a_task_is_not_run_again_when_its_steps_were_lost_before_its_entry(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise Killed

    number = workshop.records.enqueue(await workshop.intent(application("api", tasks=(MIGRATE,))), by="me")
    with monkeypatch.context() as patch:
        patch.setattr(workshop.records, "enter", dies)
        with pytest.raises(Killed):
            await workshop.resume(number)
    assert await workshop.resume(number) == "succeeded"
    assert len(workshop.engine.world(TARGET).ran) == 1
    assert [entry.succeeded for entry in workshop.records.ledger(TEST)] == [True]


@pytest.mark.parametrize("after", [2, 3])
async def test_what_was_done_before_the_steps_were_lost_is_undone_too(workshop: Workshop, after: int) -> None:
    await workshop.deploy(application("api"), application("web", uses=("api",)))
    number = workshop.records.enqueue(
        await workshop.intent(application("api", "2"), application("web", "2", uses=("api",))), by="me"
    )
    with pytest.raises(Killed):
        await workshop.resume(number, Dying({}, after, recorded=False))
    workshop.records.request_cancel(number)
    assert await workshop.resume(number) == "cancelled"
    assert await workshop.versions() == {"api": ["1"], "web": ["1"]}


@dataclass
class Full(SqlRecords):
    """A record that has room for so many events."""

    room: int = 1000

    def __init__(self, room: int) -> None:
        super().__init__(open_memory())
        self.room = room

    def append(self, number: int, event: Event) -> None:
        if self.room <= 0:
            raise CutShort("the record cannot be used now: database or disk is full")
        self.room -= 1
        super().append(number, event)


@pytest.mark.parametrize("room", range(0, 12, 2))
async def test_a_record_without_room_fails_no_deployment(room: int) -> None:
    workshop = Workshop(Full(1000))
    await workshop.deploy(application("api"), application("web"))
    assert isinstance(workshop.records, Full)
    number = workshop.records.enqueue(
        await workshop.intent(application("api", "2"), application("web", "2")), by="me"
    )
    workshop.records.room = room
    outcomes: dict[str, str] = {}
    with pytest.raises(CutShort):
        await workshop.resume(number, MemoryJournal(outcomes))
    assert workshop.records.deployment(number).state == "running"
    workshop.records.room = 1000
    assert await workshop.resume(number, MemoryJournal(outcomes)) == "succeeded"
    assert await workshop.versions() == {"api": ["2"], "web": ["2"]}


async def test_who_asks_to_stop_does_not_hide_that_the_record_cannot_be_used(workshop: Workshop) -> None:
    number = workshop.records.enqueue(await workshop.intent(application("api")), by="me")
    acting = Acting(
        number,
        workshop.records.deployment(number).intent,
        engine=workshop.engine,
        records=workshop.records,
        clock=SystemClock(),
        copying=None,
        turns=Turns(),
    )

    async def works() -> AsyncIterator[Event]:
        yield Event("note")
        workshop.records.request_cancel(number)
        try:
            await asyncio.sleep(60)
        finally:
            raise CutShort("no room")

    with pytest.raises(CutShort):
        await asyncio.wait_for(acting.act(works()), 30)


async def test_a_lane_goes_on_when_the_record_cuts_another_one_short() -> None:
    reached, released, finished = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def travel(lane: Lane) -> None:
        if lane[0].subject == "api/web":
            await reached.wait()
            raise CutShort("no room")
        reached.set()
        await released.wait()
        finished.set()

    wave = tuple((Change("create", subject),) for subject in ("api/web", "web/web"))
    with pytest.raises(CutShort):
        await side_by_side(travel, wave)
    released.set()
    await asyncio.wait_for(finished.wait(), 5)


async def test_what_a_neighbour_brought_meanwhile_keeps_its_names(workshop: Workshop) -> None:
    await workshop.deploy(application("api"), application("web"))
    slow = workshop.records.enqueue(await workshop.intent(application("api", "2")), by="me")
    assert await workshop.deploy(application("pay")) == "succeeded"
    assert await workshop.resume(slow) == "succeeded"
    assert set(workshop.engine.world(TARGET).routes.values()) == {"api", "web", "pay"}
    assert set(workshop.records.known_good(TARGET.environment).applications) == {"api", "web", "pay"}


async def test_neighbours_that_act_at_the_same_time_undo_nothing_of_each_other(workshop: Workshop) -> None:
    await workshop.deploy(application("api"), application("old"))
    numbers = [
        workshop.records.enqueue(await workshop.intent(*wanted, removed=gone), by="me")
        for wanted, gone in (
            ((application("api", "2"),), ()),
            ((application("pay"),), ()),
            ((), ("old",)),
            ((application("mail"),), ()),
        )
    ]
    workshop.engine.fail("mail/web")
    turns = Turns()
    ended = await asyncio.gather(*(workshop.resume(number, turns=turns) for number in numbers))
    assert ended == ["succeeded", "succeeded", "succeeded", "restored"]
    assert await workshop.versions() == {"api": ["2"], "pay": ["1"]}
    assert set(workshop.engine.world(TARGET).routes.values()) == {"api", "pay"}


async def test_a_deployment_that_waited_is_planned_on_what_it_finds(workshop: Workshop) -> None:
    await workshop.deploy(application("api", "1"))
    second = workshop.records.enqueue(await workshop.intent(application("api", "2")), by="me")
    third = workshop.records.enqueue(await workshop.intent(application("api", "3")), by="me")
    assert await workshop.resume(second) == "succeeded"
    workshop.engine.fail("api/web", version="3")
    assert await workshop.resume(third) == "restored"
    assert await workshop.versions() == {"api": ["2"]}
    assert workshop.records.deployment(third).intent.plan.steps[0].before == "2"
    again = await workshop.intent(application("api", "2"))
    assert again.plan.is_empty


async def test_a_reviewed_plan_that_waited_is_applied_as_it_is_or_not_at_all(workshop: Workshop) -> None:
    await workshop.deploy(application("api"))
    stale = replace(await workshop.intent(application("api", "3")), is_reviewed=True)
    await workshop.deploy(application("api", "2"))
    number = workshop.records.enqueue(stale, by="me")
    assert await workshop.resume(number) == "restored"
    cause = workshop.records.deployment(number).cause
    assert cause is not None
    assert (cause.kind, cause.evidence[0].partition(":")[0]) == ("stale", "replace api/web")
    assert await workshop.versions() == {"api": ["2"]}
    whole = replace(await workshop.intent(application("api", "3")), is_reviewed=True)
    assert await workshop.execute(whole) == "succeeded"


async def test_an_end_is_told_once(workshop: Workshop) -> None:
    await workshop.deploy(application("api"))
    workshop.records.end(1, "failed")
    workshop.records.begin(1)
    told = [kind for kind in workshop.kinds(1) if kind.startswith("deployment.")]
    assert told == ["deployment.started", "deployment.succeeded"]
