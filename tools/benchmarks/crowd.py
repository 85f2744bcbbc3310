"""A product of many small services that share one tiny image."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEYS = 20


@contextmanager
def crowd(size: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="eb") as folder:
        root = Path(folder)
        (root / "ecluse.yaml").write_text(
            "product: bench\nenvironments:\n  test: {engine: docker, domain: bench.localhost}\n"
        )
        for number in range(size):
            _write_service(root / "services" / f"s{number}", number)
        yield root


def _write_service(folder: Path, number: int) -> None:
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text('FROM debian:12-slim\nCMD ["sleep", "infinity"]\n')
    keys = [f"  VALUE_{index}: {{default: value {index}}}" for index in range(KEYS // 2)]
    keys += [f'  REFERENCE_{index}: {{default: "${{app.VALUE_{index}}}!"}}' for index in range(KEYS // 2)]
    (folder / "service.yaml").write_text(
        f'service: s{number}\nprocesses:\n  main: {{probe: {{command: ["true"]}}, stop_grace: 1s}}\n'
        "config:\n" + "\n".join(keys) + "\n"
    )
