"""What containers, networks and volumes say about themselves: labels, names, and reading them back. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ecluse.model.application import Target

DEFAULT_MACHINE = Path("/var/lib/ecluse/_machine")

Kind = Literal["replica", "run", "gateway", "edge", "backing", "trial", "network", "volume"]

PRODUCT = "ecluse.product"
ENVIRONMENT = "ecluse.environment"
MACHINE = "ecluse.machine"
KIND = "ecluse.kind"
SERVICE = "ecluse.service"
PROCESS = "ecluse.process"
NUMBER = "ecluse.number"
BOX = "ecluse.box"
VERSION = "ecluse.version"
IMAGE = "ecluse.image"
ADDRESS = "ecluse.address"
EDGE_ADDRESS = "ecluse.edge-address"
OFFSET = "ecluse.offset"
LISTEN = "ecluse.listen"
SPEC = "ecluse.spec"
BACKING = "ecluse.backing"
BACKING_KIND = "ecluse.backing-kind"
RUN = "ecluse.run"
KEY = "ecluse.key"
HOLDER = "ecluse.holder"
USES = "ecluse.uses"
OUTSIDE = "ecluse.outside"
CLOSED = "ecluse.closed"
USES_BACKING = "ecluse.uses-backing"


def machine_id(machine: Path) -> str:
    """What sets the names of another installation on the same engine apart; empty for the usual one."""
    if machine == DEFAULT_MACHINE:
        return ""
    return hashlib.sha256(str(machine).encode()).hexdigest()[:6]


@dataclass(frozen=True, slots=True)
class Site:
    """An environment on one machine: what its parts are called and how they are labelled."""

    target: Target
    machine: str

    @property
    def slug(self) -> str:
        return self._named(self.target.slug)

    @property
    def network(self) -> str:
        """Where the gateway is and backing services are; no service is on it."""
        return f"ecluse-{self.slug}"

    def network_of(self, service: str, *, closed: bool = False) -> str:
        """A service's own. No name of ours has a dot, so that no two of these are spelled the same."""
        return f"{self.network}.{service}.closed" if closed else f"{self.network}.{service}"

    @property
    def gateway(self) -> str:
        return self._named(f"{self.target.slug}-gateway")

    def replica(self, service: str, process: str, number: int) -> str:
        return self._named(f"{self.target.slug}-{service}-{process}-{number}")

    def run(self, service: str, name: str, key: str) -> str:
        mark = hashlib.sha256(key.encode()).hexdigest()[:8]
        return self._named(f"{self.target.slug}-{service}-{name}-run-{mark}")

    def backing(self, name: str) -> str:
        return self._named(f"{self.target.slug}-{name}")

    def trial(self, name: str) -> str:
        return self._named(f"{self.target.slug}-{name}-trial")

    def volume(self, name: str) -> str:
        return self._named(f"ecluse-{self.target.slug}-{name}")

    def labels(self, kind: Kind, **more: object) -> dict[str, str]:
        """The labels of one thing; `more` has the part of a label's name behind the dot (`_` for `-`)."""
        own = {f"ecluse.{key.replace('_', '-')}": str(value) for key, value in more.items()}
        return self.marks | {KIND: kind} | own

    @property
    def marks(self) -> dict[str, str]:
        return {
            PRODUCT: str(self.target.product),
            ENVIRONMENT: str(self.target.environment),
            MACHINE: self.machine,
        }

    def _named(self, name: str) -> str:
        return f"{name}-{self.machine}" if self.machine else name


@dataclass(frozen=True, slots=True)
class Container:
    """A container of ours as Docker lists it. `status` is Docker's word: created, running, exited…

    image: the name that it was made from, while that name still means the same; otherwise a digest.
    """

    id: str
    name: str
    status: str
    labels: Mapping[str, str]
    image: str = ""

    @property
    def kind(self) -> str:
        return self.labels.get(KIND, "")

    @property
    def address(self) -> str:
        return self.labels.get(ADDRESS, "")

    @property
    def service(self) -> str:
        return self.labels.get(SERVICE, "")

    @property
    def process(self) -> str:
        return self.labels.get(PROCESS, "")

    @property
    def backing(self) -> str:
        """Which backing service it is."""
        return self.labels.get(BACKING, "")

    @property
    def number(self) -> int:
        return int(self.labels.get(NUMBER, "0"))

    @property
    def box(self) -> str:
        """The digest of what is inside. None is known of a container that shares its network with other services,
        as those of earlier versions did: it is to be replaced."""
        return self.labels.get(BOX, "") if USES in self.labels else ""

    @property
    def uses(self) -> tuple[str, ...]:
        return tuple(self.labels.get(USES, "").split())

    @property
    def outside(self) -> tuple[str, ...]:
        return tuple(self.labels.get(OUTSIDE, "").split())

    @property
    def uses_backing(self) -> tuple[str, ...]:
        return tuple(self.labels.get(USES_BACKING, "").split())

    @property
    def is_running(self) -> bool:
        return self.status == "running"

    @property
    def subject(self) -> str:
        """What people know it by: `service/process`, `service/task`, or a backing service."""
        match self.kind:
            case "backing" | "trial":
                return self.backing
            case "run":
                return f"{self.service}/{self.labels.get(RUN, '')}"
            case _:
                return f"{self.service}/{self.process}"

    @property
    def slug(self) -> str:
        """Of its environment, as Site.slug says it."""
        parts = (self.labels.get(key, "") for key in (PRODUCT, ENVIRONMENT, MACHINE))
        return "-".join(filter(None, parts))

    def is_of(self, site: Site) -> bool:
        return all(self.labels.get(key) == value for key, value in site.marks.items())


def container(listed: Mapping[str, Any]) -> Container:
    """From one entry of `GET /containers/json`."""
    return Container(
        id=str(listed["Id"]),
        name=str(listed["Names"][0]).lstrip("/") if listed.get("Names") else str(listed["Id"])[:12],
        status=str(listed["State"]).lower(),
        labels=dict(listed.get("Labels") or {}),
        image=str(listed.get("Image") or ""),
    )


def bears_its_name(item: Container) -> bool:
    """Is it called what its labels say? Labels travel (`docker commit` puts them into an image, and whoever runs that
    image has them too); a name is given once. What has our labels under another name was not made by us."""
    machine = item.labels.get(MACHINE, "")
    stem = f"{item.labels.get(PRODUCT, '')}-{item.labels.get(ENVIRONMENT, '')}"
    run = item.labels.get(RUN, "")
    mark = hashlib.sha256(item.labels.get(KEY, "").encode()).hexdigest()[:8]
    names = {
        "replica": f"{stem}-{item.service}-{item.process}-{item.labels.get(NUMBER, '')}",
        "run": f"{stem}-{item.service}-{run}-run-{mark}",
        "gateway": f"{stem}-gateway",
        "backing": f"{stem}-{item.backing}",
        "trial": f"{stem}-{item.backing}-trial",
    }
    if item.kind not in names:
        return True
    expected = f"{names[item.kind]}-{machine}" if machine else names[item.kind]
    # the four characters set names apart that are spelled the same
    return re.fullmatch(rf"{re.escape(expected)}(-[0-9a-f]{{4}})?", item.name) is not None


def filters(marks: Mapping[str, str], **more: str) -> dict[str, list[str]]:
    """What selects exactly the things that carry all these labels."""
    wanted = dict(marks) | {f"ecluse.{key}": value for key, value in more.items()}
    return {"label": [f"{key}={value}" for key, value in wanted.items()]}
