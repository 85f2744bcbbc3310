"""Executes a stored plan as durable steps: a small, stable interpreter. A failure restores what was there.

A step is a wave of changes that may be made side by side. Its outcome is recorded; one that was cut short runs
again, and each of its actions observes first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from ecluse.delivery import actions, quarantine
from ecluse.delivery.acting import Act, Acting, Outcome
from ecluse.delivery.copies import Copying
from ecluse.delivery.surroundings import neighbours
from ecluse.delivery.turns import Turns
from ecluse.delivery.waited import asked_again
from ecluse.delivery.waves import Wave, waves
from ecluse.model.application import Application
from ecluse.model.cause import Cause
from ecluse.model.deployment import Deployment, DeploymentState
from ecluse.model.event import Event
from ecluse.model.names import ServiceName
from ecluse.model.plan import ALONE, Intent
from ecluse.ports import Backups, Clock, Engine, Journal, Records


class Execution:
    """One deployment being carried out. turns: shared with the deployments that go on beside it."""

    def __init__(
        self,
        deployment: Deployment,
        *,
        engine: Engine,
        journal: Journal,
        records: Records,
        clock: Clock,
        backups: Backups | None = None,
        turns: Turns | None = None,
    ) -> None:
        self._deployment = deployment
        self._number = deployment.number
        self._engine = engine
        self._journal = journal
        self._records = records
        self._clock = clock
        self._backups = backups
        self._turns = turns or Turns()
        self._take(deployment.intent)

    async def execute(self) -> DeploymentState:
        """Carries the plan out; gives the state that the deployment ends in."""
        late = (await self._step("begin", self._begin)).cause
        # what `begin` may have planned anew, now or before a crash
        self._take(self._records.deployment(self._number).intent)
        if late is not None:
            # nothing was touched: what was there runs
            await self._step("end", lambda: self._end("restored", late))
            return "restored"
        if self._intent.plan.kind in ALONE:
            return await self._run_alone()
        if self._intent.plan.kind == "restore":
            return await self._bring_back()
        cause = (await self._step("prepare", self._prepare)).cause
        if cause is None:
            cause = await self._make()
        if cause is None:
            cause = (await self._step("settle", self._settle)).cause
        if cause is not None:
            return await self._restore(cause)
        return "succeeded"

    def _take(self, intent: Intent) -> None:
        self._intent = intent
        copying = None
        if self._backups is not None:
            copying = Copying(
                replace(self._deployment, intent=intent),
                engine=self._engine,
                backups=self._backups,
                records=self._records,
                clock=self._clock,
            )
        self._acting = Acting(
            self._number,
            intent,
            engine=self._engine,
            records=self._records,
            clock=self._clock,
            copying=copying,
            turns=self._turns,
        )

    async def _begin(self) -> Outcome:
        """What was asked for may have waited: others may have changed what it is about. Once it has changed something
        itself, nobody else may: it goes on as it was planned."""
        self._records.begin(self._number)
        if self._acting.begun(self._intent.plan.changes):
            return Outcome()
        now = await asked_again(self._intent, records=self._records, engine=self._engine)
        if isinstance(now, Cause):
            return Outcome(now)
        self._replan(now)
        await self._acting.tidy()
        return Outcome()

    def _replan(self, now: Intent) -> None:
        if now == self._intent:
            return
        self._records.replan(self._number, now)
        if now.plan != self._intent.plan:
            self._acting.note(
                "note", "", "planned again: something else was deployed here since it was asked for"
            )
        self._take(now)

    async def _make(self) -> Cause | None:
        """Wave after wave up to the first cause."""
        for number, wave in enumerate(self._waves()):
            outcome = await self._step(f"wave {number}", partial(self._acting.wave, wave))
            if outcome.cause is not None:
                return outcome.cause
        return None

    def _waves(self) -> Sequence[Wave]:
        return waves(self._intent.plan.changes, self._intent.applications)

    async def _prepare(self) -> Outcome:
        async with self._turns.entrance(self._intent.target.environment):
            around = neighbours(self._records, self._number, self._intent)
            return await self._acting.act(actions.prepare(self._engine, self._intent, around))

    async def _settle(self) -> Outcome:
        """The last act, and the end with it: neighbours see a deployment that is under way, or one that has ended."""
        confirmed = await self._confirm()
        if confirmed.cause is not None:
            return confirmed
        async with self._turns.entrance(self._intent.target.environment):
            is_down = self._intent.plan.kind == "down"
            outcome = await self._acting.act(
                self._removed() if is_down else self._settled(self._intent.applications)
            )
            if outcome.cause is None:
                await self._end("succeeded", None)
            return outcome

    async def _confirm(self) -> Outcome:
        """What was made must be well still, before what it replaced is forgotten."""
        if self._intent.plan.kind == "down":
            return Outcome()
        since = self._records.deployment(self._number).started_at or self._clock.now()
        return await self._acting.act(actions.confirm(self._engine, self._intent, since=since))

    def _removed(self) -> AsyncIterator[Event]:
        return self._engine.remove(self._intent.target, volumes=self._intent.volumes)

    def _settled(self, applications: Mapping[ServiceName, Application]) -> AsyncIterator[Event]:
        around = neighbours(self._records, self._number, self._intent)
        return actions.settle(self._engine, self._intent, applications, around)

    async def _restore(self, cause: Cause) -> DeploymentState:
        """Undoes what was begun, the last first. What cannot be undone ends the deployment as failed."""
        await self._step("restore", lambda: self._note_restoring("restoring what was there"))
        begun = {change.id for change in self._acting.begun(self._intent.plan.changes)}
        failures = []
        for number, wave in reversed(list(enumerate(self._waves()))):
            if not any(change.id in begun for lane in wave for change in lane):
                continue
            outcome = await self._step(f"undo wave {number}", partial(self._acting.undo_wave, wave))
            failures += [outcome.cause] if outcome.cause else []
        settled = await self._step("settle restored", lambda: self._settle_restored(failures, cause))
        failures += [settled.cause] if settled.cause else []
        return _restored(cause, failures)

    async def _settle_restored(self, failures: list[Cause], cause: Cause) -> Outcome:
        async with self._turns.entrance(self._intent.target.environment):
            outcome = await self._acting.act(self._settled(actions.left(self._intent)), heed_cancel=False)
            failures = [*failures, *([outcome.cause] if outcome.cause else [])]
            await self._end_restored(cause, failures)
            return outcome

    async def _note_restoring(self, message: str) -> Outcome:
        self._acting.note("restore.started", "", message)
        return Outcome()

    async def _end_restored(self, cause: Cause, failures: list[Cause]) -> Outcome:
        if not self._records.deployment(self._number).has_ended:
            for failure in failures:
                self._acting.note("restore.failed", failure.subject, failure.sentence)
        return await self._end(_restored(cause, failures), cause)

    async def _run_alone(self) -> DeploymentState:
        """Tasks, crons, backups: nothing is prepared, and there is nothing to restore."""
        outcomes = [
            await self._step(change.id, partial(self._acting.change, change))
            for change in self._intent.plan.changes
        ]
        cause = next((outcome.cause for outcome in outcomes if outcome.cause), None)
        state: DeploymentState = (
            "succeeded" if cause is None else "cancelled" if cause.kind == "cancelled" else "failed"
        )
        await self._step("end", lambda: self._end(state, cause))
        return state

    async def _bring_back(self) -> DeploymentState:
        """Data out of a backup. What fails brings back the copy that was made just before."""
        cause = None
        for change in self._intent.plan.changes:
            cause = (await self._step(change.id, partial(self._acting.change, change))).cause
            if cause is not None:
                break
        if cause is None:
            await self._step("end", lambda: self._end("succeeded", None))
            return "succeeded"
        failures = []
        await self._step("restore", lambda: self._note_restoring("bringing back what was there before"))
        loads = [change for change in self._intent.plan.changes if change.action == "load"]
        for change in reversed(self._acting.begun(loads)):
            outcome = await self._step(f"undo {change.id}", partial(self._acting.undo, change))
            failures += [outcome.cause] if outcome.cause else []
        await self._step("end", lambda: self._end_restored(cause, failures))
        return _restored(cause, failures)

    async def _end(self, state: DeploymentState, cause: Cause | None) -> Outcome:
        await self._acting.tidy()
        self._keep_out(cause)
        self._records.end(self._number, state, cause)
        return Outcome()

    def _keep_out(self, cause: Cause | None) -> None:
        if cause is None:
            return
        now = self._clock.now()
        bad = quarantine.culprit(self._intent, cause, deployment=self._number, at=now)
        if bad is not None:
            self._records.quarantine(self._intent.target.environment, bad)
            self._acting.note("note", bad.service, f"{bad.version} is quarantined in this environment")

    async def _step(self, name: str, act: Act) -> Outcome:
        async def run() -> str:
            return (await act()).dump()

        return Outcome.load(await self._journal.step(name, run))


def _restored(cause: Cause, failures: list[Cause]) -> DeploymentState:
    return "failed" if failures else "cancelled" if cause.kind == "cancelled" else "restored"
