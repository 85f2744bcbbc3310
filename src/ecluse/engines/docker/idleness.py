"""How much a program works, by the kernel's account of its control group (cgroups(7)): is it waiting, or starting?"""

from __future__ import annotations

from pathlib import Path

IDLE_SHARE = 0.05
"""Below this share of one core a program is taken to be waiting."""


def processor_seconds(process: int) -> float | None:
    """What the control group of a process has used so far; None where it cannot be seen from here."""
    try:
        groups = Path(f"/proc/{process}/cgroup").read_text()
    except OSError:
        return None
    return next((used for line in groups.splitlines() if (used := _used(line)) is not None), None)


def _used(line: str) -> float | None:
    _, controllers, path = line.split(":", 2)
    try:
        if controllers == "":
            text = Path(f"/sys/fs/cgroup{path}/cpu.stat").read_text()
            return int(text.split("usage_usec ")[1].split()[0]) / 1e6
        if "cpuacct" in controllers.split(","):
            return int(Path(f"/sys/fs/cgroup/{controllers}{path}/cpuacct.usage").read_text()) / 1e9
    except (OSError, IndexError, ValueError):
        return None
    return None


def is_idle(before: float, after: float, *, seconds: float) -> bool:
    return seconds > 0 and (after - before) / seconds < IDLE_SHARE
