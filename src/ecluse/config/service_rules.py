"""What a service.yaml must not say: what cannot be together, names that clash, defaults that do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from ecluse.config.document import Document, Path
from ecluse.config.schema.service import ProcessText, ServiceText
from ecluse.config.types import Unfit, accept, is_url, pattern_problem
from ecluse.errors import Problem, nearest
from ecluse.model.service import ContractKey, Plain, ServiceSpec

SECRET_HINT = "encrypt it with `ecluse secrets set`, or give it in a private file: `--secrets FILE`"
RESERVED_PROCESSES = frozenset({"crons", "tasks"})
RESERVED_SERVICES = frozenset({"root", "backup"})
"""`root` is the administrator's account in the databases, `backup/NAME` what copies one of them."""


def service_problems(spec: ServiceSpec, shape: ServiceText, document: Document) -> Iterator[Problem]:
    """What a service.yaml says that cannot be, once its shape is right."""
    at = document.problem
    if spec.name in RESERVED_SERVICES:
        yield at(("service",), f"{spec.name} is a reserved name")
    yield from _name_problems(spec, document)
    for name, text in shape.processes.items():
        for path, message, hint in process_problems(text):
            yield at(("processes", name, *path), message, hint)
    for index, name in enumerate(shape.uses):
        if shape.uses.index(name) < index:
            yield at(("uses", index), f"{name} is listed twice")
        elif name == spec.name:
            yield at(("uses", index), "a service does not use itself")
        elif "://" in name and not is_url(name):
            yield at(("uses", index), "must be a name, or an address like https://example.fr")
    yield from _file_problems(shape, document)
    for key in spec.config.values():
        yield from _contract_problems(key, spec.config, document)


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
    for index, path in enumerate(settings):
        if path in settings[:index]:
            yield document.problem(("deliver", index), f"{path} is delivered twice")
    for index, text in enumerate(shape.deliver):
        if text and text.section is not None and text.format != "ini":
            is_list = len(shape.deliver) > 1 or ("deliver", 0) in document.lines
            at: Path = ("deliver", index, "section") if is_list else ("deliver", "section")
            yield document.problem(at, "belongs to the format ini")
    for path in shape.files:
        if path in settings:
            yield document.problem(("files", path), f"{path} is delivered twice")


def _contract_problems(
    key: ContractKey, config: Mapping[str, ContractKey], document: Document
) -> Iterator[Problem]:
    path: Path = ("config", key.name)
    if key.pattern is not None and (message := pattern_problem(key.pattern)):
        yield document.problem((*path, "pattern"), message)
        return
    if bool(key.choices) != (key.type == "choice"):
        yield document.problem(path, "choices and `type: choice` go together")
        return
    if key.replaced_by is not None and (key.replaced_by not in config or key.replaced_by == key.name):
        hint = nearest(key.replaced_by, [name for name in config if name != key.name])
        yield document.problem((*path, "replaced_by"), f"no other key is named {key.replaced_by}", hint)
    if key.required_when is not None:
        yield from _condition_problems(key, config, document)
    if key.default is not None and not holds_reference(key.default):
        yield from _default_problems(key, document)


def _condition_problems(
    key: ContractKey, config: Mapping[str, ContractKey], document: Document
) -> Iterator[Problem]:
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


def process_problems(text: ProcessText) -> Iterator[tuple[Path, str, str | None]]:
    """What cannot be together in one process, each with the path inside of it."""
    if text.probe and text.probe.path and text.probe.command is not None:
        yield ("probe",), "has both a path and a command", "keep one; `path: null` removes it"
    if text.probe and text.probe.path and not text.port:
        yield ("probe", "path"), "needs a port", "give the process its `port:`"
    if text.expose and not text.port:
        yield ("expose",), "needs a port", "give the process its `port:`"
    if text.rollout and not text.port:
        yield ("rollout",), "needs a port", "without one there is no traffic to share"
    steps = (text.rollout.steps if text.rollout else None) or []
    # a share that refers to another value is a text until it is resolved
    known = [step for step in steps if isinstance(step, float)]
    if any(later <= earlier for earlier, later in pairwise(known)):
        yield ("rollout", "steps"), "must grow from step to step", "for instance [10%, 50%]"
    if text.websockets and not text.port:
        yield ("websockets",), "needs a port", "give the process its `port:`"
    if text.stop_grace is not None and text.drain is not None and text.stop_grace <= text.drain:
        yield ("stop_grace",), "must be longer than drain", "stopping begins while the last requests drain"


def holds_reference(data: Plain) -> bool:
    if isinstance(data, str):
        return "${" in data
    if isinstance(data, list):
        return any(map(holds_reference, data))
    return isinstance(data, dict) and any(map(holds_reference, data.values()))
