"""Writes new files into a folder: all of them, or none when one would replace something."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ecluse.errors import Refused


def write_new(folder: Path, texts: Mapping[str, str]) -> None:
    """Raises Refused, having touched nothing, when a file exists or a file stands where a folder must be."""
    if standing := sorted({name for path in texts if (name := _in_the_way(folder, path))}):
        names = "\n".join(f"  {name}" for name in standing)
        raise Refused(
            f"{folder}: nothing was written, these exist already:\n{names}",
            hint="move them away, or choose another name or folder",
        )
    for path, text in texts.items():
        _write(folder / path, text)


def _in_the_way(folder: Path, path: str) -> str | None:
    """What stands where `path` is to be written, relative to `folder`."""
    for parent in reversed(Path(path).parents):
        if (folder / parent).exists() and not (folder / parent).is_dir():
            return str(parent)
    return path if (folder / path).exists() or (folder / path).is_symlink() else None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
    if text.startswith("#!"):
        path.chmod(0o755)
