"""One service in one environment → Application: settings, processes, crons and files, all resolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from ecluse.config.backing import external_address
from ecluse.config.interpolate import BadReference, Value
from ecluse.config.merge import Merged
from ecluse.config.render import Named, Unrendered, settings_text, template_names, template_text
from ecluse.config.schema.fields import Shape
from ecluse.config.schema.service import CronText, ProcessText
from ecluse.config.scope import ServiceScope
from ecluse.config.service import SECRET_HINT, cron, process, process_problems
from ecluse.config.types import Unfit, accept, written, written_as
from ecluse.config.validate import told
from ecluse.errors import Problem
from ecluse.model.application import Application, File, Origin, ReleaseId, Setting, Shadowed
from ecluse.model.release import Release
from ecluse.model.secret import Sealed, Text
from ecluse.model.service import ContractKey, Cron, Plain, Process

S = TypeVar("S", bound=Shape)


def application(scope: ServiceScope, release: Release, templates_at: str) -> Application:
    """The service as the environment wants it. What is wrong is added to the problems of `scope.around`."""
    spec, environment = scope.declaration.spec, scope.around.environment
    origins: dict[str, Origin] = {}
    processes = {name: _process(scope, name, origins) for name in spec.processes}
    crons = {name: _cron(scope, name, origins) for name in spec.crons}
    settings = tuple(_settings(scope))
    return Application(
        service=spec.name,
        domain=scope.domain,
        place=environment.place_of(spec.name).name,
        release=ReleaseId(spec.name, release.version, release.image_id, release.content, release.commit, release.dirty),
        processes={name: one for name, one in processes.items() if one},
        tasks=spec.tasks,
        crons={name: one for name, one in crons.items() if one},
        settings=settings,
        env=spec.deliver.env,
        files=tuple(_files(scope, release, templates_at)),
        uses=tuple(name for name in spec.uses if name in scope.around.product.services),
        backing=tuple(name for name in spec.uses if _is_run_here(scope, name)),
        external=(*spec.external, *_external(scope)),
        origins=origins,
    )


def _is_run_here(scope: ServiceScope, name: str) -> bool:
    backing = scope.around.environment.backing.get(name)
    return backing is not None and backing.external is None


def _external(scope: ServiceScope) -> Iterator[str]:
    for name in scope.declaration.spec.uses:
        backing = scope.around.environment.backing.get(name)
        if backing and (address := external_address(backing)):
            yield address


def _settings(scope: ServiceScope) -> Iterator[Setting]:
    for name, key in scope.declaration.spec.config.items():
        value = scope.app(name)
        if value is None:
            continue
        if value.data is None:
            _complain_of_absence(scope, key)
            continue
        _warn_of_age(scope, key)
        merged = scope.merged[name]
        given = merged.given
        origin = scope.secret_origins.get(name)
        beaten = given if origin else given[1:]
        shown = [Shadowed(one.origin, None if value.secret or key.secret else _shown(one.value)) for one in beaten]
        yield Setting(name, _text(scope, key, value), origin or given[0].origin, tuple(shown), value.through)


def _text(scope: ServiceScope, key: ContractKey, value: Value) -> Text:
    if isinstance(value.data, Sealed):
        return value.data
    text = written_as(key, value.data)
    return scope.around.accounts.vault.seal(text) if value.secret or key.secret else text


def _shown(value: Plain) -> str:
    return "null" if value is None else written(value)


def _complain_of_absence(scope: ServiceScope, key: ContractKey) -> None:
    if not (key.required or _is_needed(scope, key)):
        return
    environment = scope.around.environment.name
    why = "" if key.required else f" and {key.required_when} is true"
    message = f"has no value in environment {environment}{why}"
    where = f"config/environments/{environment}/services/{scope.name}.yaml"
    hint = SECRET_HINT if key.secret else f"give it one under `app:` in {where}, or in a less specific layer"
    winner = scope.merged[key.name].winner
    if winner and winner.value is None:
        hint = f"null in {winner.origin} removes it"
    scope.around.problems.append(scope.declaration.document.problem(("config", key.name), message, hint))


def _is_needed(scope: ServiceScope, key: ContractKey) -> bool:
    if key.required_when is None or key.required_when not in scope.declaration.spec.config:
        return False
    condition = scope.app(key.required_when)
    return condition is not None and condition.data is True


def _warn_of_age(scope: ServiceScope, key: ContractKey) -> None:
    winner = scope.merged[key.name].winner
    if key.deprecated and winner and winner.path[0] != "config":
        scope.around.warnings.append(winner.problem(f"is deprecated: {key.deprecated}"))


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
        scope.around.problems.append(_at(scope, fields, path[0], f"run.{name}", message, hint))
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
    merged = fields.get(field)
    if merged and merged.winner:
        return merged.winner.problem(message, hint)
    return scope.declaration.document.problem((name, field), message, hint)


def _files(scope: ServiceScope, release: Release, templates_at: str) -> Iterator[File]:
    spec = scope.declaration.spec
    for settings in spec.deliver.files:
        if text := _settings_file(scope, settings.format):
            yield File(settings.path, text, settings.mode, settings.owner)
    for file in spec.files:
        source = release.templates.get(file.template)
        if source is None:
            message = f"the release {release.version} has no template {file.template}"
            scope.around.problems.append(
                scope.declaration.document.problem(("files", file.path, "template"), message, "build it again")
            )
        elif (text := _template_file(scope, source, f"{templates_at}/{file.template}")) is not None:
            yield File(file.path, text, file.mode, file.owner)
