"""The encrypted files of a product on disk: found, opened, changed in place and written whole. Ciphertext only."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ecluse.errors import ConfigInvalid, EcluseError, Location, NotFound, Problem, Refused, SecretUnavailable
from ecluse.secrets.sops.file import (
    Closed,
    Form,
    Opened,
    close_file,
    form_of,
    new_file,
    open_file,
    read_closed,
    read_plain,
    unlock,
    write_closed,
    write_plain,
)
from ecluse.secrets.sops.identities import Identities, find_identities
from ecluse.secrets.sops.program import NoKey, NoProgram, Program
from ecluse.secrets.sops.rules import FILE, Rule, read_rules, rule_for
from ecluse.secrets.sops.tree import BadFile, Branch, Item, Node, Series, leaves

ENDINGS = (".sops.yaml", ".sops.yml", ".sops.json", ".sops.env")
ValuePath = tuple[str | int, ...]
FOLDERS = 100
"""How many folders upward `.sops.yaml` is looked for."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The creation rules that hold in a folder, and where they stand."""

    file: Path
    rules: tuple[Rule, ...]

    def of(self, path: Path) -> Rule | None:
        return rule_for(self.rules, os.path.relpath(path, self.file.parent))


@dataclass(slots=True)
class Readable:
    """An encrypted file whose texts can be read. opened: None when only the `sops` program opens it."""

    form: Form
    branches: list[Branch]
    closed: Closed
    opened: Opened | None


class TwinFiles:
    """`root`: the product's folder; files are named relative to it."""

    def __init__(
        self, root: Path, identities: Identities | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        self.root = root
        self._given = identities
        self._environ = dict(os.environ if environ is None else environ)
        self.program = Program(self._environ)

    @cached_property
    def identities(self) -> Identities:
        return self._given or find_identities(self._environ)

    @cached_property
    def rules(self) -> Rules | None:
        """ConfigInvalid when the file is there and cannot be used."""
        folder = self.root.absolute()
        for candidate in [folder, *folder.parents][:FOLDERS]:
            path = candidate / FILE
            if path.is_file():
                try:
                    return Rules(path, read_rules(path.read_text("utf-8")))
                except (BadFile, UnicodeDecodeError) as error:
                    raise invalid(str(path), str(error)) from error
        return None

    def forget_rules(self) -> None:
        """The file of rules has changed."""
        self.__dict__.pop("rules", None)

    def rule(self, file: str) -> Rule | None:
        return self.rules.of(self.root.absolute() / file) if self.rules else None

    def all(self) -> list[str]:
        """Every encrypted file under config/."""
        found = (path for path in sorted((self.root / "config").rglob("*.sops.*")) if path.is_file())
        names = (str(path.relative_to(self.root)) for path in found)
        return [name for name in names if name.endswith(ENDINGS) and "/." not in name]

    def of_layer(self, layer: str) -> str:
        """The encrypted twin of a plain layer file: the one that is there, or the name that it would have."""
        stem = layer.removesuffix(".yaml")
        found = [stem + ending for ending in ENDINGS if (self.root / (stem + ending)).is_file()]
        return found[0] if found else f"{stem}.sops.yaml"

    def exists(self, file: str) -> bool:
        return (self.root / file).is_file()

    def text(self, file: str) -> str:
        try:
            return (self.root / file).read_bytes().decode("utf-8", "surrogateescape")
        except FileNotFoundError as error:
            raise NotFound(f"there is no file {file}", hint="`ecluse secrets set` makes one") from error
        except OSError as error:
            raise EcluseError(f"cannot read {file}: {error.strerror}") from error

    def closed(self, file: str) -> Closed:
        try:
            return read_closed(self.text(file), form_of(file))
        except BadFile as error:
            raise invalid(file, str(error)) from error

    def names(self, file: str) -> list[ValuePath]:
        """The paths of its values; everybody may know them."""
        return [path for branch in self.closed(file).branches for path, _ in leaves(branch)]

    def read(self, file: str) -> Readable:
        """SecretUnavailable with the recipients when no key here opens it; ConfigInvalid when it was tampered with."""
        closed = self.closed(file)
        try:
            key = unlock(closed, self.identities.keys)
            if key is not None:
                opened = open_file(closed, key)
                return Readable(closed.form, opened.branches, closed, opened)
            if is_foreign(closed):
                text = self.program.decrypt(self.text(file), (self.root / file).absolute())
                return Readable(closed.form, read_plain(text, closed.form), closed, None)
        except NoProgram as error:
            raise SecretUnavailable(
                f"{file} {error}", hint="install sops (https://getsops.io) and try again"
            ) from error
        except NoKey:
            pass
        except BadFile as error:
            raise invalid(file, str(error)) from error
        raise self.unavailable(file, closed)

    def unavailable(self, file: str, closed: Closed) -> SecretUnavailable:
        readers = ", ".join(closed.metadata.recipients)
        complaints = "; ".join(self.identities.complaints)
        hint = f"it can be read by {readers}" + (f" ({complaints})" if complaints else "")
        return SecretUnavailable(f"no key here opens {file}", hint=hint)

    def change(self, file: str, changes: Mapping[ValuePath, Node]) -> bool:
        """Sets values, or removes those that become None; makes the file under its rule where there is none.
        Everything else stays as it is. False when the file says so already."""
        if not self.exists(file):
            return self._create(file, changes)
        readable = self.read(file)
        flat = {_flat(path, readable.form): value for path, value in changes.items()}
        wanted = {path: value for path, value in flat.items() if _found(readable, path) != value}
        if not wanted:
            return False
        if readable.opened is None:
            self._change_by_program(file, wanted)
            return True
        for path, value in wanted.items():
            put(readable.branches[0], path, value)
        self.save(file, readable.opened)
        return True

    def save(self, file: str, opened: Opened) -> None:
        try:
            self.write(file, write_closed(close_file(opened)))
        except BadFile as error:
            raise invalid(file, str(error)) from error

    def write(self, file: str, text: str) -> None:
        """At once: a reader sees the old file or the new one."""
        path = self.root / file
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(text.encode("utf-8", "surrogateescape"))
            if path.exists():
                beside.chmod(path.stat().st_mode & 0o777)
            beside.replace(path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise EcluseError(f"cannot write {file}: {error.strerror}") from error

    def required_rule(self, file: str) -> Rule:
        """Refused when nobody is named to encrypt the file for."""
        rule = self.rule(file)
        if rule is None or not (rule.age or rule.others):
            raise Refused(
                f"no rule of {FILE} says who may read {file}",
                hint="`ecluse secrets init` writes rules; `ecluse secrets recipients` shows and changes them",
            )
        return rule

    def create(self, file: str, branches: list[Branch]) -> None:
        """A new file under its rule."""
        rule, form = self.required_rule(file), form_of(file)
        try:
            if rule.is_ours:
                opened = new_file(
                    form,
                    branches,
                    rule.age,
                    selector=rule.selector,
                    mac_only_encrypted=rule.mac_only_encrypted,
                )
                self.write(file, write_closed(close_file(opened)))
            else:
                path = (self.root / file).absolute()
                path.parent.mkdir(parents=True, exist_ok=True)
                self.write(file, self.program.encrypt(write_plain(branches, form), path))
        except NoProgram as error:
            raise SecretUnavailable(
                f"{file} {error}", hint="install sops (https://getsops.io) and try again"
            ) from error
        except BadFile as error:
            raise invalid(file, str(error)) from error

    def _create(self, file: str, changes: Mapping[ValuePath, Node]) -> bool:
        branch = Branch()
        for path, value in changes.items():
            put(branch, _flat(path, form_of(file)), value)
        if not branch:
            return False
        self.create(file, [branch])
        return True

    def _change_by_program(self, file: str, wanted: Mapping[ValuePath, Node]) -> None:
        path = (self.root / file).absolute()
        try:
            for where, value in wanted.items():
                if value is None:
                    self.program.unset(path, where)
                else:
                    self.program.set(path, where, value)
        except BadFile as error:
            raise invalid(file, str(error)) from error


def is_foreign(closed: Closed) -> bool:
    """Whether the `sops` program might open a file that we cannot."""
    metadata = closed.metadata
    names = [key.recipient for group in metadata.groups for key in group.age]
    plugins = any(not name.startswith(("age1", "ssh-")) or "1" in name[4:] for name in names)
    return metadata.is_split or any(group.foreign for group in metadata.groups) or plugins


def invalid(file: str, message: str) -> ConfigInvalid:
    return ConfigInvalid([Problem(Location(file), "", message)])


def put(branch: Branch, path: Sequence[str | int], value: Node) -> None:
    """Sets a value, making the maps on the way; None removes it, and maps that it leaves empty."""
    key, rest = str(path[0]), path[1:]
    item = branch.find(key)
    if value is None:
        _remove(branch, item, rest)
    elif not rest:
        if item is None:
            branch.append(Item(key, value))
        else:
            item.value = value
    else:
        if item is None:
            item = Item(key, Branch())
            branch.append(item)
        if not isinstance(item.value, Branch):
            item.value = Branch()
        put(item.value, rest, value)


def _remove(branch: Branch, item: Item | None, rest: Sequence[str | int]) -> None:
    if item is None:
        return
    if rest and isinstance(item.value, Branch):
        put(item.value, rest, None)
        if any(item.value.items()):
            return
    if not rest or isinstance(item.value, Branch):
        branch.remove(item)


def _found(readable: Readable, path: ValuePath) -> Node:
    node: Node = readable.branches[0] if readable.branches else None
    for part in path:
        if isinstance(node, Branch):
            item = node.find(str(part))
            node = item.value if item else None
        elif isinstance(node, Series) and isinstance(part, int):
            node = dict(enumerate(node.values())).get(part)
        else:
            return None
    return node


def _flat(path: ValuePath, form: Form) -> ValuePath:
    """dotenv has no maps: all of it is under `app`."""
    return path[1:] if form == "dotenv" and path[:1] == ("app",) else path
