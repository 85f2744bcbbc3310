"""Who may read which file: recipients come and go, data keys are renewed, files are held against their rules."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecluse.errors import ConfigInvalid, EcluseError, Refused, SecretUnavailable, UsageError
from ecluse.secrets import rulebook
from ecluse.secrets.merging import with_recipients
from ecluse.secrets.sops.age import parse_recipient
from ecluse.secrets.sops.file import Opened, rotated
from ecluse.secrets.sops.tree import BadFile
from ecluse.secrets.twins import Readable, TwinFiles, invalid


@dataclass(frozen=True, slots=True)
class Changed:
    """files: those that were sealed anew. exposed: `file: key` of what a person who left has read."""

    files: tuple[str, ...]
    exposed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """One file as `verify` finds it. state: `verified`, or `not readable here`, or what is wrong."""

    file: str
    state: str
    recipients: tuple[str, ...]
    is_wrong: bool = False


def probe(environment: str | None) -> str:
    """A file that the rule of an environment speaks of; of what is shared, without one."""
    return f"config/environments/{environment}/common.sops.yaml" if environment else "config/common.sops.yaml"


def add(
    files: TwinFiles, environment: str | None, recipient: str, name: str | None, others: Sequence[str]
) -> Changed:
    """Lets one more read the files of an environment, and of no other. `others`: the other environments."""
    require_recipient(recipient)
    sealed = _of_rule(files, environment)
    readable = [(file, _required(files, file)) for file in sealed]
    _own_rule(files, environment, others)
    _change_rules(
        files,
        lambda text: rulebook.with_recipient(text, _relative(files, probe(environment)), recipient, name),
    )
    for file, one in readable:
        _reseal(files, file, one, add=recipient)
    return Changed(tuple(sealed))


def remove(files: TwinFiles, environment: str | None, recipient: str, others: Sequence[str]) -> Changed:
    """Seals everything anew without him. What he has read already is listed: it must change at its source."""
    sealed = [
        file for file in _of_rule(files, environment) if recipient in files.closed(file).metadata.recipients
    ]
    readable = [(file, _required(files, file)) for file in sealed]
    _own_rule(files, environment, others)
    _change_rules(
        files, lambda text: rulebook.without_recipient(text, _relative(files, probe(environment)), recipient)
    )
    for file, one in readable:
        _reseal(files, file, one, remove=recipient)
    exposed = [f"{file}: {'.'.join(map(str, path))}" for file in sealed for path in files.names(file)]
    return Changed(tuple(sealed), tuple(exposed))


def rotate(files: TwinFiles, names: Sequence[str]) -> Changed:
    """A new data key for each file, for the recipients of its rule."""
    readable = [(file, _required(files, file)) for file in names]
    for file, one in readable:
        rule = files.rule(file)
        if one.opened is None:
            _by_program(files, file, add=(), remove=())
        else:
            wanted = rule.age if rule and rule.is_ours else one.closed.metadata.recipients
            files.save(file, _rotated(file, one, wanted))
    return Changed(tuple(names))


def verify(files: TwinFiles, names: Sequence[str]) -> Iterator[Verdict]:
    """Each file: whether it opens, whether its MAC fits, whether its recipients are those of its rule."""
    for file in names:
        try:
            recipients = files.closed(file).metadata.recipients
        except ConfigInvalid as error:
            yield Verdict(file, error.problems[0].message, (), is_wrong=True)
            continue
        try:
            files.read(file)
            state, is_wrong = "verified", False
        except SecretUnavailable:
            state, is_wrong = "not readable here", False
        except ConfigInvalid as error:
            state, is_wrong = error.problems[0].message, True
        differing = _differing(files, file, recipients)
        yield Verdict(file, differing or state, recipients, is_wrong or differing is not None)


def _differing(files: TwinFiles, file: str, recipients: Sequence[str]) -> str | None:
    rule = files.rule(file)
    if rule is None or not rule.is_ours:
        return None
    if more := [name for name in recipients if name not in rule.age]:
        return f"can be read by {', '.join(more)}, whom its rule does not name"
    if less := [name for name in rule.age if name not in recipients]:
        return f"cannot be read by {', '.join(less)}, whom its rule names; `ecluse secrets rotate` helps"
    return None


def _of_rule(files: TwinFiles, environment: str | None) -> list[str]:
    """The files that change with the recipients of an environment: those in its folder; or those outside of all."""
    folder = f"config/environments/{environment}/"
    if environment:
        return [file for file in files.all() if file.startswith(folder)]
    return [file for file in files.all() if not file.startswith("config/environments/")]


def _own_rule(files: TwinFiles, environment: str | None, others: Sequence[str]) -> None:
    """A rule that speaks of several environments is split before one of them changes."""
    path = probe(environment)
    rule = files.required_rule(path)
    if not rule.is_ours:
        raise Refused(f"the rule of {path} names more than age recipients", hint="change .sops.yaml by hand")
    if environment and any(files.rule(probe(other)) == rule for other in [*others, None]):
        assert files.rules
        pattern = rulebook.environment_pattern(environment, _relative(files, ""))
        _change_rules(files, lambda text: rulebook.with_rule(text, pattern, rule.age))


def _relative(files: TwinFiles, path: str) -> str:
    """A path of the product as the rules see it."""
    assert files.rules
    found = os.path.relpath(files.root.absolute(), files.rules.file.parent)
    return path if found == "." else f"{found}/{path}"


def _change_rules(files: TwinFiles, change: Callable[[str], str]) -> None:
    assert files.rules
    path = files.rules.file
    text = path.read_text("utf-8")
    changed = change(text)
    if changed != text:
        write_text(path, changed)
    files.forget_rules()


def _required(files: TwinFiles, file: str) -> Readable:
    """Nothing is changed when one of the files cannot be opened."""
    try:
        return files.read(file)
    except SecretUnavailable as error:
        raise SecretUnavailable(f"nothing was changed: {error.message}", hint=error.hint) from error


def _reseal(files: TwinFiles, file: str, one: Readable, *, add: str = "", remove: str = "") -> None:
    if one.opened is None or any(group.foreign for group in one.closed.metadata.groups):
        _by_program(files, file, add=[add] if add else [], remove=[remove] if remove else [])
        return
    wanted = [name for name in one.closed.metadata.recipients if name != remove]
    wanted += [add] if add and add not in wanted else []
    try:
        files.save(file, with_recipients(one.opened, wanted))
    except BadFile as error:
        raise invalid(file, str(error)) from error


def _rotated(file: str, one: Readable, recipients: Sequence[str]) -> Opened:
    assert one.opened
    try:
        return rotated(one.opened, recipients)
    except BadFile as error:
        raise invalid(file, str(error)) from error


def _by_program(files: TwinFiles, file: str, *, add: Sequence[str], remove: Sequence[str]) -> None:
    try:
        files.program.rotate((files.root / file).absolute(), add=add, remove=remove)
    except BadFile as error:
        raise SecretUnavailable(f"{file} {error}", hint="install sops (https://getsops.io)") from error


def require_recipient(recipient: str) -> None:
    try:
        parse_recipient(recipient)
    except ValueError as error:
        raise UsageError(
            f"{recipient} {error}", hint="age-keygen -y FILE, or `ecluse secrets init`, shows one"
        ) from error


def write_text(path: Path, text: str) -> None:
    """At once: a reader sees the old text or the new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise EcluseError(f"cannot write {path}: {error.strerror}") from error
