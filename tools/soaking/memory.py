"""The memory of runner, gateway and edge over time, and when it counts as flat."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.installed import Failed, docker

from soaking.scene import Scene

INTERVAL_SECONDS = 2.0
SHARE = 0.10
FLOOR = 8 * 2**20
"""Flat: the median of the last quarter is at most a tenth, or 8 MiB if that is more, above that of the second one.
The first quarter is warming up. Only the last process of each is judged: one that was killed begins anew."""

_PAGE = 4096


@dataclass(frozen=True, slots=True)
class Trend:
    """Resident bytes of one process with its children: after warming up, and at the end."""

    who: str
    early: float
    late: float
    samples: int

    @property
    def is_flat(self) -> bool:
        return self.late - self.early <= max(FLOOR, self.early * SHARE)


@dataclass
class Memory:
    """Samples by role and process, in the order in which the processes came."""

    scene: Scene
    samples: dict[str, dict[int, list[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()

    def trends(self) -> Iterator[Trend]:
        for who, processes in self.samples.items():
            yield trend(who, list(processes.values())[-1])

    async def _watch(self) -> None:
        while True:
            due = time.monotonic() + INTERVAL_SECONDS
            for who, pid in await asyncio.to_thread(lambda: list(self._processes())):
                if (found := resident(pid)) > 0:
                    self.samples[who][pid].append(found)
            await asyncio.sleep(max(0.1, due - time.monotonic()))

    def _processes(self) -> Iterator[tuple[str, int]]:
        try:
            yield "runner", self.scene.runner
            for kind in ("gateway", "edge"):
                for container in self.scene.containers(kind):
                    yield kind, int(docker("inspect", "--format", "{{.State.Pid}}", container))
        except (OSError, ValueError, Failed):
            return


def trend(who: str, samples: Sequence[int]) -> Trend:
    quarter = max(1, len(samples) // 4)
    early = statistics.median(samples[quarter : 2 * quarter] or samples)
    return Trend(who, early, statistics.median(samples[-quarter:]), len(samples))


def resident(pid: int) -> int:
    """Of a process and its descendants, in bytes; 0 when it is gone. Container tools count the same pages."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, IndexError):
        return 0
    return pages * _PAGE + sum(resident(int(child)) for child in children)
