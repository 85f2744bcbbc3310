"""Lets an engine act for one deployment: records what it tells, and turns whatever goes wrong into a cause.

A record that cannot be used is no cause: CutShort passes through here, and nothing that goes on is stopped for it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import asdict, dataclass

from ecluse.delivery import actions
from ecluse.delivery.copies import Copying
from ecluse.delivery.turns import Turns
from ecluse.delivery.waves import Lane, Wave
from ecluse.errors import CutShort, EcluseError
from ecluse.model.cause import Cause, RolloutFailed
from ecluse.model.deployment import LedgerEntry
from ecluse.model.event import Event, EventKind
from ecluse.model.plan import COPYING, Change, Intent
from ecluse.model.workload import Run, find_command, task_run
from ecluse.ports import Clock, Engine, Records

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


class Acting:
    """The acts of one deployment. Each may run twice."""

    def __init__(
        self,
        number: int,
        intent: Intent,
        *,
        engine: Engine,
        records: Records,
        clock: Clock,
        copying: Copying | None,
        turns: Turns,
    ) -> None:
        self._number = number
        self._intent = intent
        self._engine = engine
        self._records = records
        self._clock = clock
        self._copying = copying
        self._turns = turns

    def begun(self, changes: Iterable[Change]) -> list[Change]:
        """Those that were begun, now or by an earlier execution whose steps are lost."""
        told = {(event.subject, event.message) for event in self._events("change.started")}
        return [change for change in changes if (change.subject, change.action) in told]

    async def wave(self, wave: Wave) -> Outcome:
        """All lanes of a wave side by side. The first failure keeps the other lanes from going on."""
        failed: list[Cause] = []

        async def travel(lane: Lane) -> None:
            for change in lane:
                if failed:
                    return
                cause = (await self.change(change)).cause
                failed.extend([cause] if cause else [])

        await side_by_side(travel, wave)
        return Outcome(failed[0] if failed else None)

    async def undo_wave(self, wave: Wave) -> Outcome:
        """What was begun of each lane, backwards."""
        failed: list[Cause] = []

        async def travel(lane: Lane) -> None:
            for change in reversed(self.begun(lane)):
                cause = (await self.undo(change)).cause
                failed.extend([cause] if cause else [])

        await side_by_side(travel, wave)
        return Outcome(failed[0] if failed else None)

    async def change(self, change: Change) -> Outcome:
        if change.action != "run":
            return await self._change(change)
        async with self._turns.command(self._intent.target.environment, change.subject):
            if not self._has_run(change):
                return await self._change(change)
            self.note("change.skipped", change.subject, "it ran already")
            return Outcome()

    async def undo(self, change: Change) -> Outcome:
        is_copy = change.action in COPYING
        undo = self._data().undo(change) if is_copy else actions.undo(self._engine, self._intent, change)
        if undo is None:
            return Outcome()
        outcome = await self.act(undo, heed_cancel=False)
        stays = any(event.subject == change.subject for event in self._events("backing.kept"))
        if outcome.cause is None and not stays:
            self.note("restore.done", change.subject, "as before")
        return outcome

    async def act(self, events: AsyncIterator[Event], *, heed_cancel: bool = True) -> Outcome:
        """Consumes what an engine tells, unless somebody asks to stop."""
        if heed_cancel and self._records.is_cancel_requested(self._number):
            return Outcome(CANCELLED)
        acting = asyncio.ensure_future(self._consume(events))
        try:
            while not acting.done():
                await asyncio.wait({acting}, timeout=CANCEL_POLL_SECONDS)
                if heed_cancel and not acting.done() and self._records.is_cancel_requested(self._number):
                    return await _stopped(acting)
            acting.result()
        except CutShort:
            raise
        except RolloutFailed as error:
            return Outcome(error.cause)
        except EcluseError as error:
            return Outcome(Cause("engine", "", error.message, hint=error.hint))
        except asyncio.CancelledError:
            acting.cancel()
            raise
        if heed_cancel and self._records.is_cancel_requested(self._number):
            return Outcome(CANCELLED)
        return Outcome()

    async def tidy(self) -> None:
        """Removes what the commands of this deployment left: it stays until their outcome is on record."""
        for change in self._intent.plan.changes:
            if change.action == "run":
                try:
                    await self._engine.tidy(self._intent.target, self._run(change))
                except CutShort:
                    raise
                except EcluseError as error:
                    self.note("note", change.subject, f"its container is left: {error.message}")

    def _events(self, kind: EventKind) -> Iterator[Event]:
        """What this deployment has told of a kind, in any execution."""
        return (item.event for item in self._records.events(self._number) if item.event.kind == kind)

    def note(self, kind: EventKind, subject: str = "", message: str = "") -> None:
        self._records.append(self._number, Event(kind, subject, message))

    async def _change(self, change: Change) -> Outcome:
        self.note("change.started", change.subject, change.action)
        outcome = await self.act(self._apply(change))
        self._enter(change, succeeded=outcome.cause is None)
        if outcome.cause is None:
            self.note("change.done", change.subject, change.action)
        else:
            self.note("change.failed", change.subject, outcome.cause.sentence)
        return outcome

    def _apply(self, change: Change) -> AsyncIterator[Event]:
        is_copy = change.action in COPYING
        told = self._data().apply(change) if is_copy else actions.apply(self._engine, self._intent, change)
        return self._keep(change, told) if actions.lasts(self._intent, change) else told

    async def _keep(self, change: Change, told: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """What stays is known good as soon as it is done: nothing may come in between."""
        async for event in told:
            yield event
        self._records.keep(self._number, self._intent.backing[change.part])

    def _data(self) -> Copying:
        assert self._copying is not None, "data is copied where there is a place for backups"
        return self._copying

    def _run(self, change: Change) -> Run:
        assert change.service is not None, f"{change.id} names no service"
        application = self._intent.applications[change.service]
        task = find_command(application, change.part)
        assert task is not None, f"{change.id} names no task"
        return task_run(application, task, key=change.key)

    async def _consume(self, events: AsyncIterator[Event]) -> None:
        async for event in events:
            self._records.append(self._number, event)

    def _has_run(self, change: Change) -> bool:
        """Whether a release task was done already, by this deployment before it was cut short or by another one."""
        if self._intent.plan.kind == "run":
            return False
        ledger = self._records.ledger(self._intent.target.environment)
        identity = (change.service, change.part, change.key)
        return any(entry.succeeded and (entry.service, entry.task, entry.key) == identity for entry in ledger)

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


async def _stopped(acting: asyncio.Future[None]) -> Outcome:
    """However it takes it: it was to stop. But for a record that cannot be used."""
    acting.cancel()
    try:
        await acting
    except CutShort:
        raise
    except (asyncio.CancelledError, EcluseError):
        pass
    return Outcome(CANCELLED)


async def side_by_side(travel: Callable[[Lane], Awaitable[None]], wave: Wave) -> None:
    """A defect in one lane stops the others; a record that cannot be used stops nothing that an engine has begun."""
    room = asyncio.Semaphore(LANES)

    async def enter(lane: Lane) -> None:
        async with room:
            await travel(lane)

    lanes = [asyncio.ensure_future(enter(lane)) for lane in wave]
    try:
        await asyncio.gather(*lanes)
    except CutShort:
        raise
    except BaseException:
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)
        raise
