"""The runner: the one process of a product that acts. It executes deployments and starts crons (server/crons.py).

One at a time holds the file lock and the lease. It may be killed at any moment: its deployments are durable, and the
next runner finishes or restores them. When it cannot record what it does, it stops, waits until it can, and begins
anew as another process. It ends by itself when nothing is left to care for.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ecluse.delivery.execute import Execution
from ecluse.delivery.queue import startable
from ecluse.delivery.turns import Turns
from ecluse.errors import Busy, CutShort, EcluseError, RecordDamaged
from ecluse.model.cause import Cause
from ecluse.ports import Journal
from ecluse.server.beat import Hold
from ecluse.server.crons import Crons
from ecluse.server.recovery import Recovery
from ecluse.server.renewals import Renewals
from ecluse.server.turn import holding
from ecluse.server.upkeep import Upkeep
from ecluse.settings import Settings, read_settings
from ecluse.store.durable import Durable
from ecluse.wiring.state import ProductState, check_state, open_state, wait_usable

POLL_SECONDS = 0.1
LOOK_SECONDS = 1.0
"""The whole record is looked at so often, and at once when somebody has written to it."""
IDLE_SECONDS = 20.0
BUSY = 6

log = logging.getLogger("ecluse.runner")


class Runner:
    """Watches the record for what is to be done, and does it."""

    def __init__(self, state: ProductState) -> None:
        self._hold = Hold(state.leases)
        self._state = replace(
            state,
            records=state.records.under(self._hold.lease),
            schedule=state.schedule.under(self._hold.lease),
        )
        self._turns = Turns()
        self._durable = Durable(
            self._state.database_url, self._interpret, guard=self._hold.beat, cut=self._hold.cut
        )
        self._idle_since = self._now()
        self._crons = Crons(self._state)
        self._renewals = Renewals(self._state)
        self._recovery = Recovery(self._state)
        self._upkeep = Upkeep(self._state)
        self._stamp: int | None = None
        self._looked_at = 0.0

    async def serve(self) -> None:
        """Works until nothing is left to do and no environment is left to care for. CutShort when it cannot go on:
        what is in hand is left as it is, for the process that comes after this one."""
        self._durable.launch()
        beating = asyncio.create_task(self._hold.keep())
        log.info("ready, with lease %d", self._hold.lease.token)
        try:
            while not self._is_over():
                if self._hold.cut_short is not None:
                    raise self._hold.cut_short
                if self._has_news():
                    await self._look()
                self._crons.look()
                self._renewals.look()
                self._recovery.look()
                self._upkeep.look()
                await asyncio.sleep(POLL_SECONDS)
        finally:
            beating.cancel()
        log.info("nothing is left to care for")

    def _has_news(self) -> bool:
        stamp = self._state.records.stamp()
        now = time.monotonic()
        if stamp == self._stamp and now - self._looked_at < LOOK_SECONDS:
            return False
        self._stamp, self._looked_at = stamp, now
        return True

    async def _look(self) -> None:
        for number in startable(self._state.records.unfinished()):
            log.info("deployment %d starts", number)
            self._state.records.begin(number)
        for item in self._state.records.unfinished():
            if item.state == "running":
                await self._durable.ensure(item.number)

    async def _interpret(self, number: int, journal: Journal) -> str:
        records = self._state.records
        deployment = records.deployment(number)
        if deployment.has_ended:
            return deployment.state
        engine = self._state.engine()
        try:
            execution = Execution(
                deployment,
                engine=engine,
                journal=journal,
                records=records,
                clock=self._state.clock,
                backups=self._state.backups,
                turns=self._turns,
            )
            return await execution.execute()
        except CutShort:
            raise
        except Exception as error:
            log.exception("deployment %d", number)
            sentence = error.message if isinstance(error, EcluseError) else f"internal error: {error!r}"
            records.end(number, "failed", Cause("engine", "", sentence))
            return "failed"
        finally:
            await engine.close()

    def _is_over(self) -> bool:
        if (self._now() - self._idle_since).total_seconds() <= IDLE_SECONDS:
            return False
        if self._state.records.unfinished() or self._state.records.environments():
            self._idle_since = self._now()
            return False
        return True

    def _now(self) -> datetime:
        return self._state.clock.now()


def run(product: str, settings: Settings) -> int:
    """The runner in the foreground; 0 when it ended by itself, 6 when another one is at work."""
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.WARNING)
    log.setLevel(logging.INFO)
    # before an older runner has to give way
    check_state(product, settings)
    with holding(settings.product_state(product)) as held:
        if not held:
            return BUSY
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
        try:
            asyncio.run(_serve(product, settings))
        except Busy as error:
            log.warning("%s", error.message)
            return BUSY
    return 0


async def _serve(product: str, settings: Settings) -> None:
    try:
        await Runner(open_state(product, settings, create=True)).serve()
    except RecordDamaged:
        raise
    except CutShort as error:
        log.warning("cut short: %s", error.message)
        await asyncio.to_thread(wait_usable, product, settings)
        _become_new()


def _become_new() -> None:
    """The same process with nothing of what it had in hand: engine work that is under way is not told to stop, as if
    this process had been killed; the new one finds what it left."""
    log.info("the record can be written again")
    logging.shutdown()
    os.execv(sys.executable, sys.orig_argv)


def _stop(_number: int, _frame: object) -> None:
    """Ends at once: what is in hand is durable, and a tidy end would record it as failed."""
    os._exit(0)


def main(arguments: Sequence[str]) -> int:
    try:
        return run(arguments[0], read_settings(os.environ))
    except EcluseError as error:
        told = f"{error.message} ({error.hint})" if error.hint else error.message
        sys.stderr.write(told + "\n")
        return error.exit_code


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(status)
