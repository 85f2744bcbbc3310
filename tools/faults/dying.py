"""A runner that dies: `dying.py PRODUCT --event N [--before] [--delay SECONDS]`.

It is the runner of the product, and kills itself (SIGKILL) when it has recorded the n-th event of a deployment, just
before it records it, or some time after.
"""

from __future__ import annotations

import argparse
import functools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from ecluse.server import runner
from ecluse.store.records import SqlRecords

TELLING = ("begin", "append", "end")
"""The methods that record an event."""


class Death:
    def __init__(self, event: int, *, before: bool, delay: float) -> None:
        self._event = event
        self._before = before
        self._delay = delay
        self._seen = 0

    def around(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def told(*arguments: Any, **named: Any) -> Any:
            self._seen += 1
            is_due = self._seen == self._event
            if is_due and self._before:
                self._die()
            answer = method(*arguments, **named)
            if is_due:
                self._die()
            return answer

        return told

    def _die(self) -> None:
        if not self._delay:
            os.kill(os.getpid(), signal.SIGKILL)
        threading.Thread(target=self._die_later, daemon=True).start()

    def _die_later(self) -> None:
        time.sleep(self._delay)
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("product")
    parser.add_argument("--event", type=int, required=True)
    parser.add_argument("--before", action="store_true")
    parser.add_argument("--delay", type=float, default=0.0)
    asked = parser.parse_args()
    death = Death(asked.event, before=asked.before, delay=asked.delay)
    for name in TELLING:
        setattr(SqlRecords, name, death.around(getattr(SqlRecords, name)))
    status = runner.main([asked.product])
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
