"""Copies of data: backups that are made, brought back and tried. Each may begin again after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from ecluse.delivery.retention import surplus
from ecluse.delivery.versions import is_changed
from ecluse.errors import CutShort, EcluseError
from ecluse.model.application import BackingService
from ecluse.model.backup import BackupId, Manifest, Tried, backup_stamp, parse_backup_id
from ecluse.model.deployment import Deployment
from ecluse.model.event import Event
from ecluse.model.plan import Change
from ecluse.ports import Backups, Clock, Copy, Draft, Engine, Records


class Copying:
    """What the changes of one deployment do with data."""

    def __init__(
        self, deployment: Deployment, *, engine: Engine, backups: Backups, records: Records, clock: Clock
    ) -> None:
        self._deployment = deployment
        self._intent = deployment.intent
        self._engine = engine
        self._backups = backups
        self._records = records
        self._clock = clock

    def apply(self, change: Change) -> AsyncIterator[Event]:
        backup = self._backup(change)
        match change.action:
            case "dump":
                return self._keep(change, backup)
            case "load":
                return self._load(change, backup)
            case "rehearse":
                return self._rehearse(change, backup)
            case "prune":
                return self._prune(change, backup)
            case "upgrade":
                return self._upgrade(change)
        raise AssertionError(f"{change.id} copies no data")

    def undo(self, change: Change) -> AsyncIterator[Event] | None:
        """Brings back the copy that was made before the data was replaced, or the version of before."""
        if change.action == "upgrade":
            return self._go_back(change)
        if change.action != "load":
            return None
        made = (item for item in self._intent.plan.changes if item.action == "dump")
        safety = next(item for item in made if item.part == change.part)
        return self._load(change, parse_backup_id(safety.key))

    def _backup(self, change: Change, *, later: int = 0) -> BackupId:
        """The one that the change names; without a name, that of this deployment."""
        if change.key:
            return parse_backup_id(change.key)
        at = self._deployment.requested_at + timedelta(milliseconds=later)
        return BackupId(self._intent.target.environment, change.part, backup_stamp(at))

    async def _keep(self, change: Change, backup: BackupId) -> AsyncIterator[Event]:
        if self._backups.find(backup):
            return
        begun = self._clock.now()
        draft = self._backups.draft(backup)
        try:
            backing = self._there(change)
            async for event in self._engine.dump(self._intent.target, backing, draft):
                yield event
            await asyncio.to_thread(draft.keep, self._manifest(change, backup, draft, begun))
        except BaseException:
            draft.discard()
            raise
        yield Event("backing", change.part, f"kept as {backup.at}")

    async def _load(self, change: Change, backup: BackupId) -> AsyncIterator[Event]:
        copy = self._backups.copy(backup)
        await asyncio.to_thread(copy.verify)
        async for event in self._engine.load(self._intent.target, self._intent.backing[change.part], copy):
            yield event

    async def _rehearse(self, change: Change, backup: BackupId) -> AsyncIterator[Event]:
        copy = self._backups.copy(backup)
        counts: dict[str, int] = {}
        try:
            await asyncio.to_thread(copy.verify)
            backing = self._intent.backing[change.part]
            async for event in self._engine.rehearse(self._intent.target, backing, copy):
                counts |= {name: int(number) for name, number in event.data.items()}
                yield event
        except EcluseError as error:
            self._backups.note_trial(backup, Tried(self._clock.now(), False, error.message))
            raise
        self._backups.note_trial(backup, Tried(self._clock.now(), True, "", counts))

    def _there(self, change: Change) -> BackingService:
        """What holds the data now: before its version is changed, that is the one of before."""
        is_before = not change.key and change.part in self._intent.previous_backing
        return (self._intent.previous_backing if is_before else self._intent.backing)[change.part]

    async def _upgrade(self, change: Change) -> AsyncIterator[Event]:
        """The copy that is made once nobody can write is kept too: the first one may lack what came after it."""
        final, begun = self._backup(change, later=1), self._clock.now()
        before, after = self._intent.previous_backing[change.part], self._intent.backing[change.part]
        draft = self._backups.draft(final)

        def keep() -> Copy:
            self._backups.remove(final)
            draft.keep(self._manifest(change, final, draft, begun))
            copy = self._backups.copy(final)
            copy.verify()
            return copy

        try:
            async for event in self._engine.upgrade(self._intent.target, before, after, draft, keep):
                yield event
        finally:
            draft.discard()

    async def _go_back(self, change: Change) -> AsyncIterator[Event]:
        """To the version of before, unless clients may have written to the new one."""
        before, after = self._intent.previous_backing[change.part], self._intent.backing[change.part]
        if not self._is_kept(before) and await self._runs(after):
            # it was cut short just before its end, or the new one is not well: that is told by another try
            async for event in self._finish(change, after):
                yield event
        stays = self._is_kept(before)
        if stays:
            yield Event("backing", change.part, f"stays {after.version}: its clients may have written to it")
        async for event in self._engine.provide(self._intent.target, after if stays else before):
            yield event

    async def _finish(self, change: Change, after: BackingService) -> AsyncIterator[Event]:
        try:
            async for event in self._upgrade(change):
                yield event
        except CutShort:
            raise
        except EcluseError as error:
            yield Event("backing", change.part, error.message)
        else:
            self._records.keep(self._deployment.number, after)

    def _is_kept(self, before: BackingService) -> bool:
        """Whether another version than `before` is known good."""
        known = self._records.known_good(self._intent.target.environment).backing.get(before.name)
        return known is not None and is_changed(before.version, known.version)

    async def _runs(self, after: BackingService) -> bool:
        observed = await self._engine.observe(self._intent.target)
        return any((item.name, item.version) == (after.name, after.version) for item in observed.backing)

    async def _prune(self, change: Change, backup: BackupId) -> AsyncIterator[Event]:
        """Removes what the rule does not keep. Where this backup is not whole, or does not open, all stay."""
        made, rule = self._backups.find(backup), self._intent.backing[change.part].backup
        if made is None or rule is None or (made.tried is not None and not made.tried.succeeded):
            yield Event("backing", change.part, "removes no old backup: this one is not whole")
            return
        found = self._backups.list(backup.environment, backup.name)
        for old in surplus(found, rule, self._clock.now()):
            self._backups.remove(old)
            yield Event("backing", change.part, f"removed the backup {old.at}")

    def _manifest(self, change: Change, backup: BackupId, draft: Draft, begun: datetime) -> Manifest:
        backing = self._there(change)
        known = self._records.known_good(backup.environment).applications
        return Manifest(
            environment=backup.environment,
            name=backup.name,
            id=backup.at,
            kind=backing.kind,
            version=backing.version,
            begun=begun,
            ended=self._clock.now(),
            deployment=self._deployment.number,
            by=self._deployment.requested_by,
            releases={str(name): app.release.version for name, app in sorted(known.items())},
            parts=draft.parts(),
            safety=self._intent.plan.kind != "backup",
        )
