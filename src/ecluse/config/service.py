"""A service.yaml → ServiceSpec, with the line of everything it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ecluse.config.document import Document, Path, read_document
from ecluse.config.schema.service import (
    ContractText,
    CronText,
    ProcessText,
    ServiceText,
    SettingsText,
    TaskText,
)
from ecluse.config.types import Unfit, accept, pattern_problem
from ecluse.config.validate import fit
from ecluse.errors import ConfigInvalid, Problem, nearest
from ecluse.model.names import ServiceName
from ecluse.model.service import (
    ContractKey,
    Cron,
    Delivery,
    Exposure,
    ImageBuild,
    ImageTests,
    Plain,
    Probe,
    Process,
    ServiceSpec,
    SettingsFile,
    Task,
    TemplateFile,
)

RESERVED_PROCESSES = frozenset({"crons", "tasks"})
RESERVED_SERVICES = frozenset({"root"})
"""`root` is the administrator's account in the databases."""


_DEFAULTS = Process("")


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
    declaration = Declaration(_spec(shape), document, text)
    return declaration, (*problems, *_problems(declaration, shape))


def process(name: str, text: ProcessText) -> Process:
    probe = text.probe.model_dump(exclude_none=True) if text.probe else {}
    if "command" in probe:
        probe["command"] = tuple(probe["command"])
    given = text.model_dump(exclude_none=True, exclude={"command", "probe", "expose"})
    made = Process(
        name,
        command=tuple(text.command or ()),
        probe=Probe(**probe),
        expose=Exposure(text.expose.host) if text.expose else None,
        **given,
    )
    if text.stop_grace is None and made.drain >= made.stop_grace:
        return replace(made, stop_grace=made.drain + 10)
    return made


def process_problems(text: ProcessText) -> Iterator[tuple[Path, str, str | None]]:
    """What cannot be together in one process, each with the path inside of it."""
    if text.probe and text.probe.path and text.probe.command is not None:
        yield ("probe",), "has both a path and a command", "keep one; `path: null` removes it"
    if text.probe and text.probe.path and not text.port:
        yield ("probe", "path"), "needs a port", "give the process its `port:`"
    if text.expose and not text.port:
        yield ("expose",), "needs a port", "give the process its `port:`"
    drain = text.drain if text.drain is not None else _DEFAULTS.drain
    if text.stop_grace is not None and text.stop_grace <= drain:
        yield ("stop_grace",), "must be longer than drain", "stopping begins while the last requests drain"


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
    image = shape.image
    tests = image.tests and ImageTests(image.tests.target, tuple(map(tuple, image.tests.commands)))
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
    )


def _delivery(deliveries: Iterable[SettingsText | None]) -> Delivery:
    files = [text for text in deliveries if text]
    return Delivery(
        env=None in deliveries,
        files=tuple(SettingsFile(text.path, text.format, int(text.mode, 8), text.owner) for text in files),
    )


def _problems(declaration: Declaration, shape: ServiceText) -> Iterator[Problem]:
    spec, at = declaration.spec, declaration.document.problem
    if spec.name in RESERVED_SERVICES:
        yield at(("service",), f"{spec.name} is a reserved name")
    yield from _name_problems(spec, declaration.document)
    for name, text in shape.processes.items():
        for path, message, hint in process_problems(text):
            yield at(("processes", name, *path), message, hint)
    for index, name in enumerate(shape.uses):
        if shape.uses.index(name) < index:
            yield at(("uses", index), f"{name} is listed twice")
        elif name == spec.name:
            yield at(("uses", index), "a service does not use itself")
    yield from _file_problems(shape, declaration.document)
    for key in spec.config.values():
        yield from _contract_problems(key, spec.config, declaration.document)


def _name_problems(spec: ServiceSpec, document: Document) -> Iterator[Problem]:
    for name in RESERVED_PROCESSES & spec.processes.keys():
        yield document.problem(("processes", name), f"{name} is a reserved name")
    seen: dict[str, str] = {}
    for kind, names in (("processes", spec.processes), ("tasks", spec.tasks), ("crons", spec.crons)):
        for name in names:
            if name in seen:
                yield document.problem((kind, name), f"shares its name with {seen[name]}.{name}")
            seen[name] = kind


def _file_problems(shape: ServiceText, document: Document) -> Iterator[Problem]:
    settings = [text.path if text else "env" for text in shape.deliver]
    for path, count in Counter([*settings, *shape.files]).items():
        if count > 1:
            where: Path = ("files", path) if path in shape.files else ("deliver",)
            yield document.problem(where, f"{path} is delivered twice")


def _contract_problems(key: ContractKey, config: Mapping[str, ContractKey], document: Document) -> Iterator[Problem]:
    path: Path = ("config", key.name)
    if key.pattern is not None and (message := pattern_problem(key.pattern)):
        yield document.problem((*path, "pattern"), message)
        return
    if bool(key.choices) != (key.type == "choice"):
        yield document.problem(path, "choices and `type: choice` go together")
        return
    if key.required_when is not None:
        yield from _condition_problems(key, config, document)
    if key.default is not None and not holds_reference(key.default):
        yield from _default_problems(key, document)


def _condition_problems(key: ContractKey, config: Mapping[str, ContractKey], document: Document) -> Iterator[Problem]:
    path: Path = ("config", key.name, "required_when")
    condition = config.get(key.required_when or "")
    if condition is None:
        hint = nearest(key.required_when or "", config)
        yield document.problem(path, f"no key is named {key.required_when}", hint)
    elif condition.type != "boolean":
        yield document.problem(path, f"{condition.name} is not a boolean")


def _default_problems(key: ContractKey, document: Document) -> Iterator[Problem]:
    path: Path = ("config", key.name, "default")
    if key.secret:
        if key.default != "":
            yield document.problem(path, "a secret has no default in a plain file", SECRET_HINT)
        return
    try:
        accept(key, key.default, is_literal=True)
    except Unfit as error:
        yield document.problem(path, error.message, error.hint)


SECRET_HINT = "put it into the private secrets file: `ecluse deploy --secrets FILE`"


def holds_reference(data: Plain) -> bool:
    if isinstance(data, str):
        return "${" in data
    if isinstance(data, list):
        return any(map(holds_reference, data))
    return isinstance(data, dict) and any(map(holds_reference, data.values()))
