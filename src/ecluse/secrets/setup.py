"""What a product needs before it can hold secrets: a key, rules, and git's way to merge encrypted files."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecluse.errors import EcluseError
from ecluse.secrets import rulebook
from ecluse.secrets.custody import probe, write_text
from ecluse.secrets.sops.rules import FILE
from ecluse.secrets.twins import TwinFiles

ATTRIBUTES = ".gitattributes"
DRIVER = "ecluse-secrets"
MERGED = tuple(f"config/**/*.sops.{ending} merge={DRIVER}" for ending in ("yaml", "yml", "json", "env"))


@dataclass(frozen=True, slots=True)
class Made:
    """recipient: whom everything is encrypted for at first. done: what was made, a line each."""

    recipient: str
    done: tuple[str, ...]


def set_up(files: TwinFiles, environments: Sequence[str], *, recipient: str | None, holder: str) -> Made:
    """Makes what is missing, and leaves what is there alone."""
    done: list[str] = []
    found = recipient or next(iter(files.identities.recipients), None)
    if found is None:
        found, path = make_identity()
        done.append(f"{path}: your private key; keep a copy where it is safe")
    done += _rules(files, environments, found)
    if _holds_several(files, environments, found) and _add_holder(files.root / "ecluse.yaml", holder, found):
        done.append(f"ecluse.yaml: {holder} may hold keys of several environments")
    done += _git(files.root)
    return Made(found, tuple(done))


def make_identity(environ: Mapping[str, str] | None = None) -> tuple[str, Path]:
    """A new age key where `sops` finds it; gives its public half and the file."""
    import pyrage

    environ = os.environ if environ is None else environ
    settings = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME") or Path.home()) / ".config")
    path = Path(settings) / "sops" / "age" / "keys.txt"
    key = pyrage.x25519.Identity.generate()
    public = str(key.to_public())
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with open(descriptor, "w", encoding="ascii") as stream:
            stream.write(f"# public key: {public}\n{key}\n")
    except OSError as error:
        raise EcluseError(f"cannot write {path}: {error.strerror}") from error
    return public, path


def _rules(files: TwinFiles, environments: Sequence[str], recipient: str) -> list[str]:
    if files.rules is None:
        write_text(files.root / FILE, rulebook.first_rules(environments, [recipient]))
        files.forget_rules()
        return [f"{FILE}: who may read which file"]
    path, done = files.rules.file, []
    for name in environments:
        if files.rule(probe(name)) is None:
            prefix = os.path.relpath(files.root.absolute(), path.parent)
            pattern = rulebook.environment_pattern(name, "" if prefix == "." else f"{prefix}/")
            write_text(path, rulebook.with_rule(path.read_text("utf-8"), pattern, [recipient]))
            files.forget_rules()
            done.append(f"{path}: a rule for {name}")
    return done


def _holds_several(files: TwinFiles, environments: Sequence[str], recipient: str) -> bool:
    """Whether the rules name him for more than one environment: a newcomer's own key is in none."""
    rules = [rule for name in environments if (rule := files.rule(probe(name)))]
    return sum(recipient in rule.age for rule in rules) > 1


def _add_holder(path: Path, name: str, recipient: str) -> bool:
    """Whether he was not named before. Comments and order stay."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    document = yaml.load(path.read_text("utf-8"))
    section = document.get("secrets")
    holders = section.get("holders") if isinstance(section, dict) else None
    if isinstance(holders, dict) and recipient in holders.values():
        return False
    if not isinstance(section, dict):
        document["secrets"] = section = CommentedMap()
    if not isinstance(holders, dict):
        section["holders"] = holders = CommentedMap()
    free = name if name not in holders else f"{name}-{recipient[-4:]}"
    holders[free] = recipient
    stream = io.StringIO()
    yaml.dump(document, stream)
    write_text(path, stream.getvalue())
    return True


def _git(root: Path) -> list[str]:
    """The merge driver: named in .gitattributes for everybody, and in the settings of this clone."""
    if _run(root, "rev-parse", "--is-inside-work-tree") != "true":
        return []
    done = []
    path = root / ATTRIBUTES
    present = path.read_text("utf-8") if path.exists() else ""
    missing = [line for line in MERGED if line not in present.splitlines()]
    if missing:
        write_text(
            path,
            present + ("\n" if present and not present.endswith("\n") else "") + "\n".join(missing) + "\n",
        )
        done.append(f"{ATTRIBUTES}: git merges encrypted files by their keys")
    command = f"{shlex.quote(_program())} secrets merge %O %A %B %P"
    if _run(root, "config", "--get", f"merge.{DRIVER}.driver") != command:
        _run(root, "config", f"merge.{DRIVER}.name", "encrypted files, key by key")
        _run(root, "config", f"merge.{DRIVER}.driver", command)
        done.append("git of this clone: how to merge them (each clone needs `ecluse secrets init` once)")
    return done


def _program() -> str:
    import sys

    beside = Path(sys.executable).with_name("ecluse")
    return str(beside) if beside.exists() else "ecluse"


def _run(root: Path, *arguments: str) -> str:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            env=kept,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
