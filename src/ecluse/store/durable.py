"""Durable execution of deployments with DBOS; the only file that knows DBOS.

The workflow is named and versioned by hand: a stored deployment is resumed by the interpreter of its version.
One process may hold this at a time (the runner, under its file lock): two would take each other's live work.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from dbos import DBOS, DBOSConfig, SetWorkflowID

from ecluse.ports import Journal

WORKFLOW_VERSION = "1"
Interpret = Callable[[int, Journal], Awaitable[str]]


class DurableJournal:
    """Implements ports.Journal inside a DBOS workflow."""

    async def step(self, name: str, act: Callable[[], Awaitable[str]]) -> str:
        async def run() -> str:
            return await act()

        return await DBOS.run_step_async({"name": name}, run)


class Durable:
    """The execution of deployments: `launch` resumes what was interrupted, `start` begins one."""

    def __init__(self, database_url: str, interpret: Interpret) -> None:
        logging.getLogger("dbos").setLevel(logging.ERROR)
        config: DBOSConfig = {
            "name": "ecluse",
            "system_database_url": database_url,
            "application_version": WORKFLOW_VERSION,
            "executor_id": "runner",
            "notification_listener_polling_interval_sec": 0.05,
            "console_log_level": "ERROR",
        }
        DBOS(config=config)

        @DBOS.workflow(name="deployment")
        async def deployment(number: int) -> str:
            return await interpret(number, DurableJournal())

        self._workflow = deployment

    def launch(self) -> None:
        DBOS.launch()

    async def start(self, number: int) -> None:
        """Begins a deployment; one that was begun already is left alone."""
        with SetWorkflowID(f"deployment-{number}"):
            await DBOS.start_workflow_async(self._workflow, number)

    def destroy(self) -> None:
        DBOS.destroy(workflow_completion_timeout_sec=0)
