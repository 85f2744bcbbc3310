"""What every engine must do with copies of data."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from making import Bench, drain

from ecluse.errors import EngineError
from ecluse.model.backup import BackupId, Manifest
from ecluse.ports import Copy
from ecluse.store.backups import FileBackups


async def test_data_is_copied_brought_back_and_tried(bench: Bench, tmp_path: Path) -> None:
    redis = bench.make.redis()
    await drain(bench.engine.prepare(bench.target, []))
    await drain(bench.engine.provide(bench.target, redis))
    backups = FileBackups(tmp_path / "backups")
    backup = BackupId(bench.target.environment, redis.name, "20260302T120000.000Z")
    draft = backups.draft(backup)
    events = await drain(bench.engine.dump(bench.target, redis, draft))
    assert {event.subject for event in events} == {redis.name}
    now, parts = datetime.now(UTC), draft.parts()
    assert [part.database for part in parts] == ["data"]
    draft.keep(
        Manifest(backup.environment, redis.name, backup.at, "redis", "7.0", now, now, 1, "me", {}, parts)
    )
    copy = backups.copy(backup)
    copy.verify()
    for _ in range(2):
        assert await drain(bench.engine.load(bench.target, redis, copy))
    events = await drain(bench.engine.rehearse(bench.target, redis, copy))
    assert events[-1].data == {"data": 0}
    (state,) = (await bench.engine.observe(bench.target)).backing
    assert (state.name, state.state) == (redis.name, "ready")


async def test_what_does_not_run_cannot_be_copied(bench: Bench, tmp_path: Path) -> None:
    backup = BackupId(bench.target.environment, "sessions", "20260302T120000.000Z")
    draft = FileBackups(tmp_path / "backups").draft(backup)
    with pytest.raises(EngineError, match="sessions does not run in test"):
        await drain(bench.engine.dump(bench.target, bench.make.redis(), draft))


async def test_another_version_takes_the_place_of_the_one_before(bench: Bench, tmp_path: Path) -> None:
    after = replace(bench.make.redis(), version="7.0")
    before = replace(after, version="6.0")
    await drain(bench.engine.prepare(bench.target, []))
    await drain(bench.engine.provide(bench.target, before))
    backups = FileBackups(tmp_path / "backups")
    backup = BackupId(bench.target.environment, after.name, "20260302T120000.000Z")
    kept = []

    def keep() -> Copy:
        now, parts = datetime.now(UTC), draft.parts()
        made = Manifest(
            backup.environment, after.name, backup.at, "redis", "6.0", now, now, 1, "me", {}, parts
        )
        draft.keep(made)
        kept.append(made)
        return backups.copy(backup)

    for _ in range(2):
        draft = backups.draft(backup)
        await drain(bench.engine.upgrade(bench.target, before, after, draft, keep))
        draft.discard()
        observed = await bench.engine.observe(bench.target)
        (state,) = observed.backing
        assert (state.version, state.state, len(observed.volumes)) == ("7.0", "ready", 2)
    assert len(kept) == 1
