"""One service in one environment → Application: settings, processes, crons and files, all resolved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TypeVar

from pydantic import ValidationError

from ecluse.config.backing import external_address
from ecluse.config.files import files
from ecluse.config.interpolate import Value
from ecluse.config.merge import Merged
from ecluse.config.schema.fields import Shape
from ecluse.config.schema.service import CronText, ProcessText
from ecluse.config.scope import ServiceScope
from ecluse.config.service import Declaration, cron, process
from ecluse.config.service_rules import process_problems
from ecluse.config.settings import settings
from ecluse.config.validate import told
from ecluse.errors import Problem
from ecluse.model.application import Application, Origin, ReleaseId
from ecluse.model.names import ServiceName
from ecluse.model.release import Release
from ecluse.model.service import Cron, Process

S = TypeVar("S", bound=Shape)


def application(scope: ServiceScope, release: Release, templates_at: str) -> Application:
    """The service as the environment wants it. What is wrong is added to the problems of `scope.around`."""
    spec, environment = scope.declaration.spec, scope.around.environment
    origins: dict[str, Origin] = {}
    processes = {name: _process(scope, name, origins) for name in spec.processes}
    crons = {name: _cron(scope, name, origins) for name in spec.crons}
    return Application(
        service=spec.name,
        domain=scope.domain,
        place=environment.place_of(spec.name).name,
        release=ReleaseId(
            spec.name,
            release.version,
            release.image_id,
            release.content,
            release.commit,
            release.dirty,
            form(scope.declaration, release),
        ),
        processes={name: one for name, one in processes.items() if one},
        tasks=spec.tasks,
        crons={name: one for name, one in crons.items() if one},
        settings=tuple(settings(scope)),
        env=spec.deliver.env,
        files=tuple(files(scope, release, templates_at)),
        uses=tuple(ServiceName(name) for name in spec.uses if name in scope.around.product.services),
        backing=tuple(name for name in spec.uses if _is_run_here(scope, name)),
        external=(*spec.external, *_external(scope)),
        egress=environment.egress,
        origins=origins,
    )


def form(declaration: Declaration, release: Release) -> str:
    """A digest of what the release says of itself, beside its image: the texts of its comments do not count, nor how
    the image was built."""
    said = declaration.document.value
    told = {key: value for key, value in said.items() if key != "image"} if isinstance(said, dict) else {}
    text = json.dumps([told, dict(release.templates)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _is_run_here(scope: ServiceScope, name: str) -> bool:
    backing = scope.around.environment.backing.get(name)
    return backing is not None and backing.external is None


def _external(scope: ServiceScope) -> Iterator[str]:
    for name in scope.declaration.spec.uses:
        backing = scope.around.environment.backing.get(name)
        if backing and (address := external_address(backing)):
            yield address


def _process(scope: ServiceScope, name: str, origins: dict[str, Origin]) -> Process | None:
    spec = scope.declaration.spec.processes[name]
    if scope.is_run_untouched(name):
        return spec
    fields = scope.process_fields(name)
    values = {field: scope.run(name, field) for field in fields}
    text = _engine_shape(scope, ProcessText, fields, values, f"run.{name}", origins)
    if text is None:
        return None
    for path, message, hint in process_problems(text):
        scope.around.problems.append(_at(scope, fields, str(path[0]), f"run.{name}", message, hint))
    return process(name, text)


def _cron(scope: ServiceScope, name: str, origins: dict[str, Origin]) -> Cron | None:
    fields = scope.cron_fields(name)
    if all(len(merged.given) == 1 for merged in fields.values()) and _is_specified(fields):
        return scope.declaration.spec.crons[name]
    values = {field: scope.cron(name, field, merged) for field, merged in fields.items()}
    text = _engine_shape(scope, CronText, fields, values, f"run.crons.{name}", origins)
    return cron(name, text) if text else None


def _is_specified(fields: Mapping[str, Merged]) -> bool:
    return all(merged.winner and merged.winner.path[0] == "crons" for merged in fields.values())


def _engine_shape(
    scope: ServiceScope, shape: type[S], fields: Mapping[str, Merged], values: Mapping[str, Value | None],
    name: str, origins: dict[str, Origin],
) -> S | None:  # fmt: skip
    """The fields as `shape`; each origin is remembered as `run.web.replicas`."""
    for field, merged in fields.items():
        if merged.winner:
            origins[f"{name}.{field}"] = merged.winner.origin
    if any(value is None for value in values.values()):
        return None
    data = {field: value.data for field, value in values.items() if value and value.data is not None}
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            message, hint = told(detail, shape)
            field = str(detail["loc"][0])
            scope.around.problems.append(_at(scope, fields, field, name, message, hint))
        return None


def _at(
    scope: ServiceScope, fields: Mapping[str, Merged], field: str, name: str, message: str, hint: str | None
) -> Problem:
    winner = fields[field].winner if field in fields else None
    if winner:
        return winner.problem(message, hint)
    return scope.declaration.document.problem(tuple(name.split(".")), message, hint)
