"""dotenv ↔ tree, as SOPS does it: a line is `KEY=value`, newlines are written `\\n` (stores/dotenv/store.go)."""

from __future__ import annotations

from collections.abc import Sequence

from ecluse.secrets.sops.tree import BadFile, Branch, Comment, Item, Series, Time, float_text


def read_dotenv(text: str) -> list[Branch]:
    """BadFile with the line that is none."""
    branch = Branch()
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith("#"):
            branch.append(Comment(line[1:]))
        elif "=" in line:
            key, _, value = line.partition("=")
            branch.append(Item(key, value.replace("\\n", "\n")))
        elif line:
            raise BadFile(f"line {number} is no KEY=value")
    return [branch]


def write_dotenv(branches: Sequence[Branch]) -> str:
    """BadFile for a value that is a map or a list."""
    lines = []
    for item in branches[0] if branches else ():
        if isinstance(item, Comment):
            lines.append(f"#{item.text}\n")
        elif isinstance(item.value, Branch | Series):
            raise BadFile(f"{item.key} is a map or a list, which dotenv cannot hold")
        else:
            lines.append(f"{item.key}={_value(item.value)}\n")
    return "".join(lines)


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            text = float_text(value)
            return text if "." in text else f"{text}.0"
        case Time():
            return value.text
        case None:
            return "<nil>"
    return str(value).replace("\n", "\\n")
