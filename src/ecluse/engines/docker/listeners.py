"""Who listens on which port, as the kernel tells (proc(5)): for errors that name the culprit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

_LISTENING = "0A"
_DOCKER_DNS = "0B00007F"


@dataclass(frozen=True, slots=True, order=True)
class Listener:
    port: int
    is_local: bool
    inode: str = ""


def who_listens(port: int) -> str | None:
    """The program that listens on a port of this machine, as `name (process 123)`; None when it does not show."""
    inodes = {item.inode for item in listeners("self") if item.port == port}
    return next(_holders(inodes), None) if inodes else None


def listeners(process: int | str) -> list[Listener]:
    """The listening TCP sockets in the network of a process; empty when we may not look."""
    found = []
    for file in ("tcp", "tcp6"):
        try:
            text = Path(f"/proc/{process}/net/{file}").read_text()
        except OSError:
            continue
        found += parse(text)
    return sorted(found)


def parse(table: str) -> list[Listener]:
    """From the text of /proc/net/tcp or tcp6. Docker's own name server (127.0.0.11) is left out."""
    rows = [row for line in table.splitlines()[1:] if len(row := line.split()) > 9]
    return [_listener(row) for row in rows if row[3] == _LISTENING and not row[1].startswith(_DOCKER_DNS)]


def _listener(row: list[str]) -> Listener:
    address, _, port = row[1].partition(":")
    return Listener(int(port, 16), _is_local(address), row[9])


def _is_local(text: str) -> bool:
    words = [bytes.fromhex(text[start : start + 8])[::-1] for start in range(0, len(text), 8)]
    raw = b"".join(words)
    address = IPv4Address(raw) if len(raw) == 4 else IPv6Address(raw)
    return address.is_loopback


def _holders(inodes: set[str]) -> Iterator[str]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        if inodes & set(_sockets(folder)):
            yield f"{_name(folder)} (process {folder.name})"


def _sockets(folder: Path) -> Iterator[str]:
    try:
        for entry in os.scandir(folder / "fd"):
            link = os.readlink(entry.path)
            if link.startswith("socket:["):
                yield link[8:-1]
    except OSError:
        return


def _name(folder: Path) -> str:
    try:
        return (folder / "comm").read_text().strip()
    except OSError:
        return "a program"
