"""What is revealed at the last moment, and what hides it again."""

from __future__ import annotations

from ecluse.engines.docker.client import Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.dressing import Dressing
from ecluse.engines.docker.output import MASK
from ecluse.model.application import BackingService
from ecluse.model.names import ServiceName
from ecluse.secrets.memory import MemoryVault


def test_every_password_of_a_backing_service_is_hidden_those_of_before_too() -> None:
    vault = MemoryVault()
    client = ServiceName("invoicing")
    backing = BackingService(
        "db", "mariadb", "10.11", None, None, None, None,
        vault.seal("root-word"), {client: vault.seal("new-word")}, former={client: vault.seal("old-word")},
    )  # fmt: skip
    mask = Dressing(vault, Containers(Client())).mask_backing(backing)
    assert mask.hide("denied: root-word, new-word, old-word") == f"denied: {MASK}, {MASK}, {MASK}"
