"""Executes a stored plan as durable steps: a small, stable interpreter. A failure restores what was there.

A step is a wave of changes that may be made side by side. Its outcome is recorded; one that was cut short runs
again, and each of its actions observes first.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass

from ecluse.delivery import actions, quarantine
from ecluse.delivery.copies import Copying
from ecluse.delivery.waves import Lane, Wave, waves
from ecluse.errors import EcluseError
from ecluse.model.cause import Cause, RolloutFailed
from ecluse.model.deployment import Deployment, DeploymentState, LedgerEntry
from ecluse.model.event import Event, EventKind
from ecluse.model.plan import ALONE, COPYING, Change, Intent
from ecluse.ports import Backups, Clock, Engine, Journal, Records

CANCEL_POLL_SECONDS = 0.3
LANES = 4
"""How many services are changed side by side: starting a container is mostly Docker's own work."""
CANCELLED = Cause("cancelled", "", "somebody asked to stop")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step ended with; stored as JSON, so it holds no secret."""

    cause: Cause | None = None

    def dump(self) -> str:
        return json.dumps(asdict(self.cause) if self.cause else None)

    @staticmethod
    def load(text: str) -> Outcome:
        facts = json.loads(text)
        if facts is None:
            return Outcome()
        lines = {name: tuple(facts[name]) for name in ("evidence", "logs")}
        return Outcome(Cause(**(facts | lines)))


Act = Callable[[], Awaitable[Outcome]]


class Execution:
    """One deployment being carried out."""

    def __init__(
        self,
        deployment: Deployment,
        *,
        engine: Engine,
        journal: Journal,
        records: Records,
        clock: Clock,
        backups: Backups | None = None,
    ) -> None:
        self._number = deployment.number
        self._intent: Intent = deployment.intent
        self._engine = engine
        self._journal = journal
        self._records = records
        self._clock = clock
        self._copying = (
            Copying(deployment, engine=engine, backups=backups, records=records, clock=clock)
            if backups is not None
            else None
        )

    async def execute(self) -> DeploymentState:
        """Carries the plan out; gives the state that the deployment ends in."""
        await self._step("begin", self._begin)
        if self._intent.plan.kind in ALONE:
            return await self._run_alone()
        if self._intent.plan.kind == "restore":
            return await self._bring_back()
        planned = waves(self._intent.plan.changes, self._intent.applications)
        done: list[Wave] = []
        cause = (
            await self._step("prepare", lambda: self._act(actions.prepare(self._engine, self._intent)))
        ).cause
        for number, wave in enumerate(planned if cause is None else ()):
            done.append(wave)
            cause = (await self._step(f"wave {number}", self._wave(wave))).cause
            if cause is not None:
                break
        if cause is None:
            cause = (await self._step("settle", lambda: self._act(self._settled()))).cause
        if cause is not None:
            return await self._restore(done, cause)
        await self._step("end", lambda: self._end("succeeded", None))
        return "succeeded"

    async def _run_alone(self) -> DeploymentState:
        """Tasks, crons, backups: nothing is prepared, and there is nothing to restore."""
        outcomes = [await self._step(change.id, self._change(change)) for change in self._intent.plan.changes]
        cause = next((outcome.cause for outcome in outcomes if outcome.cause), None)
        state: DeploymentState = (
            "succeeded" if cause is None else "cancelled" if cause.kind == "cancelled" else "failed"
        )
        await self._step("end", lambda: self._end(state, cause))
        return state

    async def _bring_back(self) -> DeploymentState:
        """Data out of a backup. What fails brings back the copy that was made just before."""
        begun: list[Change] = []
        cause = None
        for change in self._intent.plan.changes:
            begun.append(change)
            cause = (await self._step(change.id, self._change(change))).cause
            if cause is not None:
                break
        loads = [change for change in begun if change.action == "load"]
        failures = []
        for change in reversed(loads if cause else []):
            self._note("restore.started", change.subject, "bringing back what was there before")
            outcome = await self._step(f"undo {change.id}", lambda change=change: self._undo(change))  # type: ignore[misc]
            failures += [outcome.cause] if outcome.cause else []
        for failure in failures:
            self._note("restore.failed", failure.subject, failure.sentence)
        state: DeploymentState = (
            "succeeded"
            if cause is None
            else "failed"
            if failures
            else "cancelled"
            if cause.kind == "cancelled"
            else "restored"
        )
        await self._step("end", lambda: self._end(state, cause))
        return state

    def _settled(self) -> AsyncIterator[Event]:
        if self._intent.plan.kind == "down":
            return self._engine.remove(self._intent.target, volumes=self._intent.volumes)
        return self._confirmed()

    async def _confirmed(self) -> AsyncIterator[Event]:
        """What was made must be well still, before what it replaced is forgotten."""
        since = self._records.deployment(self._number).started_at or self._clock.now()
        async for event in actions.confirm(self._engine, self._intent, since=since):
            yield event
        async for event in actions.settle(self._engine, self._intent, self._intent.applications):
            yield event

    async def _restore(self, done: list[Wave], cause: Cause) -> DeploymentState:
        """Undoes what was done, the last first. What cannot be undone ends the deployment as failed."""
        self._note("restore.started", "", "restoring what was there")
        failures = []
        for number, wave in reversed(list(enumerate(done))):
            outcome = await self._step(f"undo wave {number}", self._undoing(wave))
            failures += [outcome.cause] if outcome.cause else []
        settle = await self._step(
            "settle restored",
            lambda: self._act(
                actions.settle(self._engine, self._intent, self._intent.previous), heed_cancel=False
            ),
        )
        failures += [settle.cause] if settle.cause else []
        for failure in failures:
            self._note("restore.failed", failure.subject, failure.sentence)
        state: DeploymentState = (
            "failed" if failures else "cancelled" if cause.kind == "cancelled" else "restored"
        )
        await self._step("end", lambda: self._end(state, cause))
        return state

    def _wave(self, wave: Wave) -> Act:
        """All lanes of a wave side by side. The first failure keeps the other lanes from going on."""

        async def act() -> Outcome:
            failed: list[Cause] = []

            async def travel(lane: Lane) -> None:
                for change in lane:
                    if failed:
                        return
                    cause = (await self._change(change)()).cause
                    failed.extend([cause] if cause else [])

            await self._side_by_side(travel, wave)
            return Outcome(failed[0] if failed else None)

        return act

    def _change(self, change: Change) -> Act:
        async def act() -> Outcome:
            if self._has_run(change):
                return Outcome()
            self._note("change.started", change.subject, change.action)
            outcome = await self._act(self._apply(change))
            self._enter(change, succeeded=outcome.cause is None)
            if outcome.cause is None:
                self._note("change.done", change.subject, change.action)
            else:
                self._note("change.failed", change.subject, outcome.cause.sentence)
            return outcome

        return act

    def _undoing(self, wave: Wave) -> Act:
        """Each lane backwards. A change that was never begun is undone too, which does nothing."""

        async def act() -> Outcome:
            failed: list[Cause] = []

            async def travel(lane: Lane) -> None:
                for change in reversed(lane):
                    cause = (await self._undo(change)).cause
                    failed.extend([cause] if cause else [])

            await self._side_by_side(travel, wave)
            return Outcome(failed[0] if failed else None)

        return act

    def _apply(self, change: Change) -> AsyncIterator[Event]:
        if change.action in COPYING:
            return self._data().apply(change)
        return actions.apply(self._engine, self._intent, change)

    def _data(self) -> Copying:
        assert self._copying is not None, "data is copied where there is a place for backups"
        return self._copying

    async def _undo(self, change: Change) -> Outcome:
        undo = (
            self._data().undo(change)
            if change.action in COPYING
            else actions.undo(self._engine, self._intent, change)
        )
        if undo is None:
            return Outcome()
        outcome = await self._act(undo, heed_cancel=False)
        if outcome.cause is None:
            self._note("restore.done", change.subject, "as before")
        return outcome

    async def _side_by_side(self, travel: Callable[[Lane], Awaitable[None]], wave: Wave) -> None:
        room = asyncio.Semaphore(LANES)

        async def enter(lane: Lane) -> None:
            async with room:
                await travel(lane)

        async with asyncio.TaskGroup() as group:
            for lane in wave:
                group.create_task(enter(lane))

    def _has_run(self, change: Change) -> bool:
        """Whether a release task was done already, by this deployment before it was cut short."""
        if change.action != "run" or self._intent.plan.kind == "run":
            return False
        ledger = self._records.ledger(self._intent.target.environment)
        identity = (change.service, change.part, change.key)
        return any(entry.succeeded and (entry.service, entry.task, entry.key) == identity for entry in ledger)

    async def _begin(self) -> Outcome:
        self._records.begin(self._number)
        self._note("deployment.started")
        return Outcome()

    async def _end(self, state: DeploymentState, cause: Cause | None) -> Outcome:
        self._keep_out(cause)
        self._records.end(self._number, state, cause)
        kind: EventKind = f"deployment.{state}"  # type: ignore[assignment]  # one event kind per end state
        self._note(kind, cause.subject if cause else "", cause.sentence if cause else "")
        return Outcome()

    def _keep_out(self, cause: Cause | None) -> None:
        if cause is None:
            return
        now = self._clock.now()
        bad = quarantine.culprit(self._intent, cause, deployment=self._number, at=now)
        if bad is not None:
            self._records.quarantine(self._intent.target.environment, bad)
            self._note("note", bad.service, f"{bad.version} is quarantined in this environment")

    async def _step(self, name: str, act: Act) -> Outcome:
        async def run() -> str:
            return (await act()).dump()

        return Outcome.load(await self._journal.step(name, run))

    async def _act(self, events: AsyncIterator[Event], *, heed_cancel: bool = True) -> Outcome:
        """Lets the engine act, records what it tells, and turns whatever goes wrong into a cause."""
        acting = asyncio.ensure_future(self._consume(events))
        try:
            while not acting.done():
                await asyncio.wait({acting}, timeout=CANCEL_POLL_SECONDS)
                if heed_cancel and not acting.done() and self._records.is_cancel_requested(self._number):
                    acting.cancel()
                    with suppress(asyncio.CancelledError, EcluseError):
                        await acting
                    return Outcome(CANCELLED)
            acting.result()
        except RolloutFailed as error:
            return Outcome(error.cause)
        except EcluseError as error:
            return Outcome(Cause("engine", "", error.message, hint=error.hint))
        finally:
            acting.cancel()
        if heed_cancel and self._records.is_cancel_requested(self._number):
            return Outcome(CANCELLED)
        return Outcome()

    async def _consume(self, events: AsyncIterator[Event]) -> None:
        async for event in events:
            self._records.append(self._number, event)

    def _enter(self, change: Change, *, succeeded: bool) -> None:
        if change.action != "run" or change.service is None:
            return
        task = self._intent.applications[change.service].tasks.get(change.part)
        if task is None:  # a cron: it runs again and again, and its deployments remember it
            return
        entry = LedgerEntry(
            service=change.service,
            task=change.part,
            key=change.key,
            deployment=self._number,
            at=self._clock.now(),
            reversible=task.reversible,
            succeeded=succeeded,
        )
        self._records.enter(self._intent.target.environment, entry)

    def _note(self, kind: EventKind, subject: str = "", message: str = "") -> None:
        self._records.append(self._number, Event(kind, subject, message))
