"""An engine that runs nothing and remembers everything: the twin of the real ones, for tests of what uses them."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ecluse.errors import EngineError, NotFound
from ecluse.model.application import Application, BackingService, Passwords, Target
from ecluse.model.capacity import Capacity
from ecluse.model.cause import Cause, RolloutFailed
from ecluse.model.event import Event, EventKind, LogLine
from ecluse.model.names import ServiceName
from ecluse.model.observed import BackingState, Observed, Replica
from ecluse.model.product import Tls
from ecluse.model.workload import Box, Run, Workload
from ecluse.ports import Copy, Draft


@dataclass(slots=True)
class World:
    """One environment of the engine. `ran`: subject and key of every run. `ended`: how those ended that were not
    tidied. data: what each backing service holds, by database."""

    prepared: bool = False
    tls: Tls | None = None
    replicas: dict[str, Replica] = field(default_factory=dict)
    backing: dict[str, BackingState] = field(default_factory=dict)
    routes: dict[str, str] = field(default_factory=dict)
    volumes: set[str] = field(default_factory=set)
    data: dict[str, dict[str, bytes]] = field(default_factory=dict)
    ran: list[tuple[str, str]] = field(default_factory=list)
    variables: dict[str, dict[str, str]] = field(default_factory=dict)
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    boxes: dict[str, Box] = field(default_factory=dict)
    ended: dict[tuple[str, str], Cause | None] = field(default_factory=dict)


class MemoryEngine:
    """Implements ports.Engine. `asked` has every acting call, in words, in order; `provided` each backing service
    as it was asked for last."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.kept = b"to be kept"
        self.output: dict[str, list[str]] = {}
        self.provided: dict[str, BackingService] = {}
        self.room = Capacity(memory=2**34, cpu=4000, disk_free=2**35, addresses=500)
        self._worlds: dict[str, World] = {}
        self._failures: dict[tuple[str, str | None], Cause] = {}
        self._identities = itertools.count(1)

    def world(self, target: Target) -> World:
        return self._worlds.setdefault(target.slug, World())

    def fail(self, subject: str, cause: Cause | None = None, *, version: str | None = None) -> None:
        """From now on new replicas, runs and backing services of `subject` fail; those of one version only,
        when that is given."""
        self._failures[subject, version] = cause or Cause("exited", subject, f"{subject} was told to fail")

    def mend(self, subject: str) -> None:
        """Takes back what `fail` said."""
        self._failures = {key: cause for key, cause in self._failures.items() if key[0] != subject}

    async def observe(self, target: Target) -> Observed:
        world = self.world(target)
        services = {host: service for host, service in world.routes.items()}
        return Observed(
            exists=world.prepared or bool(world.replicas or world.backing),
            replicas=tuple(sorted(world.replicas.values(), key=lambda item: item.name)),
            backing=tuple(world.backing[name] for name in sorted(world.backing)),
            hosts=services,
            urls={host: f"http://{host}" for host in services},
            volumes=tuple(sorted(world.volumes)),
            gateway="running" if world.prepared else None,
            tls=world.tls,
        )

    async def capacity(self, target: Target) -> Capacity:
        return self.room

    async def prepare(self, target: Target, workloads: Sequence[Workload]) -> AsyncIterator[Event]:
        self.asked.append("prepare")
        world = self.world(target)
        world.prepared, world.tls = True, target.tls
        world.routes = {item.host: str(item.service) for item in workloads if item.host}
        yield Event("gateway", message=f"public: {', '.join(sorted(world.routes)) or 'no public name'}")

    async def variables(self, target: Target, service: ServiceName) -> Mapping[str, str]:
        return self.world(target).variables.get(service, {})

    async def file(self, target: Target, service: ServiceName, path: str) -> bytes | None:
        return self.world(target).files.get((str(service), path))

    async def resembles(self, target: Target, workload: Workload) -> bool:
        world = self.world(target)
        mine = [item for item in world.replicas.values() if _is_of(item, workload.service, workload.process)]
        made = [world.boxes.get(item.name) for item in mine]
        return len(made) == workload.replicas and all(box == workload.box for box in made)

    async def passwords(self, target: Target, backing: BackingService) -> Passwords:
        known = self.provided.get(backing.name)
        root = known.root_password if known else None
        return Passwords(root if isinstance(root, str) else None)

    async def keepsake(self, target: Target) -> bytes | None:
        return self.kept if self.world(target).prepared else None

    async def renew(self, target: Target) -> AsyncIterator[Event]:
        self.asked.append("renew")
        return
        yield

    async def recover(
        self, target: Target, applications: Mapping[ServiceName, Application]
    ) -> AsyncIterator[Event]:
        """Nothing ever goes away here."""
        self.asked.append("recover")
        return
        yield

    async def provide(self, target: Target, backing: BackingService) -> AsyncIterator[Event]:
        self.asked.append(f"provide {backing.name}")
        self._refuse(backing.name, backing.version)
        self.provided[backing.name] = backing
        world = self.world(target)
        spec = f"{backing.kind} {backing.version} {backing.image} {backing.cpu} {backing.memory}"
        before = world.backing.get(backing.name)
        identity = before.id if before and before.spec == spec else self._identity()
        accounts = tuple(sorted(str(name) for name in backing.accounts))
        world.volumes.add(f"{target.slug}-{backing.name}")
        world.backing[backing.name] = BackingState(
            identity, backing.name, backing.kind, backing.version, spec, "ready", accounts
        )
        yield Event("backing", backing.name, f"ready, with {len(accounts)} accounts")

    async def rollout(self, target: Target, workload: Workload) -> AsyncIterator[Event]:
        self.asked.append(f"rollout {workload.subject}")
        world = self._existing(target)
        mine = [item for item in world.replicas.values() if _is_of(item, workload.service, workload.process)]
        kept = [item for item in mine if item.box == workload.box.digest and item.state == "ready"]
        kept = kept[: workload.replicas]
        missing = workload.replicas - len(kept)
        if missing > 0:
            self._refuse(workload.subject, workload.box.release.version)
        made = [self._replica(target, workload) for _ in range(missing)]
        shown = {key: text for key, text in workload.box.env.items() if isinstance(text, str)}
        world.variables[str(workload.service)] = shown
        for one in workload.box.files:
            if isinstance(one.content, str):
                world.files[str(workload.service), one.path] = one.content.encode()
        for item in made:
            world.replicas[item.name] = item
            world.boxes[item.name] = workload.box
            kinds: tuple[EventKind, ...] = ("replica.created", "replica.started", "replica.ready")
            for kind in kinds:
                yield Event(kind, workload.subject, replica=item.name)
        for item in (item for item in mine if item not in kept):
            yield self._stop(world, item)

    async def run(self, target: Target, run: Run) -> AsyncIterator[Event]:
        subject = f"{run.service}/{run.name}"
        self.asked.append(f"run {subject}")
        world = self._existing(target)
        for text in self.output.get(subject, ()):
            yield Event("output", subject, text)
        if (subject, run.key) not in world.ended:
            world.ran.append((subject, run.key))
            world.ended[subject, run.key] = self._failure(subject, run.box.release.version)
        if cause := world.ended[subject, run.key]:
            raise RolloutFailed(cause)

    async def tidy(self, target: Target, run: Run) -> None:
        self.world(target).ended.pop((f"{run.service}/{run.name}", run.key), None)

    async def confirm(
        self,
        target: Target,
        workloads: Sequence[Workload],
        backing: Sequence[BackingService],
        *,
        since: datetime,
    ) -> AsyncIterator[Event]:
        self.asked.append("confirm")
        world = self.world(target)
        for item in workloads:
            mine = [one for one in world.replicas.values() if _is_of(one, item.service, item.process)]
            well = [one for one in mine if one.box == item.box.digest and one.state == "ready"]
            self._refuse(f"confirm {item.subject}", item.box.release.version)
            if len(well) < item.replicas:
                sentence = f"{item.subject} exited with code 1 soon after it was ready"
                raise RolloutFailed(Cause("exited", item.subject, sentence, ("exited with code 1",)))
            yield Event("note", item.subject, f"{len(well)} well")
        for service in backing:
            state = world.backing.get(service.name)
            if state is None or state.state != "ready":
                sentence = f"{service.name} ended soon after it was ready"
                raise RolloutFailed(Cause("exited", service.name, sentence))

    async def retire(
        self, target: Target, service: ServiceName, process: str | None = None
    ) -> AsyncIterator[Event]:
        self.asked.append(f"retire {service}/{process}" if process else f"retire {service}")
        world = self.world(target)
        for item in [item for item in world.replicas.values() if _is_of(item, service, process)]:
            yield self._stop(world, item)

    async def dump(self, target: Target, backing: BackingService, draft: Draft) -> AsyncIterator[Event]:
        self.asked.append(f"dump {backing.name}")
        for database, data in self._data(target, backing).items():
            draft.write(database, data)
            yield Event("backing", backing.name, f"copied {database}, {len(data)} bytes")
        self._refuse(f"dump {backing.name}", backing.version)

    async def load(self, target: Target, backing: BackingService, copy: Copy) -> AsyncIterator[Event]:
        self.asked.append(f"load {backing.name} {copy.manifest.id}")
        held = self._data(target, backing)
        self._refuse(f"load {backing.name} {copy.manifest.id}", backing.version)
        held |= {part.database: b"".join(copy.read(part.database)) for part in copy.manifest.parts}
        yield Event("backing", backing.name, "brought back")

    async def rehearse(self, target: Target, backing: BackingService, copy: Copy) -> AsyncIterator[Event]:
        self.asked.append(f"rehearse {backing.name} {copy.manifest.id}")
        self._refuse(f"rehearse {backing.name}", backing.version)
        counts = {part.database: len(b"".join(copy.read(part.database))) for part in copy.manifest.parts}
        yield Event("backing", backing.name, "opens", data=counts)

    async def upgrade(
        self,
        target: Target,
        before: BackingService,
        after: BackingService,
        draft: Draft,
        keep: Callable[[], Copy],
    ) -> AsyncIterator[Event]:
        self.asked.append(f"upgrade {after.name} {after.version}")
        world = self.world(target)
        if world.backing[after.name].version != after.version:
            for database, data in self._data(target, before).items():
                draft.write(database, data)
            keep()
            self._refuse(f"upgrade {after.name}", after.version)
            world.volumes.add(f"{target.slug}-{after.name}-v{after.version}")
        async for event in self.provide(target, after):
            yield event

    def _data(self, target: Target, backing: BackingService) -> dict[str, bytes]:
        world = self.world(target)
        if backing.name not in world.backing:
            raise EngineError(f"{backing.name} does not run in {target.environment}")
        names = ["data"] if backing.kind == "redis" else [name.replace("-", "_") for name in backing.accounts]
        return world.data.setdefault(backing.name, {name: b"" for name in names})

    async def withdraw(self, target: Target, backing: str) -> AsyncIterator[Event]:
        self.asked.append(f"withdraw {backing}")
        if self.world(target).backing.pop(backing, None):
            yield Event("backing", backing, "stopped; its volume stays")

    async def remove(self, target: Target, *, volumes: bool) -> AsyncIterator[Event]:
        self.asked.append("remove with volumes" if volumes else "remove")
        left = set() if volumes else self.world(target).volumes
        self._worlds[target.slug] = World(volumes=left)
        yield Event("note", message="removed")

    async def logs(
        self,
        target: Target,
        service: ServiceName,
        process: str | None,
        *,
        follow: bool,
        since: float | None,
        tail: int | None,
    ) -> AsyncIterator[LogLine]:
        running = [item for item in self.world(target).replicas.values() if _is_of(item, service, process)]
        if not running:
            raise NotFound(f"nothing of {service} is in {target.environment} of {target.product}")
        for item in running:
            lines = self.output.get(f"{item.service}/{item.process}", [])
            for text in lines[-tail:] if tail else lines:
                yield LogLine(datetime.now(UTC), item.name, text)

    async def execute(
        self, target: Target, service: ServiceName, process: str | None, command: Sequence[str], *, tty: bool
    ) -> int:
        self.asked.append(f"execute {' '.join(command)}")
        if not any(_is_of(item, service, process) for item in self.world(target).replicas.values()):
            raise NotFound(f"no replica of {service} runs in {target.environment}")
        return 0

    async def debug(
        self, target: Target, workload: Workload, image: str, command: Sequence[str], *, tty: bool
    ) -> int:
        self.asked.append(f"debug {workload.subject} with {image}")
        return 0

    async def close(self) -> None:
        return None

    def stop(self, target: Target, name: str) -> None:
        """Has a replica end by itself, as a crash would."""
        world = self.world(target)
        world.replicas[name] = replace(world.replicas[name], state="exited", exit_code=1)

    def _existing(self, target: Target) -> World:
        world = self.world(target)
        if not world.prepared:
            raise EngineError(f"{target.slug} does not exist", hint="prepare the environment first")
        return world

    def _refuse(self, subject: str, version: str) -> None:
        if cause := self._failure(subject, version):
            raise RolloutFailed(cause)

    def _failure(self, subject: str, version: str) -> Cause | None:
        return self._failures.get((subject, version)) or self._failures.get((subject, None))

    def _replica(self, target: Target, workload: Workload) -> Replica:
        names = self.world(target).replicas
        stem = f"{target.slug}-{workload.service}-{workload.process}"
        name = next(f"{stem}-{n}" for n in itertools.count(1) if f"{stem}-{n}" not in names)
        # taken at once, so that the next one gets another name
        names[name] = made = Replica(
            id=self._identity(),
            name=name,
            service=workload.service,
            process=workload.process,
            box=workload.box.digest,
            version=workload.box.release.version,
            image_id=workload.box.release.image_id,
            state="ready",
            started=datetime.now(UTC),
        )
        return made

    def _stop(self, world: World, item: Replica) -> Event:
        del world.replicas[item.name]
        return Event("replica.stopped", f"{item.service}/{item.process}", replica=item.name)

    def _identity(self) -> str:
        return f"memory-{next(self._identities)}"


def _is_of(item: Replica, service: ServiceName, process: str | None) -> bool:
    return item.service == service and process in (None, item.process)
