"""A product in a folder, the command on it, and what its environments resolve to."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyrage
import pytest

from ecluse.cli.main import run_command
from ecluse.config.check import check, tree_releases
from ecluse.config.resolve import resolve
from ecluse.config.scope import Means
from ecluse.model.application import Application
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.secret import Sealed
from ecluse.secrets.memory import MemorySecrets, MemoryVault
from ecluse.settings import read_settings
from ecluse.wiring.product import OpenProduct

PRODUCT = """
product: shop
environments:
  test: {domain: test.localhost}
  prod: {domain: shop.example.fr, protected: true}
"""


@dataclass
class Folder:
    root: Path
    vault: MemoryVault = field(default_factory=MemoryVault)
    keys: list[str] = field(default_factory=list)

    def write(self, path: str, text: str | bytes) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        content = text if isinstance(text, bytes) else textwrap.dedent(text).lstrip("\n").encode()
        file.write_bytes(content)
        return file

    def read(self, path: str) -> str:
        return (self.root / path).read_bytes().decode()

    def run(self, *words: object) -> int:
        return run_command(["-C", str(self.root), *map(str, words)])

    def files(self) -> dict[str, bytes]:
        """Every file of the folder."""
        found = (path for path in self.root.rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)): path.read_bytes() for path in found}

    def assert_checks(self) -> None:
        """No problem and no warning, in any environment."""
        opened = OpenProduct(self.root, read_settings({}))
        problems, warnings = check(opened.configuration, MemorySecrets({}), self.vault)
        assert [str(one) for one in (*problems, *warnings)] == []

    def sops(self, *environments: str) -> Folder:
        """Rules that name a key of its own for each environment, all of them in the hands of this process."""
        rules = ["creation_rules:\n"]
        for name in environments or ("test", "prod"):
            key = pyrage.x25519.Identity.generate()
            self.keys.append(str(key))
            rules.append(f"  - path_regex: ^config/environments/{name}/\n    age: {key.to_public()}\n")
        self.write(".sops.yaml", "".join(rules).encode())
        os.environ["SOPS_AGE_KEY"] = "\n".join(self.keys)
        return self

    def application(
        self, environment: str, service: str, secrets: Mapping[str, str] | None = None
    ) -> Application:
        configuration = OpenProduct(self.root, read_settings({})).configuration
        name = ServiceName(service)
        releases = dict(tree_releases(configuration))
        resolved = resolve(
            configuration,
            EnvironmentName(environment),
            releases,
            [name],
            Means(MemorySecrets(dict(secrets or {})), self.vault),
        )
        return resolved.desired.applications[name]

    def values(
        self, environment: str, service: str, secrets: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """The variables of a service, secrets revealed."""
        found = self.application(environment, service, secrets).settings
        return {one.key: self.text(one.text) for one in found}

    def text(self, text: str | Sealed) -> str:
        return self.vault.reveal(text) if isinstance(text, Sealed) else text


def product(tmp_path: Path, text: str = PRODUCT) -> Folder:
    folder = Folder(tmp_path / "product")
    folder.write("ecluse.yaml", text)
    return folder


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setenv("ECLUSE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SOPS_AGE_KEY", "")
    return product(tmp_path)
