"""Products of many small services: with one tiny image each, or with layers in many environments."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEYS = 20
DOMAINS = 10


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


@contextmanager
def company(size: int, environments: int) -> Iterator[Path]:
    """Domains, a layer for all, one for each service, and both again in each environment. Every service refers to
    the public address of the next."""
    with tempfile.TemporaryDirectory(prefix="eb") as folder:
        root = Path(folder)
        names = [f"e{number}" for number in range(environments)]
        _write(root / "ecluse.yaml", _product(size, names))
        _write(root / "config" / "common.yaml", "app: {VALUE_0: of all}\n")
        for name in names:
            _write(root / "config" / "environments" / name / "common.yaml", f"app: {{VALUE_1: of {name}}}\n")
        for number in range(size):
            service = f"s{number}"
            _write(root / "services" / service / "service.yaml", _exposed(number, size))
            _write(root / "config" / "services" / f"{service}.yaml", f"app: {{VALUE_2: of {service}}}\n")
            for name in names:
                layer = root / "config" / "environments" / name / "services" / f"{service}.yaml"
                _write(layer, f"app: {{VALUE_3: {service} in {name}}}\n")
        yield root


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _product(size: int, environments: list[str]) -> str:
    places = "".join(f"  {name}: {{engine: docker, domain: {name}.localhost}}\n" for name in environments)
    services = "".join(f"  s{number}: {{domain: d{number % DOMAINS}}}\n" for number in range(size))
    return f"product: bench\nenvironments:\n{places}services:\n{services}"


def _exposed(number: int, size: int) -> str:
    following = (number + 1) % size
    keys = [*_contract()[:-1], f'  NEXT_URL: {{type: url, default: "${{service.s{following}.public_url}}"}}']
    return (
        f"service: s{number}\nprocesses:\n  web: {{port: 8080, expose: {{host: s{number}}}}}\n"
        "config:\n" + "\n".join(keys) + "\n"
    )


def _write_service(folder: Path, number: int) -> None:
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text('FROM debian:12-slim\nCMD ["sleep", "infinity"]\n')
    (folder / "service.yaml").write_text(
        f'service: s{number}\nprocesses:\n  main: {{probe: {{command: ["true"]}}, stop_grace: 1s}}\n'
        "config:\n" + "\n".join(_contract()) + "\n"
    )


def _contract() -> list[str]:
    """Twenty keys, half of them by reference."""
    keys = [f"  VALUE_{index}: {{default: value {index}}}" for index in range(KEYS // 2)]
    return keys + [
        f'  REFERENCE_{index}: {{default: "${{app.VALUE_{index}}}!"}}' for index in range(KEYS // 2)
    ]
