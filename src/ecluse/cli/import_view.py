"""How an import is shown: its report and the files, or the same as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecluse.cli.output import say, show, show_json

if TYPE_CHECKING:
    from ecluse.wiring.importing import Imported

_COLOURS = {"left": "yellow", "kept": "yellow", "shadowed": "yellow"}


def show_import(imported: Imported, *, dry_run: bool, json: bool) -> None:
    """The report, what comes to files, and what to do next."""
    if json:
        show_json({"files": imported.files, "report": imported.report, "written": not dry_run})
        return
    from ecluse.importers.draft import FATES

    for fate, title in FATES.items():
        lines = [entry for entry in dict.fromkeys(imported.report) if entry.fate == fate]
        if lines:
            show(f"{title}:", colour=_COLOURS.get(fate))
        for entry in lines:
            show(f"  {entry.where}: {entry.what}")
    if not imported.files:
        show("nothing to write: everything is here already")
        return
    show("would write:" if dry_run else "written:")
    for path in imported.files:
        show(f"  {path}")
    say("`ecluse check` reads it all; nothing was committed" if not dry_run else "nothing was written")
