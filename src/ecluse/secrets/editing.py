"""An encrypted file in the user's editor: decrypted into a private file, read back, checked, sealed again."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ecluse.errors import EcluseError, Refused, UsageError
from ecluse.secrets.private import private_file
from ecluse.secrets.sops.file import Form, form_of, read_plain, write_plain
from ecluse.secrets.sops.tree import BadFile, Branch, Node, Path, leaves
from ecluse.secrets.twins import TwinFiles

EMPTY: Mapping[Form, str] = {
    "yaml": "# values under app: are encrypted when the editor ends\napp:\n    KEY: value\n",
    "json": '{\n\t"app": {\n\t\t"KEY": "value"\n\t}\n}\n',
    "dotenv": "KEY=value\n",
}


@dataclass(frozen=True, slots=True)
class Edited:
    """Names of what is new, changed and gone; nothing when the editor left everything as it was."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def is_nothing(self) -> bool:
        return not (self.added or self.changed or self.removed)


def editor_command() -> list[str]:
    """SOPS_EDITOR, VISUAL, EDITOR, or the first usual one."""
    given = next(
        (os.environ[name] for name in ("SOPS_EDITOR", "VISUAL", "EDITOR") if os.environ.get(name)), ""
    )
    if given:
        return shlex.split(given)
    found = next((path for name in ("editor", "nano", "vim", "vi") if (path := shutil.which(name))), None)
    if found is None:
        raise UsageError("there is no editor", hint="name one in EDITOR")
    return [found]


def edit(files: TwinFiles, file: str) -> Edited:
    """Opens the file in the editor and seals what it leaves. Refused, with nothing changed, when that is empty
    or cannot be read; the message never holds a line of it."""
    form = form_of(file)
    readable = files.read(file) if files.exists(file) else None
    if readable is None:
        files.required_rule(file)
    before = write_plain(readable.branches, form) if readable else EMPTY[form]
    old = flat(readable.branches) if readable else {}
    with private_file(file.rsplit("/", 1)[-1], before) as path:
        _run([*editor_command(), str(path)])
        text = path.read_bytes().decode("utf-8", "surrogateescape")
    if text == before:
        return Edited()
    branches = _read(text, form)
    if readable is None:
        files.create(file, branches)
        return Edited(added=_names(branches))
    if readable.opened is None:
        changes = _changes(readable.branches[0], branches[0])
        files.change(file, changes)
    else:
        readable.opened.branches = branches
        files.save(file, readable.opened)
    return _difference(old, branches)


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, check=False)
    except OSError as error:
        raise EcluseError(f"cannot run the editor {command[0]}: {error.strerror}") from error
    if done.returncode != 0:
        raise EcluseError(f"the editor {command[0]} ended with {done.returncode}: nothing was changed")


def _read(text: str, form: Form) -> list[Branch]:
    try:
        branches = read_plain(text, form)
    except BadFile as error:
        raise Refused(f"nothing was changed: what the editor left {error}") from None
    if not _names(branches):
        raise Refused(
            "nothing was changed: the editor left no value",
            hint="`ecluse secrets unset` removes values; `git rm` removes the file",
        )
    return branches


def _names(branches: list[Branch]) -> tuple[str, ...]:
    return tuple(".".join(map(str, path)) for branch in branches for path, _ in leaves(branch))


def _difference(before: Mapping[tuple[int, Path], Node], branches: list[Branch]) -> Edited:
    after = dict(flat(branches))
    return Edited(
        added=_dotted(path for path in after if path not in before),
        changed=_dotted(path for path in after if path in before and before[path] != after[path]),
        removed=_dotted(path for path in before if path not in after),
    )


def flat(branches: list[Branch]) -> Mapping[tuple[int, Path], Node]:
    return {(index, path): leaf for index, branch in enumerate(branches) for path, leaf in leaves(branch)}


def _dotted(paths: Iterable[tuple[int, Path]]) -> tuple[str, ...]:
    return tuple(".".join(map(str, path)) for _, path in paths)


def _changes(before: Branch, after: Branch) -> dict[Path, Node]:
    """For the `sops` program, value by value: what is set, and what becomes None because it goes."""
    old, new = dict(leaves(before)), dict(leaves(after))
    changes: dict[Path, Node] = {path: leaf for path, leaf in new.items() if old.get(path) != leaf}
    return changes | {path: None for path in old if path not in new}
