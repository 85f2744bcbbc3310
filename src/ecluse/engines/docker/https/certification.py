"""The certificate that one gateway shows: its files, where it comes from, and how an ACME server's is renewed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ecluse.engines.docker.files import private_folder, read, write_whole
from ecluse.engines.docker.gateway import configuration
from ecluse.engines.docker.gateway.routing import Routes
from ecluse.engines.docker.https import certificates
from ecluse.engines.docker.https.authority import Authority, own_certificate
from ecluse.engines.docker.https.issuance import Issuance, Show
from ecluse.errors import EngineError
from ecluse.model.application import Target
from ecluse.model.product import Tls

FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was asked of an ACME server. issued: the fingerprint of what it gave. problem: why it gave nothing the
    last time; it is asked again at `again`, later after each failure, at once for other hosts."""

    directory: str = ""
    issued: str = ""
    hosts: tuple[str, ...] = ()
    failures: int = 0
    problem: str | None = None
    again: str | None = None

    @staticmethod
    def load(text: str | None) -> Ledger:
        facts = json.loads(text) if text else {}
        return Ledger(**(facts | {"hosts": tuple(facts.get("hosts", ()))}))

    def failed(self, tls: Tls, hosts: Sequence[str], problem: str, now: datetime) -> Ledger:
        failures = self.failures + 1
        wait = min(FIRST_WAIT * 2 ** min(failures - 1, 20), LONGEST_WAIT)
        return replace(
            self,
            directory=tls.directory or "", hosts=tuple(hosts), failures=failures, problem=problem,
            again=(now + wait).isoformat(),
        )  # fmt: skip

    def may_ask(self, tls: Tls, hosts: Sequence[str], now: datetime) -> bool:
        is_other = (self.directory, self.hosts) != (tls.directory, tuple(hosts))
        return is_other or self.again is None or now >= datetime.fromisoformat(self.again)


class Certification:
    """The files of one environment's certificate, under the folder of its gateway."""

    def __init__(self, folder: Path, target: Target, *, machine: Path, authority: Authority) -> None:
        self._folder = folder
        self._target = target
        self._machine = machine
        self._authority = authority

    def shown(self) -> str | None:
        """Key, certificate and chain, as they are on file."""
        return read(self._folder / configuration.CERTIFICATE)

    def expiry(self) -> datetime | None:
        pem = self.shown()
        return certificates.expiry(pem) if pem else None

    def problem(self) -> str | None:
        """Why there is no newer certificate, and when one is asked for again."""
        ledger = self._ledger()
        if ledger.problem is None or ledger.again is None or self._target.tls.mode != "acme":
            return None
        again = datetime.fromisoformat(ledger.again)
        return f"{ledger.problem}; asked again after {again:%Y-%m-%d %H:%M} UTC"

    async def provide(self, routes: Routes) -> None:
        """Leaves a certificate on file that the gateway can show. Where an ACME server issues, that is the one
        which is there already, or one of the local authority until the server has answered."""
        if routes.entrance is None or not routes.is_secure:
            return
        tls, hosts = routes.entrance.tls, sorted(routes.hosts)
        if tls.mode == "files":
            pem = own_certificate(tls, hosts)
        elif tls.mode == "acme" and self._will_do(hosts):
            pem = self.shown() or ""
        else:
            subject = f"{self._target.environment} of {self._target.product}"
            pem = await self._authority.certify(subject, hosts or [self._target.domain], self.shown())
        self._keep(pem)

    def is_due(self, routes: Routes) -> bool:
        """Should an ACME server be asked now?"""
        if routes.entrance is None or not routes.is_secure or routes.entrance.tls.mode != "acme":
            return False
        tls, hosts, pem, ledger = routes.entrance.tls, sorted(routes.hosts), self.shown(), self._ledger()
        now = datetime.now(UTC)
        if not hosts or not ledger.may_ask(tls, hosts, now):
            return False
        if pem is None or ledger.directory != tls.directory or not self._is_issued(pem):
            return True
        return bool(certificates.uncovered(pem, hosts)) or certificates.is_mostly_spent(pem, now)

    async def obtain(self, routes: Routes, show: Show) -> str | None:
        """Asks the server; None when there is a new certificate on file, else why there is none."""
        assert routes.entrance is not None, "only a gateway that answers over HTTPS has a certificate"
        tls, hosts = routes.entrance.tls, sorted(routes.hosts)
        try:
            pem = await Issuance(self._machine, tls).obtain(hosts, show)
        except EngineError as error:
            told = f"no certificate for {', '.join(hosts)}: {error.message}"
            self._note(self._ledger().failed(tls, hosts, told, datetime.now(UTC)))
            return told
        self._keep(pem)
        self._note(Ledger(tls.directory or "", certificates.fingerprint(pem), tuple(hosts)))
        return None

    def _will_do(self, hosts: Sequence[str]) -> bool:
        """May the certificate on file stay until the server gives another? One that was issued stays in any case."""
        pem = self.shown()
        if pem is None:
            return False
        return self._is_issued(pem) or not (
            certificates.uncovered(pem, hosts) or certificates.is_mostly_spent(pem, datetime.now(UTC))
        )

    def _is_issued(self, pem: str) -> bool:
        return certificates.fingerprint(pem) == self._ledger().issued

    def _keep(self, pem: str) -> None:
        private_folder((self._folder / configuration.CERTIFICATE).parent)
        write_whole(self._folder / configuration.CERTIFICATE, pem)
        write_whole(self._folder / configuration.CERTIFICATES, configuration.certificate_list())

    def _ledger(self) -> Ledger:
        return Ledger.load(read(self._folder / "acme.json"))

    def _note(self, ledger: Ledger) -> None:
        write_whole(self._folder / "acme.json", json.dumps(asdict(ledger), indent=1))
