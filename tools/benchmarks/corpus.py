"""The corpus of causes (tests/causes) as a product, and the same images and ways of failing for docker-compose."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from benchmarks.installed import docker

FOLDER = Path(__file__).parents[2] / "tests" / "causes"
PRODUCT = "causes"
WELL = "well"
"""A service that does not fail: both ways bring it first, so that no case pays for networks or a gateway."""
LEFT_OUT = {
    "file-of-somebody-else": "its program never reads the file, so nothing fails under docker-compose",
    "image-gone": "the image is taken away between the plan and the change",
    "neighbour-not-declared": "docker-compose knows no neighbours that are not declared",
    "store-does-not-start": "the store is made by ecluse",
    "store-image-gone": "the store is made by ecluse",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One way of failing. sentence: how its cause is told."""

    name: str
    sentence: str
    spec: dict[str, Any]

    @property
    def process(self) -> dict[str, Any]:
        (process,) = self.spec["processes"].values()
        return dict(process)


def names() -> list[str]:
    """Of the cases that both ways can be given."""
    return sorted(
        path.parent.name for path in FOLDER.glob("*/expected.txt") if path.parent.name not in LEFT_OUT
    )


def read(name: str) -> Case:
    told = (FOLDER / name / "expected.txt").read_text().splitlines()
    return Case(name, told[1], yaml.safe_load((FOLDER / name / "service.yaml").read_text()))


@contextmanager
def corpus(cases: Sequence[Case]) -> Iterator[Path]:
    """The product of these cases in a folder of its own, with `docker-compose.json` beside it."""
    base = f"ecluse-bench/causes:{uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory(prefix="eb") as folder:
        root = Path(folder)
        (root / "ecluse.yaml").write_text(
            f"product: {PRODUCT}\nenvironments:\n  test: {{engine: docker, domain: causes.localhost}}\n"
        )
        needed = {neighbour for case in cases for neighbour in case.spec.get("uses", [])}
        for name in {WELL, *needed, *(case.name for case in cases)}:
            _copy(name, root, base)
        (root / "docker-compose.json").write_text(json.dumps(composed(root, cases), indent=2))
        dockerfile = FOLDER / "base.Dockerfile"
        try:
            docker("build", "--quiet", "--network", "host", "-f", dockerfile, "-t", base, FOLDER)
            yield root
        finally:
            if docker("image", "ls", "--quiet", base):
                docker("image", "rm", base)


def _copy(name: str, root: Path, base: str) -> None:
    folder = root / "services" / name
    shutil.copytree(FOLDER / name, folder, ignore=shutil.ignore_patterns("expected.txt"))
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace("BASE", base, 1))


def containers(case: Case) -> list[str]:
    """The names that docker-compose gives, that of the process first."""
    return [
        _container(case.name),
        *(_container(f"{case.name}-{task}") for task in case.spec.get("tasks", {})),
    ]


def _container(name: str) -> str:
    return f"eclusebench-{name}"


def composed(root: Path, cases: Sequence[Case]) -> dict[str, Any]:
    """What docker-compose reads."""
    services: dict[str, Any] = {WELL: {"image": f"{PRODUCT}/{WELL}:1", "command": ["python3", "/run.py"]}}
    for case in cases:
        tasks = case.spec.get("tasks", {})
        services[case.name] = _service(root, case) | {
            "depends_on": {
                f"{case.name}-{task}": {"condition": "service_completed_successfully"} for task in tasks
            }
        }
        for task, spec in tasks.items():
            services[f"{case.name}-{task}"] = _program(case.name, f"{case.name}-{task}", spec)
    return {"services": services}


def _program(image: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "image": f"{PRODUCT}/{image}:1",
        "container_name": _container(name),
        "command": spec["command"],
        "init": True,
        "stop_grace_period": "1s",
    }


def _service(root: Path, case: Case) -> dict[str, Any]:
    process = case.process
    service = _program(case.name, case.name, process)
    if memory := process.get("memory"):
        limit = memory.replace("Mi", "m")
        service |= {"mem_limit": limit, "memswap_limit": limit}
    if probe := process.get("probe"):
        service["healthcheck"] = _healthcheck(probe, process.get("port"))
    # the templates of the corpus hold no variables
    service["volumes"] = [
        f"{root / 'services' / case.name / file['template']}:{path}:ro"
        for path, file in case.spec.get("files", {}).items()
    ]
    return service


def _healthcheck(probe: dict[str, Any], port: int | None) -> dict[str, Any]:
    """The same question, as often and with the same patience: failures count from the deadline on."""
    from ecluse.model.service import Probe

    usual = Probe()
    ask = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{port}{probe.get('path')}', timeout=60)"
    return {
        "test": ["CMD", *probe.get("command", ["python3", "-c", ask])],
        "interval": f"{usual.interval * 1000:.0f}ms",
        "timeout": probe.get("timeout", f"{usual.timeout:g}s"),
        "start_period": probe.get("deadline", f"{usual.deadline:g}s"),
        "retries": 1,
    }
