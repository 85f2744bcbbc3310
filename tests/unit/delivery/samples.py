"""Small applications and what surrounds them, for tests of the pure use cases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from ecluse.errors import Location
from ecluse.model.application import (
    Application,
    BackingService,
    Desired,
    File,
    Origin,
    ReleaseId,
    Setting,
    Target,
)
from ecluse.model.deployment import KnownGood
from ecluse.model.names import EnvironmentName, ProductName, ServiceName
from ecluse.model.observed import Observed, Replica
from ecluse.model.secret import Sealed, Text
from ecluse.model.service import Cron, Exposure, Process, Task
from ecluse.model.workload import workload

TARGET = Target(ProductName("shop"), EnvironmentName("test"), "test.localhost")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NOTHING = KnownGood({}, {}, {})


def release(service: str, version: str = "1", *, content: str | None = None, form: str = "form") -> ReleaseId:
    content = content or f"content-{version}"
    return ReleaseId(ServiceName(service), version, f"sha256:{version * 12}", content, form=form)


def setting(key: str, text: Text, line: int = 1) -> Setting:
    return Setting(key, text, Origin("common", Location("config/common.yaml", line)))


def application(
    service: str,
    version: str = "1",
    *,
    settings: Mapping[str, Text] | None = None,
    files: tuple[File, ...] = (),
    uses: tuple[str, ...] = (),
    backing: tuple[str, ...] = (),
    tasks: tuple[Task, ...] = (),
    crons: tuple[Cron, ...] = (),
    replicas: int = 1,
    content: str | None = None,
    form: str = "form",
) -> Application:
    web = Process("web", port=8080, expose=Exposure(service), replicas=replicas)
    return Application(
        service=ServiceName(service),
        domain=None,
        place="docker",
        release=release(service, version, content=content, form=form),
        processes={"web": web},
        tasks={task.name: task for task in tasks},
        crons={cron.name: cron for cron in crons},
        settings=tuple(setting(key, text) for key, text in (settings or {}).items()),
        env=True,
        files=files,
        uses=tuple(ServiceName(name) for name in uses),
        backing=backing,
    )


def database(*clients: str) -> BackingService:
    accounts: dict[ServiceName, Text] = {ServiceName(name): Sealed(f"pw-{name}") for name in clients}
    return BackingService("db", "mariadb", "10.11", None, None, None, None, Sealed("root"), accounts)


def desired(*applications: Application, backing: tuple[BackingService, ...] = ()) -> Desired:
    return Desired(
        TARGET,
        {item.service: item for item in applications},
        {item.name: item for item in backing},
        "abc1234",
    )


def known(*applications: Application, backing: tuple[BackingService, ...] = ()) -> KnownGood:
    return KnownGood(
        {item.service: item for item in applications},
        {item.service: 1 for item in applications},
        {item.name: item for item in backing},
        "abc1234",
    )


def running(*applications: Application) -> Observed:
    """What an engine would see after it rolled these out."""
    return Observed(
        exists=True,
        replicas=tuple(
            Replica(
                id=f"{app.service}-{process.name}-{number}",
                name=f"{app.service}-{process.name}-{number}",
                service=app.service,
                process=process.name,
                box=workload(app, process, domain=TARGET.domain).box.digest,
                version=app.release.version,
                image_id=app.release.image_id,
                state="ready",
            )
            for app in applications
            for process in app.processes.values()
            for number in range(1, process.replicas + 1)
        ),
    )
