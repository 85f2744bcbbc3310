"""A product in a folder, the command on it, and what its environments resolve to."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ecluse.cli.main import run_command
from ecluse.config.check import check
from ecluse.config.load import load
from ecluse.config.resolve import resolve
from ecluse.config.workspace import open_workspace
from ecluse.model.application import Application
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.release import Release
from ecluse.model.secret import Sealed
from ecluse.secrets.memory import MemorySecrets, MemoryVault

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
        configuration = load(open_workspace(self.root))
        problems, warnings = check(configuration, MemorySecrets({}), self.vault)
        assert [str(one) for one in (*problems, *warnings)] == []

    def application(
        self, environment: str, service: str, secrets: Mapping[str, str] | None = None
    ) -> Application:
        configuration = load(open_workspace(self.root))
        name = ServiceName(service)
        declaration = configuration.declarations[name]
        from ecluse.config.check import tree_releases

        releases: dict[ServiceName, Release] = dict(tree_releases(configuration))
        assert declaration.spec.name == name
        resolved = resolve(
            configuration,
            EnvironmentName(environment),
            releases,
            services=[name],
            secrets=MemorySecrets(dict(secrets or {})),
            vault=self.vault,
            public_port=None,
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
    return product(tmp_path)
