"""Durable execution of deployments with DBOS; the only file that knows DBOS.

One process may hold this at a time (the runner, under its file lock and lease): two would take each other's live work.

A deployment that the record says to be under way is executed by exactly one workflow. Its steps are those of one
form of the interpreter: where another version began it, or its workflow is gone, it begins anew. That is safe since
every step converges, and release tasks are in the ledger.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from itertools import count

from dbos import DBOS, DBOSConfig, SetWorkflowID
from dbos._error import DBOSUnexpectedStepError

from ecluse.errors import CutShort
from ecluse.ports import Journal
from ecluse.store.access import is_foreign, unusable

WORKFLOW_VERSION = "1"
"""Raised by hand with the order of the interpreter's steps."""
QUIET_SECONDS = 5.0
"""Nothing is awaited of DBOS's notifications: how often it looks for them only costs."""
_UNDER_WAY = frozenset({"PENDING", "ENQUEUED"})
Interpret = Callable[[int, Journal], Awaitable[str]]


class BegunOtherwise(CutShort):
    """The recorded steps are not those of this interpreter."""


class DurableJournal:
    """Implements ports.Journal inside a DBOS workflow. guard: raises when this process may not record any more.

    A step that is cut short has no outcome, not even an error: it never returns.
    """

    def __init__(self, guard: Callable[[], None], cut: Callable[[CutShort], None]) -> None:
        self._guard = guard
        self._cut = cut

    async def step(self, name: str, act: Callable[[], Awaitable[str]]) -> str:
        async def run() -> str:
            try:
                outcome = await act()
                self._guard()
                return outcome
            except CutShort as error:
                return await self.stop(error)

        try:
            return await DBOS.run_step_async({"name": name}, run)
        except DBOSUnexpectedStepError as error:
            raise BegunOtherwise("another version of Écluse began this deployment") from error
        except Exception as error:
            if is_foreign(error):
                return await self.stop(unusable(error, "of durable steps"))
            raise

    async def stop(self, error: CutShort) -> str:
        """Says why, and waits for the end of this process."""
        self._cut(error)
        await asyncio.Event().wait()
        raise AssertionError("nobody sets this event")


class Durable:
    """The execution of deployments. cut: told why work was cut short; the process is of no use then."""

    def __init__(
        self,
        database_url: str,
        interpret: Interpret,
        *,
        guard: Callable[[], None] = lambda: None,
        cut: Callable[[CutShort], None] = lambda _: None,
    ) -> None:
        logging.getLogger("dbos").setLevel(logging.CRITICAL)
        config: DBOSConfig = {
            "name": "ecluse",
            "system_database_url": database_url,
            "application_version": WORKFLOW_VERSION,
            "executor_id": "runner",
            "notification_listener_polling_interval_sec": QUIET_SECONDS,
            "console_log_level": "CRITICAL",
        }
        DBOS(config=config)
        self._active: set[int] = set()
        journal = DurableJournal(guard, cut)

        @DBOS.workflow(name="deployment", max_recovery_attempts=None)
        async def deployment(number: int) -> str:
            self._active.add(number)
            try:
                return await interpret(number, journal)
            except BegunOtherwise as error:
                return error.message
            except CutShort as error:
                return await journal.stop(error)
            finally:
                self._active.discard(number)

        self._workflow = deployment

    def launch(self) -> None:
        """What was interrupted goes on from here."""
        DBOS.launch()

    async def ensure(self, number: int) -> None:
        """Sees to it that a deployment is being executed. CutShort when it cannot be recorded."""
        if number in self._active:
            return
        try:
            await self._start(number)
        except Exception as error:
            self._active.discard(number)
            if is_foreign(error):
                raise unusable(error, "of durable steps") from error
            raise

    async def _start(self, number: int) -> None:
        for attempt in count():
            identity = f"deployment-{number}-v{WORKFLOW_VERSION}-{attempt}"
            status = await DBOS.get_workflow_status_async(identity)
            if status is None:
                self._active.add(number)
                with SetWorkflowID(identity):
                    await DBOS.start_workflow_async(self._workflow, number)
                return
            if status.status in _UNDER_WAY:  # DBOS is about to resume it
                return

    def destroy(self) -> None:
        DBOS.destroy(workflow_completion_timeout_sec=0)
