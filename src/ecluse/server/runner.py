"""The runner: the one process of a product that acts. It executes deployments and starts crons (server/crons.py).

One at a time holds the file lock. It may be killed at any moment: its deployments are durable, and the next
runner finishes or restores them. It ends by itself when nothing is left to care for.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from ecluse import __version__
from ecluse.delivery.execute import Execution
from ecluse.delivery.queue import startable
from ecluse.errors import EcluseError
from ecluse.model.cause import Cause
from ecluse.model.event import Event
from ecluse.ports import Journal
from ecluse.server.crons import Crons
from ecluse.server.names import FACTS, LOCK
from ecluse.server.renewals import Renewals
from ecluse.settings import Settings, read_settings
from ecluse.store.durable import Durable
from ecluse.wiring.state import ProductState, open_state

POLL_SECONDS = 0.1
IDLE_SECONDS = 20.0

log = logging.getLogger("ecluse.runner")


class Runner:
    """Polls the record for what is to be done, and does it."""

    def __init__(self, state: ProductState) -> None:
        self._state = state
        self._durable = Durable(self._state.database_url, self._interpret)
        self._idle_since = self._now()
        self._crons = Crons(self._state)
        self._renewals = Renewals(self._state)

    async def serve(self) -> None:
        """Works until nothing is left to do and no environment is left to care for."""
        self._durable.launch()
        log.info("ready")
        while not self._is_over():
            for number in startable(self._state.records.unfinished()):
                log.info("deployment %d starts", number)
                await self._durable.start(number)
                self._state.records.begin(number)
            self._crons.look()
            self._renewals.look()
            await asyncio.sleep(POLL_SECONDS)
        log.info("nothing is left to care for")

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
            )
            return await execution.execute()
        except Exception as error:
            log.exception("deployment %d", number)
            sentence = error.message if isinstance(error, EcluseError) else f"internal error: {error!r}"
            records.end(number, "failed", Cause("engine", "", sentence))
            records.append(number, Event("deployment.failed", "", sentence))
            return "failed"
        finally:
            await engine.close()

    def _is_over(self) -> bool:
        if self._state.records.unfinished() or self._state.records.environments():
            self._idle_since = self._now()
        return (self._now() - self._idle_since).total_seconds() > IDLE_SECONDS

    def _now(self) -> datetime:
        return self._state.clock.now()


@contextmanager
def holding(state: Path) -> Iterator[bool]:
    """Holds the runner's lock; False when another process has it."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (state / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        facts = {"pid": os.getpid(), "version": __version__}
        (state / FACTS).write_text(json.dumps(facts))
        yield True


def run(product: str, settings: Settings) -> int:
    """The runner in the foreground; 0 when it ended by itself, 6 when another one is at work."""
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.WARNING)
    log.setLevel(logging.INFO)
    with holding(settings.product_state(product)) as held:
        if not held:
            return 6
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
        asyncio.run(Runner(open_state(product, settings, create=True)).serve())
    return 0


def _stop(_number: int, _frame: object) -> None:
    """Ends at once: what is in hand is durable, and a tidy end would record it as failed."""
    os._exit(0)


def main(arguments: Sequence[str]) -> int:
    return run(arguments[0], read_settings(os.environ))


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(status)
