"""Copies of data: backups that are made, brought back and tried. Each may begin again after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

from ecluse.delivery.retention import surplus
from ecluse.errors import EcluseError
from ecluse.model.backup import BackupId, Manifest, Tried, parse_backup_id
from ecluse.model.deployment import Deployment
from ecluse.model.event import Event
from ecluse.model.plan import Change
from ecluse.ports import Backups, Clock, Draft, Engine, Records


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
        backup = parse_backup_id(change.key)
        match change.action:
            case "dump":
                return self._keep(change, backup)
            case "load":
                return self._load(change, backup)
            case "rehearse":
                return self._rehearse(change, backup)
            case "prune":
                return self._prune(change, backup)
        raise AssertionError(f"{change.id} copies no data")

    def undo(self, change: Change) -> AsyncIterator[Event] | None:
        """Brings back the copy that was made before the data was replaced."""
        if change.action != "load":
            return None
        made = (item for item in self._intent.plan.changes if item.action == "dump")
        safety = next(item for item in made if item.part == change.part)
        return self._load(change, parse_backup_id(safety.key))

    async def _keep(self, change: Change, backup: BackupId) -> AsyncIterator[Event]:
        if self._backups.find(backup):
            return
        begun = self._clock.now()
        draft = self._backups.draft(backup)
        try:
            backing = self._intent.backing[change.part]
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
        backing = self._intent.backing[change.part]
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
            safety=self._intent.plan.kind == "restore",
        )
