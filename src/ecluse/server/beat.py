"""The runner's hold on its lease: signs of life, and the moment from which it may not write any more."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from ecluse import __version__
from ecluse.errors import CutShort
from ecluse.model.lease import HEARTBEAT, Holder, Lease
from ecluse.ports import Leases

_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Hold:
    """One runner's lease, kept alive. `cut_short`: why it may not, or cannot, record any more."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self.lease: Lease = leases.take(me())
        self.cut_short: CutShort | None = None

    async def keep(self) -> None:
        """Beats until the record says no."""
        while self.cut_short is None:
            await asyncio.sleep(HEARTBEAT.total_seconds())
            try:
                await asyncio.to_thread(self.beat)
            except CutShort as error:
                self.cut(error)

    def beat(self) -> None:
        self._leases.beat(self.lease)

    def cut(self, error: CutShort) -> None:
        self.cut_short = self.cut_short or error


def me() -> Holder:
    """Processes of one boot of a machine share its file locks, whatever container they are in."""
    try:
        machine = _BOOT.read_text().strip()
    except OSError:
        machine = os.uname().nodename
    return Holder(machine, os.getpid(), __version__)
