"""What differs between the application that runs and the one that is wanted, key by key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields

from ecluse.model.application import Application, Setting
from ecluse.model.plan import Difference
from ecluse.model.product import Tls
from ecluse.model.secret import Text
from ecluse.model.service import Cron, Probe, Process
from ecluse.model.workload import Box

_OUTSIDE_THE_BOX = ("replicas", "expose", "probe", "drain", "stop_grace", "port")


def inside(before: Application | None, after: Application, process: Process) -> tuple[Difference, ...]:
    """Why the containers of `process` must be replaced; all that it is made of, when it is new."""
    return tuple(_inside(before, after, process))


def outside(before: Process | None, after: Process, after_app: Application) -> tuple[Difference, ...]:
    """What changes around the containers of a process: replicas, names, probe, grace."""
    found = []
    for name in _OUTSIDE_THE_BOX:
        old, new = getattr(before, name, None), getattr(after, name)
        if old != new and not (before is None and name in ("drain", "stop_grace", "probe")):
            origin = _origin(after_app, f"run.{after.name}.{name}")
            found.append(Difference(name, _words(old), _words(new), origin))
    return tuple(found)


def crons(before: Cron | None, after: Cron | None) -> tuple[Difference, ...]:
    if before is None or after is None:
        left, right = (_schedule(cron) if cron else None for cron in (before, after))
        return (Difference("schedule", left, right),)
    changed = [
        field.name for field in fields(Cron) if getattr(before, field.name) != getattr(after, field.name)
    ]
    return tuple(
        Difference(name, _words(getattr(before, name)), _words(getattr(after, name))) for name in changed
    )


def boxes(before: Box | None, after: Box) -> tuple[Difference, ...]:
    """The differences between two boxes alone: for a task, or where the application is not on record."""
    if before is None:
        return ()
    return tuple(_texts("config", before.env, after.env, {}))


def between(before: Application, after: Application) -> Iterator[Difference]:
    """All that differs between two forms of a service, its image apart: for whoever asks what changed."""
    origins = {setting.key: str(setting.origin) for setting in after.settings}
    yield from _texts("config", _settings(before), _settings(after), origins)
    yield from _texts("file", _files(before), _files(after), {})
    for name in sorted({*before.processes, *after.processes}):
        yield from _process(name, before.processes.get(name), after.processes.get(name), after)
    for name in sorted({*before.tasks, *after.tasks}):
        left, right = (app.tasks[name].command if name in app.tasks else None for app in (before, after))
        if left != right:
            yield Difference(f"task {name}", _words(left), _words(right))
    for name in ("uses", "backing", "external", "egress"):
        left, right = getattr(before, name), getattr(after, name)
        if left != right:
            yield Difference(name, _words(left), _words(right))


def _process(
    name: str, before: Process | None, after: Process | None, application: Application
) -> Iterator[Difference]:
    if before is None or after is None:
        yield Difference(f"process {name}", "there" if before else None, "there" if after else None)
        return
    for field in fields(Process):
        left, right = getattr(before, field.name), getattr(after, field.name)
        if left != right:
            write = _QUANTITIES.get(field.name, _words)
            origin = _origin(application, f"run.{name}.{field.name}")
            yield Difference(f"{name} {field.name}", write(left), write(right), origin)


def _inside(before: Application | None, after: Application, process: Process) -> Iterator[Difference]:
    if before is None or before.release.content != after.release.content:
        yield Difference("image", _release(before), _release(after))
    origins = {setting.key: _provenance(setting) for setting in after.settings}
    yield from _texts("config", _settings(before), _settings(after), origins)
    yield from _texts("file", _files(before), _files(after), {})
    old = before.processes.get(process.name) if before else None
    for name in ("command", "cpu", "memory"):
        left, right = getattr(old, name, None), getattr(process, name)
        if left != right and not (before is None and not right):
            write = _QUANTITIES.get(name, _words)
            yield Difference(name, write(left), write(right), _origin(after, f"run.{process.name}.{name}"))
    for name in ("uses", "backing"):
        left, right = getattr(before, name, ()), getattr(after, name)
        if before is not None and left != right:
            yield Difference(name, _words(left), _words(right))


def _provenance(setting: Setting) -> str:
    """The place that wins, and the references on the way: what `ecluse config explain` tells at length."""
    way = ", ".join(f"${{{name}}}" for name in setting.through)
    return f"{setting.origin}, through {way}" if way else str(setting.origin)


def _texts(
    what: str, before: Mapping[str, Text], after: Mapping[str, Text], origins: Mapping[str, str]
) -> Iterator[Difference]:
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield Difference(f"{what} {key}", before.get(key), after.get(key), origins.get(key))


def _settings(application: Application | None) -> dict[str, Text]:
    return {setting.key: setting.text for setting in application.settings} if application else {}


def _files(application: Application | None) -> dict[str, Text]:
    return {file.path: file.content for file in application.files} if application else {}


def _release(application: Application | None) -> str | None:
    if application is None:
        return None
    release = application.release
    return f"{release.version} ({release.image_id.removeprefix('sha256:')[:12]})"


def _origin(application: Application, path: str) -> str | None:
    origin = (application.origins or {}).get(path)
    return str(origin) if origin else None


def _schedule(cron: Cron) -> str:
    return f"{cron.schedule} {cron.timezone}" + ("" if cron.enabled else " (disabled)")


def tls(before: Tls | None, after: Tls) -> Iterator[Difference]:
    """What changes of HTTPS; nothing where it was never spoken of."""
    for item in fields(Tls) if before is not None else ():
        old, new = getattr(before, item.name), getattr(after, item.name)
        if old != new:
            yield Difference(f"tls {item.name}", _flag(old), _flag(new))


def _flag(value: object) -> str | None:
    return str(value).lower() if isinstance(value, bool) else _words(value)


def cores(thousandths: int | None) -> str | None:
    """As people write it: 150m, or 2."""
    if thousandths is None:
        return None
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)


def size(count: int | None) -> str | None:
    """As people write it: 128Mi."""
    if count is None:
        return None
    for unit, factor in (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
        if count and count % factor == 0:
            return f"{count // factor}{unit}"
    return str(count)


_QUANTITIES: Mapping[str, Callable[[int | None], str | None]] = {"cpu": cores, "memory": size}


def _words(value: object) -> str | None:
    if value is None or value == ():
        return None
    if isinstance(value, tuple):
        return " ".join(str(item) for item in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Probe):
        asked = " ".join(value.command) or value.path or "its port"
        return (
            f"{asked}, every {value.interval:g} s, within {value.timeout:g} s, deadline {value.deadline:g} s"
        )
    return str(getattr(value, "host", value))
