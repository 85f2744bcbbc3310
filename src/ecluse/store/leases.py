"""The lease of a product's runner, in its record: implements ports.Leases."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, insert, select, update

from ecluse.errors import Busy
from ecluse.model.lease import Holder, Lease, is_free
from ecluse.ports import Clock
from ecluse.store.access import RUNNER, check, reading, writing
from ecluse.store.clock import moment
from ecluse.store.schema import leases


class SqlLeases:
    """Implements ports.Leases on a database that `open_database` gave."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def current(self) -> Lease | None:
        with reading(self._engine) as connection:
            return _current(connection)

    def take(self, holder: Holder) -> Lease:
        now = self._clock.now()
        with writing(self._engine) as connection:
            # a write first: two takers come one after the other
            connection.execute(update(leases).values(name=leases.c.name))
            before = _current(connection)
            if not is_free(before, holder, now):
                assert before is not None
                raise Busy(
                    f"a runner on another machine is at work ({before.holder})",
                    hint="it is taken for dead 15 s after its last sign of life",
                )
            lease = Lease(before.token + 1 if before else 1, holder, now)
            row = {
                "token": lease.token,
                "machine": holder.machine,
                "pid": holder.pid,
                "version": holder.version,
                "beat_at": now.timestamp(),
            }
            if before is None:
                connection.execute(insert(leases).values(name=RUNNER, **row))
            else:
                connection.execute(update(leases).where(leases.c.name == RUNNER).values(row))
        return lease

    def beat(self, lease: Lease) -> None:
        with writing(self._engine) as connection:
            check(connection, lease)
            connection.execute(
                update(leases).where(leases.c.name == RUNNER).values(beat_at=self._clock.now().timestamp())
            )


def _current(connection: Connection) -> Lease | None:
    row = connection.execute(select(leases).where(leases.c.name == RUNNER)).one_or_none()
    if row is None:
        return None
    holder = Holder(row.machine, row.pid, row.version)
    return Lease(row.token, holder, moment(row.beat_at))
