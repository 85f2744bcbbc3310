"""Decrypting many files, and one, beside the `sops` program that one would call for each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.shown import report

MANY = 200
KEYS = 10
ROUNDS = 3


def bench_secrets() -> None:
    print(f"Decrypting files of {KEYS} values, each for one age recipient, seals verified")
    program = _program()
    with tempfile.TemporaryDirectory(prefix="eb") as folder:
        root = Path(folder)
        environ = _product(root)
        for count in (1, MANY):
            kept = _files(root)[:count]
            _only(root, kept)
            ours = report(f"{count}: ecluse secrets verify (a process)", _ours(root, environ), rounds=ROUNDS)
            report(f"{count}: read here, in process", _in_process(root, environ), rounds=ROUNDS)
            if program is None:
                print("    no sops: `make peers` builds it where Go and its modules can be had")
                continue
            theirs = report(
                f"{count}: sops decrypt, a process each", _theirs(program, kept, environ), rounds=ROUNDS
            )
            print(f"    sops, in units of ecluse: {theirs / ours:.2f}")
            _restore(root)
    print(flush=True)


def _program() -> str | None:
    cache = Path(os.environ.get("ECLUSE_CACHE") or Path.home() / ".cache/ecluse")
    built = cache / "peers" / "bin" / "sops"
    return str(built) if built.exists() else shutil.which("sops")


def _product(root: Path) -> dict[str, str]:
    """A product with MANY encrypted files; gives the environment with the key."""
    import pyrage

    from ecluse.secrets.twins import TwinFiles

    key = pyrage.x25519.Identity.generate()
    environ = {**os.environ, "SOPS_AGE_KEY": str(key), "HOME": str(root), "ECLUSE_STATE": str(root / "state")}
    names = [f"s{number:03}" for number in range(MANY)]
    services = "".join(f"  {name}: {{repository: git@example.fr:{name}.git}}\n" for name in names)
    (root / "ecluse.yaml").write_text(
        f"product: bench\nservices:\n{services}environments:\n  test: {{domain: bench.localhost}}\n"
    )
    (root / ".sops.yaml").write_text(f"creation_rules: [{{age: {key.to_public()}}}]\n")
    twins = TwinFiles(root, None, environ)
    for name in names:
        values = {("app", f"KEY_{number}"): f"value {number} of {name}" for number in range(KEYS)}
        twins.change(f"config/services/{name}.sops.yaml", values)
    shutil.copytree(root / "config", root / "all")
    return environ


def _files(root: Path) -> list[Path]:
    return sorted((root / "config" / "services").iterdir())


def _only(root: Path, kept: list[Path]) -> None:
    for path in set(_files(root)) - set(kept):
        path.unlink()


def _restore(root: Path) -> None:
    shutil.copytree(root / "all", root / "config", dirs_exist_ok=True)


def _ours(root: Path, environ: dict[str, str]) -> Callable[[], object]:
    command = [sys.executable, "-m", "ecluse.cli.main", "-C", str(root), "secrets", "verify"]
    return lambda: subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)


def _in_process(root: Path, environ: dict[str, str]) -> Callable[[], object]:
    from ecluse.secrets.twins import TwinFiles

    def read() -> None:
        twins = TwinFiles(root, None, environ)
        for file in twins.all():
            twins.read(file)

    return read


def _theirs(program: str, files: list[Path], environ: dict[str, str]) -> Callable[[], object]:
    def decrypt() -> None:
        for file in files:
            command = [program, "--disable-version-check", "decrypt", str(file)]
            subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)

    return decrypt
