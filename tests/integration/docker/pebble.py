"""A real ACME server (Pebble) with a DNS server of its own, in which every name leads to this machine."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from making import free_port

from ecluse.engines.docker.https import certificates
from ecluse.model.product import Tls

PEERS = Path(os.environ.get("ECLUSE_CACHE") or Path.home() / ".cache" / "ecluse") / "peers" / "bin"
SECONDS = 20.0


@dataclass
class Pebble:
    """folder: where its files are. It asks for challenges at `http_port`, wherever a name leads."""

    folder: Path
    http_port: int
    https_port: int
    port: int = field(default_factory=free_port)
    management: int = field(default_factory=free_port)
    dns: int = field(default_factory=free_port)
    dns_management: int = field(default_factory=free_port)
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def authority(self) -> Path:
        """Whom to trust at the directory."""
        return self.folder / "pebble-ca.crt"

    @property
    def root(self) -> Path:
        """Whom to trust for what it issues. It is another one each time that the server starts."""
        path = self.folder / "root.pem"
        path.write_bytes(self._ask(f"https://localhost:{self.management}/roots/0"))
        return path

    def tls(self, **more: bool) -> Tls:
        directory = f"https://localhost:{self.port}/dir"
        return Tls("acme", directory=directory, authority=str(self.authority), **more)  # type: ignore[arg-type]

    def start(self) -> None:
        self._write()
        programs = (
            ["pebble-challtestsrv", "-dnsserver", f"127.0.0.1:{self.dns}", "-management",
             f"127.0.0.1:{self.dns_management}", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
             "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", ""],
            ["pebble", "-strict", "-config", str(self.folder / "pebble.json"), "-dnsserver", f"127.0.0.1:{self.dns}"],
        )  # fmt: skip
        for name, *words in programs:
            log = (self.folder / f"{name}.log").open("ab")
            # of its own accord it refuses one nonce in twenty; the library asks a second time, and never a third
            chances = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0", "PEBBLE_WFE_NONCEREJECT": "0"}
            variables = os.environ | chances
            self._processes.append(
                subprocess.Popen([str(PEERS / name), *words], stdout=log, stderr=log, env=variables)
            )
        self._wait()

    def stop(self) -> None:
        for process in self._processes:
            process.terminate()
            process.wait(SECONDS)
        self._processes.clear()

    def lead(self, host: str, address: str) -> None:
        """Makes a name lead elsewhere."""
        body = json.dumps({"host": host, "addresses": [address]}).encode()
        self._ask(f"http://127.0.0.1:{self.dns_management}/add-a", body)

    def _write(self) -> None:
        if not self.authority.exists():
            pair = certificates.make_authority("pebble", datetime.now(UTC))
            self.authority.write_text(pair.certificate)
            text = certificates.issue(pair, "pebble", ["localhost"], datetime.now(UTC))
            (self.folder / "pebble.pem").write_text(text)
        own = str(self.folder / "pebble.pem")
        facts = {
            "listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": own, "privateKey": own, "httpPort": self.http_port, "tlsPort": self.https_port,
            "ocspResponderURL": "", "retryAfter": {"authz": 1, "order": 1},
            "profiles": {"default": {"description": "usual", "validityPeriod": 7776000}},
        }  # fmt: skip
        (self.folder / "pebble.json").write_text(json.dumps({"pebble": facts}))

    def _wait(self) -> None:
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                self._ask(f"https://localhost:{self.port}/dir")
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _ask(self, url: str, body: bytes | None = None) -> bytes:
        context = ssl.create_default_context(cafile=str(self.authority)) if url.startswith("https") else None
        with urllib.request.urlopen(url, body, timeout=5, context=context) as answer:
            found: bytes = answer.read()
            return found


@contextmanager
def pebble(folder: Path, *, http_port: int, https_port: int) -> Iterator[Pebble]:
    for name in ("pebble", "pebble-challtestsrv"):
        if not (PEERS / name).exists():
            pytest.skip(f"{name}: `make peers` builds it where Go modules can be had")
    folder.mkdir()
    server = Pebble(folder, http_port, https_port)
    server.start()
    try:
        yield server
    finally:
        server.stop()
