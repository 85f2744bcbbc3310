"""Changes to the text of `.sops.yaml`, with everything else in it left alone. Pure: text in, text out."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ecluse.errors import Refused
from ecluse.secrets.sops.patterns import matches

if TYPE_CHECKING:
    from ruamel.yaml import YAML

HEAD = """\
# Who may read which encrypted file: the first rule whose path_regex is found in the path counts.
# `ecluse secrets recipients` changes the lists, and the files with them.
creation_rules:
"""


def environment_pattern(environment: str, prefix: str = "") -> str:
    return f"^{re.escape(prefix)}config/environments/{re.escape(environment)}/"


def first_rules(environments: Sequence[str], recipients: Sequence[str], prefix: str = "") -> str:
    """A rule for each environment, and one for what they share."""
    patterns = [environment_pattern(name, prefix) for name in environments]
    return HEAD + "".join(
        _rule(pattern, recipients) for pattern in [*patterns, f"^{re.escape(prefix)}config/"]
    )


def with_rule(text: str, pattern: str, recipients: Sequence[str]) -> str:
    """A rule before all others: it must come before one that matches more."""

    def change(document: Any) -> None:
        rules = document.setdefault("creation_rules", [])
        rules.insert(0, {"path_regex": pattern, "age": list(recipients)})

    return _changed(text, change)


def with_recipient(text: str, path: str, recipient: str, name: str | None = None) -> str:
    """The rule of `path` with one more; the same text when he is there."""

    def change(document: Any) -> None:
        rule = _rule_of(document, path)
        age = _listed(rule)
        if recipient not in age:
            age.append(recipient)
            if name and hasattr(age, "yaml_add_eol_comment"):
                age.yaml_add_eol_comment(name, len(age) - 1)

    return _changed(text, change)


def without_recipient(text: str, path: str, recipient: str) -> str:
    """Refused when nobody would be left."""

    def change(document: Any) -> None:
        age = _listed(_rule_of(document, path))
        if recipient in age:
            if len(age) == 1:
                raise Refused("nobody could read these files any more", hint="add another recipient first")
            age.remove(recipient)

    return _changed(text, change)


def _rule(pattern: str, recipients: Sequence[str]) -> str:
    lines = [f"  - path_regex: {pattern}", "    age:", *(f"      - {one}" for one in recipients)]
    return "\n".join(lines) + "\n"


def _rule_of(document: Any, path: str) -> Any:
    for rule in document.get("creation_rules") or ():
        if not rule.get("path_regex") or matches(rule["path_regex"], path):
            if rule.get("key_groups"):
                raise Refused(f"the rule of {path} has key groups", hint="change them in .sops.yaml by hand")
            return rule
    raise Refused(f"no rule of .sops.yaml speaks of {path}", hint="`ecluse secrets init` writes rules")


def _listed(rule: Any) -> Any:
    """The recipients as a list that can be changed; a text of several becomes one."""
    from ruamel.yaml.comments import CommentedSeq

    given = rule.get("age")
    if isinstance(given, str) or given is None:
        rule["age"] = CommentedSeq(part.strip() for part in (given or "").split(",") if part.strip())
    return rule["age"]


def _changed(text: str, change: Callable[[Any], None]) -> str:
    yaml = _yaml()
    document = yaml.load(text) or {}
    change(document)
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _yaml() -> YAML:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml
