"""What must hold at the end of the day; each sentence that comes out is a defect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from benchmarks.installed import docker, machine
from benchmarks.load import Sample

from soaking.memory import Memory
from soaking.scene import PRODUCT, REPLICAS, RESTORED, Fault, Scene, gateway_files

BOUNDARY = timedelta(seconds=15)
"""A cron's minute this close to either end of the day may be in or out of it."""


def of_requests(samples: Sequence[Sample], faults: Sequence[Fault]) -> Iterator[str]:
    """Every request was answered, or something was killed while it was under way."""
    unexplained = Counter(
        (item.kind, item.lost) for item in samples if item.lost and not _explained(item, faults)
    )
    for (kind, reason), count in unexplained.items():
        yield f"{count} requests lost while nothing had been killed: {kind}: {reason}"


def lost_by(fault: Fault, samples: Sequence[Sample]) -> list[Sample]:
    return [item for item in samples if item.lost and _explained(item, [fault])]


def _explained(sample: Sample, faults: Sequence[Fault]) -> bool:
    return any(sample.sent < fault.until and sample.ended > fault.at for fault in faults)


def of_commands(scene: Scene) -> Iterator[str]:
    """Each command ended as it may, and the record has exactly what was asked."""
    for asked in scene.asked:
        if asked.code not in asked.allowed:
            yield f"a {asked.what} ended with {asked.code}"
    states = Counter(item["state"] for item in scene.ecluse.json("history", "test", "--limit", "1000"))
    wanted = Counter("restored" if asked.code == RESTORED else "succeeded" for asked in scene.asked)
    if states != wanted:
        yield f"the record has {dict(states)}, the commands ended as {dict(wanted)}"


def of_crons(scene: Scene, begun: datetime, ended: datetime) -> Iterator[str]:
    """The cron of every minute ran once, and well; where it did not run, the record says why."""
    found = scene.ecluse.json("history", "test", "--runs", "--limit", "1000")
    ours = [item for item in found if item["kind"] == "run" and item["requested_by"] == "schedule"]
    runs = [item for item in ours if item["number"] is not None]
    told = {_minute(item["due"]) for item in ours if item["number"] is None}
    for item in runs:
        if item["state"] != "succeeded":
            yield f"cron run {item['number']} ended {item['state']}: {item['cause']}"
    minutes = Counter(_minute(item["requested_at"]) for item in runs)
    yield from (
        f"the cron of {minute:%H:%M} ran {count} times" for minute, count in minutes.items() if count > 1
    )
    for minute in _minutes(begun + BOUNDARY, ended - BOUNDARY):
        if minute not in minutes and minute not in told:
            yield f"the cron of {minute:%H:%M} did not run, and nothing says why"
    print(f"    cron: {len(runs)} runs, {len(told)} times without a run that the record explains")


def _minute(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(second=0, microsecond=0)


def _minutes(begun: datetime, ended: datetime) -> Iterator[datetime]:
    minute = begun.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while minute <= ended:
        yield minute
        minute += timedelta(minutes=1)


def of_memory(memory: Memory) -> Iterator[str]:
    for trend in memory.trends():
        if not trend.is_flat:
            yield f"the {trend.who} grew from {trend.early / 2**20:.1f} to {trend.late / 2**20:.1f} MiB"


def of_rest(scene: Scene, files_at_first: set[str]) -> Iterator[str]:
    """At the end of the day the environment has what it needs and nothing more."""
    for kind, wanted in (("replica", REPLICAS), ("gateway", 1), ("edge", 1), ("run", 0)):
        mark = f"label=ecluse.machine={machine(scene.ecluse)}"
        there = docker(
            "ps",
            "--all",
            "--filter",
            mark,
            "--filter",
            f"label=ecluse.kind={kind}",
            "--format",
            "{{.Names}} {{.Status}}",
        ).splitlines()
        if len(there) != wanted:
            yield f"{len(there)} containers of kind {kind} instead of {wanted}: {'; '.join(there)}"
    if extra := gateway_files(scene.ecluse.state) - files_at_first:
        yield f"files of the gateway that were not there at first: {', '.join(sorted(extra))}"
    if "nothing to do" not in (shown := scene.ecluse.ok("plan", "test")):
        yield f"a plan that should be empty is not: {shown}"


def of_nothing_left(scene: Scene) -> Iterator[str]:
    """After `ecluse down --volumes`."""
    mark = f"label=ecluse.machine={machine(scene.ecluse)}"
    for kind in ("container", "network", "volume"):
        words = ("--all",) if kind == "container" else ()
        if found := docker(kind, "ls", *words, "--quiet", "--filter", mark).split():
            yield f"{len(found)} {kind}s are left: {', '.join(found)}"
    gateways = scene.ecluse.state / PRODUCT / "gateway"
    if gateways.is_dir() and (left := [str(item.relative_to(gateways)) for item in gateways.rglob("*")]):
        yield f"files of the gateway are left: {', '.join(left)}"
    strays = [item for item in scene.ecluse.state.rglob("*") if item.suffix in (".tmp", ".partial", ".new")]
    if strays:
        yield f"half-written files are left: {', '.join(map(str, strays))}"
