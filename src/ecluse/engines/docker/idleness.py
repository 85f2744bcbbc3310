"""Is a program waiting, or starting? Told by how much it works, by the kernel's account of its control group
(cgroups(7)); and how long it is given in either case."""

from __future__ import annotations

from pathlib import Path

IDLE_SHARE = 0.05
"""Below this share of one core a program is taken to be waiting."""
IDLE_SECONDS = 2.0
BUSY_SECONDS = 15.0
UNSEEN_SECONDS = 5.0


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


class Leniency:
    """How long a program may go on that does nothing of what it should: soon it is enough for one that waits, later
    for one that works. Times in seconds of any clock."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._looked: tuple[float, float | None] = (0.0, None)

    def forget(self) -> None:
        """It does what it should, or was not to be seen."""
        self._since = None

    def is_over(self, now: float, used: float | None) -> bool:
        """used: what its processor has given it so far; None where that cannot be seen."""
        if self._since is None:
            self._since, self._looked = now, (now, used)
        return now - self._since >= self._limit(now, used)

    def _limit(self, now: float, used: float | None) -> float:
        begun, before = self._looked
        if used is None or before is None:
            return UNSEEN_SECONDS
        if now - begun < IDLE_SECONDS:
            return BUSY_SECONDS
        if (used - before) / (now - begun) < IDLE_SHARE:
            return IDLE_SECONDS
        self._looked = (now, used)
        return BUSY_SECONDS
