"""A small product in a folder, with what a test wants to be different."""

from __future__ import annotations

import subprocess
import textwrap
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ecluse.config.check import check
from ecluse.config.load import Configuration, load
from ecluse.config.resolve import Resolved, resolve
from ecluse.config.scope import Means
from ecluse.config.workspace import open_workspace
from ecluse.errors import ConfigInvalid
from ecluse.model.application import Application, BackingService, Setting
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.release import Release
from ecluse.model.secret import Sealed
from ecluse.secrets.memory import MemorySecrets, MemoryVault

PRODUCT = """
product: comptoir
services:
  invoicing: {domain: billing}
  accounting: {domain: books}
environments:
  test: {domain: test.localhost}
  prod: {domain: comptoir.example.fr, follows: [test], protected: true}
backing:
  db: {kind: mariadb, version: "10.11"}
  sessions: {kind: redis}
"""
INVOICING = """
service: invoicing
processes:
  web: {port: 8080, probe: {path: /health}, memory: 128Mi, expose: {host: invoicing}}
uses: [accounting, db, sessions]
"""
ACCOUNTING = """
service: accounting
processes:
  web: {port: 8080}
uses: [db]
"""


@dataclass
class ProductFolder:
    root: Path
    secrets: dict[str, str] = field(default_factory=dict)
    vault: MemoryVault = field(default_factory=MemoryVault)
    public_port: int | None = None

    def write(self, path: str, text: str) -> ProductFolder:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return self

    def invoicing(self, *, config: str = "", more: str = "", uses: str = "") -> ProductFolder:
        """The service invoicing with these lines of contract; `more` at the end of its service.yaml."""
        text = INVOICING.replace("[accounting, db, sessions]", uses or "[accounting, db, sessions]")
        keys = textwrap.indent(textwrap.dedent(config).strip("\n"), "  ")
        contract = f"config:\n{keys}\n" if config else ""
        return self.write("services/invoicing/service.yaml", text + contract + textwrap.dedent(more))

    def layer(self, name: str, text: str) -> ProductFolder:
        return self.write(f"config/{name}.yaml", text)

    def load(self) -> Configuration:
        return load(open_workspace(self.root))

    def problems(self) -> str:
        """What loading says, or else what checking says."""
        try:
            problems, _ = self.check()
        except ConfigInvalid as error:
            return "\n".join(map(str, error.problems))
        return "\n".join(sorted(map(str, problems)))

    def warnings(self) -> str:
        return "\n".join(map(str, self.check()[1]))

    def check(self):
        return check(self.load(), MemorySecrets(self.secrets), self.vault)

    def resolve(
        self,
        environment: str = "test",
        *,
        services: Collection[str] | None = None,
        releases: Mapping[ServiceName, Release] | None = None,
        known: Mapping[str, BackingService] | None = None,
    ) -> Resolved:
        configuration = self.load()
        releases = releases if releases is not None else self.releases()
        return resolve(
            configuration,
            EnvironmentName(environment),
            releases,
            list(releases) if services is None else [ServiceName(name) for name in services],
            Means(
                MemorySecrets(self.secrets),
                self.vault,
                public_port=self.public_port,
                known=known or {},
            ),
        )

    def releases(self, version: str = "1.4") -> dict[ServiceName, Release]:
        configuration = self.load()
        return {
            name: Release(
                service=name,
                version=version,
                image_id=f"sha256:{name}",
                content="content",
                inputs="inputs",
                created=datetime(2024, 7, 1, tzinfo=UTC),
                commit="abc1234",
                dirty=False,
                service_yaml=declaration.text,
                templates=configuration.templates[name],
            )
            for name, declaration in configuration.declarations.items()
        }

    def application(self, environment: str = "test", service: str = "invoicing") -> Application:
        return self.resolve(environment).desired.applications[ServiceName(service)]

    def setting(self, key: str, environment: str = "test") -> Setting:
        found = [one for one in self.application(environment).settings if one.key == key]
        assert found, f"{key} has no value"
        return found[0]

    def values(self, environment: str = "test") -> dict[str, str]:
        """Every key of invoicing with its text; a secret's too."""
        return {one.key: self.text(one.text) for one in self.application(environment).settings}

    def text(self, text: str | Sealed) -> str:
        return self.vault.reveal(text) if isinstance(text, Sealed) else text

    def file(self, path: str, environment: str = "test") -> str:
        return next(self.text(one.content) for one in self.application(environment).files if one.path == path)

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=Camille", "-c", "user.email=camille@example.fr")
        command = ["git", "-C", str(self.root), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self) -> str:
        if not (self.root / ".git").exists():
            self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "x")
        return self.git("rev-parse", "HEAD")
