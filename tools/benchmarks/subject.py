"""The product whose one service is replaced: files to write, and the value by which a round differs from the last."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVICE = "echo"
HOST = "echo.bench.localhost"
BOOT_SECONDS = 1.0
PROGRAM = Path(__file__).with_name("service")
SERVICE_YAML = """\
service: echo
processes:
  web: {port: 8080, probe: {path: /health}, drain: 10s, stop_grace: 20s, expose: {host: echo}}
config:
  VERSION: {required: true}
  BOOT_SECONDS: {default: "1"}
  BROKEN: {type: boolean, default: false}
"""


@contextmanager
def subject(*, product: str = "bench", service: str = SERVICE_YAML) -> Iterator[Path]:
    """The product in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="eb") as folder:
        root = Path(folder)
        (root / "ecluse.yaml").write_text(
            f"product: {product}\nenvironments:\n  test: {{engine: docker, domain: bench.localhost}}\n"
        )
        shutil.copytree(PROGRAM, root / "services" / SERVICE)
        (root / "services" / SERVICE / "service.yaml").write_text(service)
        wish(root, "0")
        yield root


def wish(root: Path, version: str, *, run: str = "", **values: str) -> None:
    """Writes what the next deployment should bring."""
    layer = root / "config" / "environments" / "test" / "services" / f"{SERVICE}.yaml"
    layer.parent.mkdir(parents=True, exist_ok=True)
    keys = "".join(f"  {key}: {value}\n" for key, value in values.items())
    layer.write_text(f'app:\n  VERSION: "{version}"\n{keys}{run}')
