"""What the containers of one environment stand on: its networks, and an address for each. Talks to Docker."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from ecluse.engines.docker import addresses, labels, payloads
from ecluse.engines.docker.client import ApiError, Client
from ecluse.engines.docker.containers import Containers
from ecluse.engines.docker.files import lock
from ecluse.engines.docker.labels import Container, Site
from ecluse.errors import EngineError

_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Network:
    id: str
    name: str
    subnet: IPv4Network
    labels: Mapping[str, str]

    @property
    def is_closed(self) -> bool:
        return labels.CLOSED in self.labels

    def holds(self, address: str) -> bool:
        return bool(address) and IPv4Address(address) in self.subnet

    @property
    def service(self) -> str:
        """Whose it is; empty for the network of the environment itself."""
        return self.labels.get(labels.SERVICE, "")


Choice = Callable[[Sequence[Container], Network], tuple[str, payloads.Body]]
"""From what is there already to the name and body of a new container. Pure."""


class Ground:
    """Networks and addresses, allocated under the lock of the machine."""

    def __init__(self, client: Client, containers: Containers, machine: Path) -> None:
        self._client = client
        self._containers = containers
        self._machine = machine

    def lock(self) -> AbstractAsyncContextManager[None]:
        return lock(self._machine / "lock", what="allocating addresses")

    async def network(self, site: Site) -> Network | None:
        """The environment's network; EngineError when something else has its name."""
        return await self.find_network(site.network, site.marks)

    async def existing(self, site: Site) -> Network:
        found = await self.network(site)
        if found is None:
            raise EngineError(
                f"{site.network} does not exist", hint="prepare the environment first: `ecluse deploy`"
            )
        return found

    async def ensure(self, site: Site) -> Network:
        return await self.ensure_network(site.network, site.labels("network"), site.marks)

    async def ensure_of(self, site: Site, service: str, *, closed: bool) -> Network:
        """The network of one service; a closed one has no way out."""
        labelled = site.labels("network", service=service) | ({labels.CLOSED: "true"} if closed else {})
        return await self.ensure_network(site.network_of(service, closed=closed), labelled, labelled)

    async def of_services(self, site: Site) -> list[Network]:
        """The networks of the environment's services, by name."""
        found = await self._list({"label": labels.filters(site.marks)["label"]})
        ours = (
            item
            for item in found
            if item.service and item.name == site.network_of(item.service, closed=item.is_closed)
        )
        return sorted(ours, key=lambda item: item.name)

    async def join(self, network: Network, container: str, address: str) -> None:
        """Puts a container on one more network, running or not; does nothing when it is on it, or when the network
        has gone since it was listed, with the service that it was for."""
        try:
            await self._client.call(
                "POST",
                f"networks/{network.id}/connect",
                what=f"connect to {network.name}",
                body=payloads.joining(container, address),
            )
        except ApiError as error:
            is_joined = error.status == 403 and "already exists" in error.reason
            if not is_joined and not _is_no_network(error):
                raise

    async def leave(self, network: str, container: str) -> None:
        """network: its id. Who is not on it any more has left."""
        try:
            await self._client.call(
                "POST",
                f"networks/{network}/disconnect",
                what="take a container off a network",
                body=payloads.leaving(container),
            )
        except ApiError as error:
            if error.status not in (403, 404) and "is not connected" not in error.reason:
                raise

    async def ensure_network(
        self, name: str, labelled: Mapping[str, str], marks: Mapping[str, str]
    ) -> Network:
        refused: list[str] = []
        async with self.lock():
            for _ in range(_ATTEMPTS):
                found = await self.find_network(name, marks)
                if found is not None:
                    return found
                taken = [*await self._taken(), *_routes(), *refused]
                subnet = addresses.free_subnet(taken, bits=addresses.NETWORK_BITS)
                await self._make(name, labelled, subnet)
                refused.append(str(subnet))
        raise EngineError(f"Docker gives no subnet to {name}: all that were tried overlap with others")

    async def _make(self, name: str, labelled: Mapping[str, str], subnet: IPv4Network) -> None:
        body = payloads.network(name, subnet, labelled)
        try:
            await self._client.call("POST", "networks/create", what=f"create the network {name}", body=body)
        except ApiError as error:
            # another installation took the subnet or the name just now, or a network that goes still holds it
            if error.status not in (403, 409) and "overlap" not in error.reason:
                raise

    async def find_network(self, name: str, marks: Mapping[str, str]) -> Network | None:
        found = await self._list({"name": [f"^{name}$"]})
        match = next((item for item in found if item.name == name), None)
        if match is not None and any(match.labels.get(key) != value for key, value in marks.items()):
            raise EngineError(
                f"the network {name} belongs to something else: {_owner(match.labels)}",
                hint="rename the product or the environment, or remove that network",
            )
        return match

    async def _list(self, filters: Mapping[str, list[str]]) -> list[Network]:
        found = await self._client.call("GET", "networks", what="list networks", params={"filters": filters})
        return [
            Network(str(item["Id"]), item["Name"], IPv4Network(subnet), item.get("Labels") or {})
            for item in found
            for subnet in _subnets(item)[:1]
        ]

    async def remove_network(self, network: Network) -> None:
        """EngineError while something is on it."""
        try:
            await self._client.call(
                "DELETE", f"networks/{network.id}", what=f"remove the network {network.name}"
            )
        except ApiError as error:
            if error.status != 404:
                raise

    async def settle(self, site: Site, network: Network, choose: Choice) -> tuple[str, str]:
        """Creates a container under the lock, so that two never choose the same address; gives id and name."""
        async with self.lock():
            name, body = choose(await self._containers.labelled(site.marks), network)
            try:
                return await self._containers.create(name, body), name
            except ApiError as error:
                if error.status != 409 or "name" not in error.reason:
                    raise
                other = _other_name(name, body)
                return await self._containers.create(other, body), other

    async def remove_idle(self, network: Network) -> None:
        """Removes a network when nothing is on it; one that is in use stays until somebody looks again."""
        try:
            await self.remove_network(network)
        except ApiError as error:
            if not (error.status == 403 and "active endpoints" in error.reason):
                raise

    async def room(self) -> int:
        """How many networks more there are subnets for."""
        return addresses.count_free([*await self._taken(), *_routes()], bits=addresses.NETWORK_BITS)

    async def _taken(self) -> list[str]:
        found = await self._client.call("GET", "networks", what="list networks")
        return [subnet for item in found for subnet in _subnets(item)]


def _is_no_network(error: ApiError) -> bool:
    return error.status == 404 and error.reason.startswith("network ")


def held(found: Sequence[Container]) -> set[str]:
    """The addresses that containers hold, running or not."""
    return {item.address for item in found}


def _subnets(listed: Mapping[str, Any]) -> list[str]:
    blocks = (listed.get("IPAM") or {}).get("Config") or []
    return [block["Subnet"] for block in blocks if "Subnet" in block]


def _other_name(name: str, body: payloads.Body) -> str:
    """For names that are spelled the same though their parts differ (`a-b`, `c` and `a`, `b-c`)."""
    facts = body["Labels"]
    parts = [
        facts.get(key, "") for key in (labels.PRODUCT, labels.ENVIRONMENT, labels.SERVICE, labels.PROCESS)
    ]
    return f"{name}-{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:4]}"


def _owner(labelled: Mapping[str, str]) -> str:
    product, environment = labelled.get(labels.PRODUCT), labelled.get(labels.ENVIRONMENT)
    return f"{environment} of {product}" if product else "not made by ecluse"


def _routes() -> list[str]:
    """The subnets that this machine already reaches otherwise, a VPN for example (proc(5), /proc/net/route)."""
    try:
        rows = [line.split() for line in Path("/proc/net/route").read_text().splitlines()[1:]]
    except OSError:
        return []
    found = []
    for row in rows:
        address, mask = (int.from_bytes(bytes.fromhex(row[column]), "little") for column in (1, 7))
        if mask:
            found.append(str(IPv4Network((address, mask.bit_count()), strict=False)))
    return found
