"""What an engine is told to run: one process of one service, or one command, with all that it needs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ecluse.model.application import Application, File, ReleaseId
from ecluse.model.names import ServiceName
from ecluse.model.secret import Sealed, Text
from ecluse.model.service import Exposure, Process, Task


@dataclass(frozen=True, slots=True)
class Box:
    """What is inside one container, and so what makes it necessary to replace it.

    env: variable → text. hosts: internal names of the services that it may call.
    backing: names of the backing services that it may reach. cpu, memory as in Process.
    """

    release: ReleaseId
    command: tuple[str, ...]
    env: Mapping[str, Text]
    files: tuple[File, ...]
    uses: tuple[ServiceName, ...]
    backing: tuple[str, ...]
    cpu: int | None
    memory: int | None
    outside: tuple[str, ...] | None = None
    """The addresses outside that it reaches and no others; None: any."""

    @property
    def digest(self) -> str:
        """Equal for equal boxes. The image counts by its content: a label that differs changes nothing."""
        facts = asdict(self) | {"release": self.release.content}
        if self.outside is None:
            # as it was before there was a choice
            del facts["outside"]
        text = json.dumps(facts, sort_keys=True, default=_plain)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Workload:
    """A process and how many replicas of it should run. `host` is its public name, `name` its internal one."""

    service: ServiceName
    process: str
    box: Box
    spec: Process
    name: str | None
    host: str | None

    @property
    def replicas(self) -> int:
        return self.spec.replicas

    @property
    def subject(self) -> str:
        return f"{self.service}/{self.process}"

    @property
    def exposure(self) -> Exposure | None:
        return self.spec.expose


@dataclass(frozen=True, slots=True)
class Run:
    """A command that runs to its end: a task, or a cron. `key` names the run, so that it is found again."""

    service: ServiceName
    name: str
    key: str
    box: Box
    timeout: float


def workload(application: Application, process: Process, *, domain: str) -> Workload:
    """The workload of one process; the front of a service answers under the service's own name."""
    return Workload(
        service=application.service,
        process=process.name,
        box=box(application, process.command, cpu=process.cpu, memory=process.memory),
        spec=process,
        name=str(application.service) if process == application.front else None,
        host=process.expose.address(domain) if process.expose else None,
    )


def task_run(application: Application, task: Task, *, key: str) -> Run:
    return Run(application.service, task.name, key, box(application, task.command), task.timeout)


def box(
    application: Application, command: tuple[str, ...], *, cpu: int | None = None, memory: int | None = None
) -> Box:
    env = {setting.key: setting.text for setting in application.settings} if application.env else {}
    return Box(
        release=application.release,
        command=command,
        env=env,
        files=application.files,
        uses=tuple(sorted(application.uses)),
        backing=tuple(sorted(application.backing)),
        cpu=cpu,
        memory=memory,
        outside=tuple(sorted(application.external)) if application.egress == "declared" else None,
    )


def _plain(value: object) -> object:
    if isinstance(value, Sealed):
        return {"sealed": value.fingerprint}
    raise TypeError(f"{type(value).__name__} is not part of a box")


def task_key(application: Application, task: Task) -> str:
    """What the ledger knows a release task by: the content of the image and the command."""
    facts = json.dumps([application.release.content, task.command])
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def find_command(application: Application, name: str) -> Task | None:
    """The task of that name, or the cron as a task that runs when asked."""
    cron = application.crons.get(name)
    if cron is not None:
        return Task(cron.name, cron.command, timeout=cron.timeout)
    return application.tasks.get(name)
