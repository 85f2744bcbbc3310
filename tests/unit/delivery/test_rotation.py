from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from ecluse.delivery.execute import Execution
from ecluse.delivery.plan import make_plan
from ecluse.delivery.queue import startable
from ecluse.delivery.rotation import first_changes, last_changes
from ecluse.delivery.single import command_intent
from ecluse.engines.memory import MemoryEngine
from ecluse.model.application import Application, BackingService, Desired
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.plan import Change, Intent, Plan, Step
from ecluse.model.secret import Sealed
from ecluse.model.service import Cron
from ecluse.secrets.memory import MemoryVault
from ecluse.store.clock import SystemClock
from ecluse.store.database import open_memory
from ecluse.store.records import SqlRecords
from ecluse.wiring.passwords import redressed
from tests.unit.delivery.samples import TARGET, application, database, setting

TEST, API = EnvironmentName("test"), ServiceName("api")
OLD, NEW = Sealed("pw-api"), Sealed("pw-new")
BEFORE = database("api")
AFTER = replace(BEFORE, accounts={API: NEW}, turns={API: 2})
MAIL = Cron("mail", "* * * * *", ("mail",))


def api(password: Sealed) -> Application:
    return application("api", settings={"DB": password}, backing=("db",), crons=(MAIL,))


class Dies(BaseException):
    """The process is gone."""


class Steps:
    """Remembers the steps that ended; dies in the middle of one, once, after it acted."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.known: dict[str, str] = {}
        self.dies_at = dies_at

    async def step(self, name: str, act: Callable[[], Awaitable[str]]) -> str:
        if name not in self.known:
            done = await act()
            if self.dies_at == len(self.known):
                self.dies_at = None
                raise Dies
            self.known[name] = done
        return self.known[name]


class Scene:
    def __init__(self) -> None:
        self.engine = MemoryEngine()
        self.records = SqlRecords(open_memory())

    async def execute(self, number: int, steps: Steps | None = None) -> str:
        execution = Execution(
            self.records.deployment(number),
            engine=self.engine,
            journal=steps or Steps(),
            records=self.records,
            clock=SystemClock(),
        )
        return await execution.execute()

    async def deployed(self) -> None:
        self.engine.output["api/mail"] = []
        known = self.records.known_good(TEST)
        plan = make_plan(
            Desired(TARGET, {API: api(OLD)}, {"db": BEFORE}, "abc"),
            await self.engine.observe(TARGET),
            known,
            [],
        )
        number = self.records.enqueue(
            Intent(TARGET, plan, {API: api(OLD)}, {}, backing={"db": BEFORE}), by="me"
        )
        assert await self.execute(number) == "succeeded"

    async def rotation(self) -> int:
        known, observed = self.records.known_good(TEST), await self.engine.observe(TARGET)
        before, after, mine = known.backing, {"db": AFTER}, {API: api(NEW)}
        plan = make_plan(Desired(TARGET, mine, after, "abc"), observed, known, [], kind="rotate")
        ids = {item.name: item.id for item in observed.backing}
        changes = (*first_changes(before, after, ids), *plan.changes, *last_changes(before, after, mine))
        intent = Intent(TARGET, replace(plan, changes=changes), mine, {API: api(OLD)}, {}, after, before)
        return self.records.enqueue(intent, by="me")

    @property
    def provided(self) -> BackingService:
        return self.engine.provided["db"]


@pytest.fixture
async def scene() -> Scene:
    scene = Scene()
    await scene.deployed()
    scene.engine.asked.clear()
    return scene


async def test_the_old_password_goes_when_nobody_has_it_any_more(scene: Scene) -> None:
    number = await scene.rotation()
    assert await scene.execute(number) == "succeeded"
    asked = [words for words in scene.engine.asked if words.startswith(("provide", "rollout"))]
    assert asked == ["provide db", "rollout api/web", "provide db"]
    assert (dict(scene.provided.accounts), dict(scene.provided.former)) == ({API: NEW}, {})
    known = scene.records.known_good(TEST)
    assert (known.backing["db"].turns, known.backing["db"].accounts) == ({API: 2}, {API: NEW})
    assert known.applications[API].settings[0].text == NEW


@pytest.mark.parametrize("step", range(7))
async def test_a_rotation_that_is_killed_at_any_step_comes_to_its_end(scene: Scene, step: int) -> None:
    number, steps = await scene.rotation(), Steps(dies_at=step)
    try:
        state = await scene.execute(number, steps)
    except Dies:
        state = await scene.execute(number, steps)
    assert state == "succeeded"
    assert (dict(scene.provided.accounts), dict(scene.provided.former)) == ({API: NEW}, {})
    (replica,) = (await scene.engine.observe(TARGET)).of(API)
    assert replica.state == "ready"


async def test_a_service_that_does_not_start_with_the_new_password_keeps_the_old_one(scene: Scene) -> None:
    scene.engine.fail("api/web")
    number = await scene.rotation()
    assert await scene.execute(number) == "restored"
    assert (dict(scene.provided.accounts), dict(scene.provided.former)) == ({API: OLD}, {})
    assert scene.records.known_good(TEST).backing["db"].turns == {}


async def test_no_command_of_a_client_runs_meanwhile_and_the_next_one_has_the_new_password(
    scene: Scene,
) -> None:
    number = await scene.rotation()
    waiting = scene.records.enqueue(command_intent(TARGET, api(OLD), "mail", key="mail-1"), by="schedule")
    assert startable(scene.records.unfinished()) == [number]
    assert await scene.execute(number) == "succeeded"
    assert startable(scene.records.unfinished()) == [waiting]
    assert await scene.execute(waiting) == "succeeded"
    assert scene.records.deployment(waiting).intent.applications[API].settings[0].text == NEW


async def test_a_deployment_that_was_asked_for_before_does_not_bring_the_old_password_back(
    scene: Scene,
) -> None:
    number = await scene.rotation()
    plan = Plan("test", "deploy", "abc", (Step(API, "1", "1"),), (Change("replace", "api/web", API, "web"),))
    intent = Intent(TARGET, plan, {API: api(OLD)}, {API: api(OLD)}, {}, {"db": BEFORE}, {"db": BEFORE})
    late = scene.records.enqueue(intent, by="anna")
    assert await scene.execute(number) == "succeeded"
    scene.engine.asked.clear()
    assert await scene.execute(late) == "restored"
    cause = scene.records.deployment(late).cause
    assert cause is not None
    assert cause.sentence == "the passwords of db were changed since this was asked for"
    assert scene.engine.asked == []


async def test_a_neighbour_that_ends_later_does_not_forget_the_rotation(scene: Scene) -> None:
    web = application("web")
    plan = Plan("test", "deploy", "abc", (Step(web.service, None, "1"),), ())
    beside = scene.records.enqueue(
        Intent(TARGET, plan, {web.service: web}, {}, backing={"db": BEFORE}, previous_backing={"db": BEFORE}),
        by="anna",
    )
    assert await scene.execute(await scene.rotation()) == "succeeded"
    scene.records.begin(beside)
    scene.records.end(beside, "succeeded")
    assert scene.records.known_good(TEST).backing["db"].turns == {API: 2}


def test_only_what_holds_the_password_changes_in_an_application() -> None:
    vault = MemoryVault()
    old, new = vault.seal("s3cret0ld"), vault.seal("s3cretNew")
    before = {"db": replace(BEFORE, kind="postgresql", accounts={API: old})}
    after = {"db": replace(before["db"], accounts={API: new}, turns={API: 2})}
    user = replace(setting("USER", "api"), through=("backing.db.user",))
    mine = replace(
        application("api", settings={"TITLE": "api", "OTHER": vault.seal("else")}, backing=("db",)),
        settings=(
            setting("URL", vault.seal("postgresql://api:s3cret0ld@db:5432/api")),
            user,
            setting("TITLE", "api"),
            setting("OTHER", vault.seal("else")),
        ),
    )
    there = redressed({API: mine}, before, after, vault)[API]
    texts = [
        vault.reveal(item.text) if isinstance(item.text, Sealed) else item.text for item in there.settings
    ]
    assert texts == ["postgresql://api.b:s3cretNew@db:5432/api", "api.b", "api", "else"]
    assert there.settings[2:] == mine.settings[2:]
    back = redressed({API: there}, after, {"db": replace(before["db"], turns={API: 3})}, vault)[API]
    assert back == mine
