"""The state of a product, opened: record, vault and engine of one machine. What the runner needs, no more."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ecluse.model.application import Target
from ecluse.model.names import EnvironmentName
from ecluse.ports import Backups, Clock, Engine, Leases, Records, Schedule, Vault
from ecluse.settings import Settings

AGAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ProductState:
    product: str
    settings: Settings
    records: Records
    schedule: Schedule
    leases: Leases
    vault: Vault
    clock: Clock
    database_url: str

    def engine(self) -> Engine:
        """A new connection to the machine's engine; the caller closes it."""
        from ecluse.engines.docker.engine import DockerEngine

        return DockerEngine(
            vault=self.vault,
            state=self.settings.product_state(self.product),
            machine=self.settings.machine_state,
            edge_address=self.settings.edge_address,
            edge_http_port=self.settings.edge_http_port,
            edge_https_port=self.settings.edge_https_port,
            keepsake=self.vault.key,
        )

    @property
    def backups(self) -> Backups:
        from ecluse.store.backups import FileBackups

        return FileBackups(self.settings.product_state(self.product) / "backups")

    def target(self, environment: EnvironmentName) -> Target | None:
        """The environment as it was last deployed, or None where it never was."""
        moves = self.records.deployments(environment, limit=50, runs=False)
        return next((item.intent.target for item in moves if item.state == "succeeded"), None)


def open_state(product: str, settings: Settings, *, create: bool) -> ProductState:
    """Without `create`, nothing is written: where there is no state yet, an empty one in memory stands in."""
    from ecluse.secrets.vault import open_vault
    from ecluse.store.clock import SystemClock
    from ecluse.store.database import open_database, open_memory, sqlite_path, sqlite_url
    from ecluse.store.leases import SqlLeases
    from ecluse.store.records import SqlRecords
    from ecluse.store.schedule import SqlSchedule

    folder = settings.product_state(product)
    exists = sqlite_path(folder).exists()
    engine = open_database(folder) if create or exists else open_memory()
    return ProductState(
        product=product,
        settings=settings,
        records=SqlRecords(engine),
        schedule=SqlSchedule(engine),
        leases=SqlLeases(engine, SystemClock()),
        vault=open_vault(folder, create=create),
        clock=SystemClock(),
        database_url=sqlite_url(folder),
    )


def check_state(product: str, settings: Settings) -> None:
    """RecordDamaged when the record is not whole. Writes nothing."""
    from ecluse.store.database import check_whole

    check_whole(settings.product_state(product))


def wait_usable(product: str, settings: Settings) -> None:
    """Returns when the record can be written again, however long that takes. RecordDamaged when it never will."""
    from ecluse.store.database import is_usable

    while not is_usable(settings.product_state(product)):
        time.sleep(AGAIN_SECONDS)
