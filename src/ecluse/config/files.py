"""The files of a service in one environment. A secret inside makes the whole file a sealed text."""

from __future__ import annotations

from collections.abc import Iterator

from ecluse.config.formats import Unwritable, settings_text
from ecluse.config.interpolate import BadReference
from ecluse.config.render import ToldElsewhere, Unrendered, template_names, template_text
from ecluse.config.scope import ServiceScope
from ecluse.config.types import Unfit, accept
from ecluse.config.variables import Variables
from ecluse.model.application import File
from ecluse.model.release import Release
from ecluse.model.secret import Sealed, Text, holds_stand_in
from ecluse.model.service import Plain, SettingsFile


def files(scope: ServiceScope, release: Release, templates_at: str) -> Iterator[File]:
    """Settings files, then templates. `templates_at`: the folder that problems name."""
    spec = scope.declaration.spec
    for settings in spec.deliver.files:
        content = _settings_file(scope, settings)
        if content is not None:
            yield File(settings.path, content, settings.mode, settings.owner)
    for file in spec.files:
        source = release.templates.get(file.template)
        if source is None:
            message = f"release {release.version} has no template {file.template}"
            path = ("files", file.path, "template")
            scope.around.problems.append(scope.declaration.document.problem(path, message, "build it again"))
            continue
        rendered = _template_file(scope, source, f"{templates_at}/{file.template}")
        if rendered is not None:
            yield File(file.path, rendered, file.mode, file.owner)


def _settings_file(scope: ServiceScope, file: SettingsFile) -> Text | None:
    keys = scope.declaration.spec.config
    values = _natives(scope, list(keys))
    if values is None:
        return None
    given = {key: value for key, value in values.items() if value is not None}
    if holds_stand_in(given):
        return Sealed.unreadable(f"{file} {given}")
    try:
        text = settings_text(file.format, keys, given, section=file.section)
    except Unwritable as error:
        message = f"cannot be written to {file.path}: it {error.message}"
        scope.around.problems.append(
            scope.declaration.document.problem(("config", error.key), message, error.hint)
        )
        return None
    return _sealed(scope, text, is_secret=any(_is_secret(scope, key) for key in values))


def _template_file(scope: ServiceScope, source: str, file: str) -> Text | None:
    keys = scope.declaration.spec.config
    used = [key for key in template_names(source) if key in keys]
    values = _natives(scope, used)
    if values is None:
        return None
    if holds_stand_in(values):
        return Sealed.unreadable(f"{source} {values}")
    variables = Variables(scope, is_secret=any(_is_secret(scope, key) for key in used))
    try:
        text = template_text(source, file, variables.all(values), is_secret=lambda: variables.is_secret)
    except Unrendered as error:
        scope.around.problems.append(error.problem)
        return None
    except ToldElsewhere:
        return None
    return _sealed(scope, text, is_secret=variables.is_secret)


def _natives(scope: ServiceScope, keys: list[str]) -> dict[str, Plain] | None:
    """The native values of `keys`; None when one of them has a problem."""
    result: dict[str, Plain] = {}
    for key in keys:
        value = scope.app(key)
        if value is None:
            return None
        if not isinstance(value.data, Sealed):
            result[key] = value.data
            continue
        declared = scope.declaration.spec.config[key]
        if value.data.is_unreadable:
            result[key] = value.data.stand_in
            continue
        try:
            result[key] = accept(declared, scope.around.reveal(value.data), is_literal=False)
        except (BadReference, Unfit):
            message = "goes into a file, and cannot be read here"
            scope.around.problems.append(scope.declaration.document.problem(("config", key), message))
            return None
    return result


def _is_secret(scope: ServiceScope, key: str) -> bool:
    value = scope.app(key)
    return scope.declaration.spec.config[key].secret or (value is not None and value.secret)


def _sealed(scope: ServiceScope, text: str, *, is_secret: bool) -> Text:
    return scope.around.seal(text) if is_secret else text
