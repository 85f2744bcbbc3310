"""Which process of this machine holds something, written down so that others can tell whether it still lives."""

from __future__ import annotations

import os
from pathlib import Path


def this_process() -> str:
    """The boot, the process and the moment of its start (proc(5)); empty where there is no /proc."""
    started = _started(os.getpid())
    return f"{_boot()}.{os.getpid()}.{started}" if started else ""


def is_gone(holder: str) -> bool:
    """Has that process surely ended? Of what cannot be told, no."""
    if holder.count(".") != 2 or not _boot():
        return False
    boot, pid, started = holder.split(".")
    return boot != _boot() or _started(int(pid)) != started


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _started(pid: int) -> str:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    # a name in brackets comes before, and may have anything in it
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] in ("Z", "X") else fields[19]
