"""The script of the day: a morning in which everything is killed once, then ordinary hours until the time is up."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime

from benchmarks.installed import Ecluse, end_tidily, installed
from benchmarks.load import Load, Sample
from benchmarks.shown import milliseconds, percentile, progress, show_machine, table
from benchmarks.speakers import Where
from benchmarks.subject import HOST, subject
from benchmarks.ways import wait_answering

from soaking import account
from soaking.memory import Memory
from soaking.scene import KINDS, PRODUCT, SERVICE_YAML, Scene, gateway_files

QUIET_SECONDS = 2.0
SLOW = "answer after 2 s"
SLOW_SECONDS, STRETCH_SECONDS = 1.0, 3.0


def main() -> int:
    """0 when everything is accounted for, 1 with a line for each thing that is not."""
    asked = _arguments()
    seconds = asked.seconds or asked.minutes * 60
    end_tidily()
    show_machine()
    with subject(product=PRODUCT, service=SERVICE_YAML) as root, installed(root) as ecluse:
        problems = asyncio.run(live(ecluse, seconds))
    print()
    for problem in problems:
        print(f"  not accounted for: {problem}")
    print("  everything is accounted for" if not problems else f"  {len(problems)} problems", flush=True)
    return 1 if problems else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="A day of life under load, and an account of everything at its end."
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seconds", type=float, help="instead of minutes")
    return parser.parse_args()


async def live(ecluse: Ecluse, seconds: float) -> Sequence[str]:
    """Lives through the day; gives what does not add up."""
    scene = Scene(ecluse)
    await asyncio.to_thread(ecluse.ok, "build", "--quiet", "--version", "1")
    await scene.deploy()
    await wait_answering(ecluse.port)
    files = gateway_files(ecluse.state)
    load, memory = Load(Where(ecluse.port, HOST), KINDS), Memory(scene)
    begun, began_at = time.monotonic(), datetime.now(UTC)
    async with load.running(), memory.watched():
        for act in script(scene, lambda: time.monotonic() - begun < seconds):
            progress(f"{time.monotonic() - begun:4.0f} s  {act.__name__.replace('_', ' ')}")
            await act()
            await asyncio.sleep(QUIET_SECONDS)
    ended_at = datetime.now(UTC)
    show(load.samples, scene, memory)
    problems = [
        *account.of_requests(load.samples, scene.faults),
        *account.of_commands(scene),
        *account.of_crons(scene, began_at, ended_at),
        *account.of_memory(memory),
        *account.of_rest(scene, files),
    ]
    await ecluse.go("down", "test", "--volumes", "--yes")
    return [*problems, *account.of_nothing_left(scene)]


def script(scene: Scene, goes_on: Callable[[], bool]) -> Iterator[Callable[[], Awaitable[None]]]:
    """Runner and gateway are killed in the morning only: the rest of the day tells whether they grow."""
    yield from (
        scene.kill_the_runner,
        scene.kill_the_gateway,
        scene.kill_a_replica,
        scene.deploy_a_bad_release,
    )
    morning = (
        scene.welcome_and_part_with_a_neighbour, scene.kill_the_runner, scene.kill_the_gateway_in_a_deployment,
        scene.kill_the_edge, scene.kill_the_runner, scene.kill_the_runner,
    )  # fmt: skip
    hours = (
        scene.deploy, scene.scale_up_and_down, scene.deploy_a_bad_release,
        scene.welcome_and_part_with_a_neighbour, scene.kill_a_replica,
    )  # fmt: skip
    yield from itertools.takewhile(lambda _: goes_on(), itertools.chain(morning, itertools.cycle(hours)))


def show(samples: Sequence[Sample], scene: Scene, memory: Memory) -> None:
    asked = Counter(item.what for item in scene.asked)
    print("  " + ", ".join(f"{count} × {what}" for what, count in asked.items()))
    rows = []
    for kind in KINDS:
        mine = [item for item in samples if item.kind == kind.name]
        good = [item.seconds for item in mine if not item.lost]
        lost = sum(item.lost is not None for item in mine)
        figures = (milliseconds(percentile(good, share)) for share in (0.5, 0.99))
        rows.append((kind.name, str(len(mine)), str(lost), *figures))
    table(("requests", "sent", "lost", "p50 ms", "p99 ms"), rows)
    for line in slow_stretches(samples):
        print(f"    {line}")
    for fault in scene.faults:
        lost = account.lost_by(fault, samples)
        last = max((item.sent - fault.at for item in lost), default=0.0)
        print(f"    {fault.what} killed: {len(lost)} lost, the last one sent after {max(last, 0):.1f} s")
    for trend in memory.trends():
        print(
            f"    {trend.who}: {trend.early / 2**20:.1f} MiB after warming up, {trend.late / 2**20:.1f} at the end "
            f"({trend.samples} samples)"
        )


def slow_stretches(samples: Sequence[Sample]) -> Iterator[str]:
    """When answers that should come at once took longer than a second, counted from when they were sent."""
    first = min(item.due for item in samples)
    quick = [item for item in samples if item.kind != SLOW and item.ended - item.sent > SLOW_SECONDS]
    stretches: list[list[Sample]] = []
    for item in sorted(quick, key=lambda item: item.sent):
        if not stretches or item.sent - stretches[-1][-1].sent > STRETCH_SECONDS:
            stretches.append([])
        stretches[-1].append(item)
    for stretch in stretches:
        longest = max(item.ended - item.sent for item in stretch)
        yield f"at {stretch[0].sent - first:.0f} s: {len(stretch)} answers took up to {longest:.1f} s"
