"""A service.yaml → ServiceSpec, with the line of everything it says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ecluse.config.document import Document, read_document
from ecluse.config.schema.service import (
    ContractText,
    CronText,
    ProcessText,
    RolloutText,
    ServiceText,
    SettingsText,
    TaskText,
)
from ecluse.config.service_rules import service_problems
from ecluse.config.validate import fit
from ecluse.errors import ConfigInvalid, Problem
from ecluse.model.names import ServiceName
from ecluse.model.service import (
    ContractKey,
    Cron,
    Delivery,
    Exposure,
    ImageBuild,
    ImageTests,
    Introduction,
    Probe,
    Process,
    ServiceSpec,
    SettingsFile,
    Task,
    TemplateFile,
    Websockets,
)


@dataclass(frozen=True, slots=True)
class Declaration:
    """A service.yaml that was read: what it says, and where."""

    spec: ServiceSpec
    document: Document
    text: str


def read_service(text: str, file: str) -> ServiceSpec:
    """The service of a service.yaml; ConfigInvalid with all that is wrong."""
    declaration, problems = read_declaration(text, file)
    if declaration is None or problems:
        raise ConfigInvalid(problems)
    return declaration.spec


def read_declaration(text: str, file: str) -> tuple[Declaration | None, tuple[Problem, ...]]:
    return declare(read_document(text, file), text)


def declare(document: Document, text: str) -> tuple[Declaration | None, tuple[Problem, ...]]:
    """A declaration may come together with problems: its spec is then good enough to look for more."""
    shape, problems = fit(document, ServiceText)
    if shape is None:
        return None, problems
    spec = _spec(shape)
    return Declaration(spec, document, text), (*problems, *service_problems(spec, shape, document))


def process(name: str, text: ProcessText) -> Process:
    probe = text.probe.model_dump(exclude_none=True) if text.probe else {}
    if "command" in probe:
        probe["command"] = tuple(probe["command"])
    given = text.model_dump(
        exclude_none=True, exclude={"command", "probe", "expose", "rollout", "websockets"}
    )
    made = Process(
        name,
        command=tuple(text.command or ()),
        probe=Probe(**probe),
        expose=Exposure(text.expose.host) if text.expose else None,
        rollout=_introduction(text.rollout),
        websockets=Websockets(**text.websockets.model_dump(exclude_none=True))
        if text.websockets
        else Websockets(),
        **given,
    )
    if made.drain < made.stop_grace:
        return made
    if text.stop_grace is None:
        return replace(made, stop_grace=made.drain + 10)
    return replace(made, drain=made.stop_grace / 2)


def _introduction(text: RolloutText | None) -> Introduction:
    given = text.model_dump(exclude_none=True) if text else {}
    return Introduction(**(given | {"steps": tuple(given.get("steps", ()))}))


def cron(name: str, text: CronText) -> Cron:
    given = text.model_dump(exclude_none=True, exclude={"command"})
    return Cron(name, command=tuple(text.command), **given)


def _spec(shape: ServiceText) -> ServiceSpec:
    return ServiceSpec(
        name=ServiceName(shape.service),
        image=_image(shape),
        processes={name: process(name, text) for name, text in shape.processes.items()},
        tasks={name: _task(name, text) for name, text in shape.tasks.items()},
        crons={name: cron(name, text) for name, text in shape.crons.items()},
        uses=tuple(name for name in shape.uses if "://" not in name),
        external=tuple(name for name in shape.uses if "://" in name),
        config={name: _contract_key(name, text) for name, text in shape.config.items()},
        deliver=_delivery(shape.deliver),
        files=tuple(
            TemplateFile(path, text.template, int(text.mode, 8), text.owner)
            for path, text in shape.files.items()
        ),
    )


def _image(shape: ServiceText) -> ImageBuild:
    image, tests = shape.image, None
    if image.tests:
        tests = ImageTests(image.tests.target, tuple(map(tuple, image.tests.commands)))
    return ImageBuild(image.dockerfile, image.context, image.target, tests)


def _task(name: str, text: TaskText) -> Task:
    given = text.model_dump(exclude_none=True, exclude={"command"})
    return Task(name, command=tuple(text.command), **given)


def _contract_key(name: str, text: ContractText) -> ContractKey:
    return ContractKey(
        name,
        type=text.type or ("choice" if text.choices else "string"),
        default=text.default,
        secret=text.secret,
        required=text.required,
        required_when=text.required_when,
        pattern=text.pattern,
        choices=tuple(text.choices or ()),
        description=text.description,
        deprecated=text.deprecated,
        replaced_by=text.replaced_by,
    )


def _delivery(deliveries: Iterable[SettingsText | None]) -> Delivery:
    files = [text for text in deliveries if text]
    return Delivery(
        env=None in deliveries,
        files=tuple(_settings_file(text) for text in files),
    )


def _settings_file(text: SettingsText) -> SettingsFile:
    section = text.section or "settings"
    return SettingsFile(text.path, text.format, int(text.mode, 8), text.owner, section)
