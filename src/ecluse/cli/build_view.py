"""A build as it happens: stages always, lines of output unless it should be quiet."""

from __future__ import annotations

from ecluse.cli.output import say
from ecluse.model.source import BuildProgress

_COLOURS = {"done": "green", "unchanged": "cyan", "failed": "red"}


class BuildView:
    """Tells progress on standard error; `results` keeps how each service ended."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self.results: list[BuildProgress] = []

    def tell(self, progress: BuildProgress) -> None:
        if progress.stage in _COLOURS:
            self.results.append(progress)
        if progress.line is None:
            release = f"  {progress.version}" if progress.version else ""
            self._say(progress, f"{progress.stage}{release}", _COLOURS.get(progress.stage))
        elif not self._quiet:
            self._say(progress, f"  {progress.line}", None)

    def _say(self, progress: BuildProgress, text: str, colour: str | None) -> None:
        say(f"{progress.seconds:7.1f}s  {progress.service:<16}  {text}", colour=colour)
