"""Which subnet a network gets and which address a container, from what is taken. Pure.

Every network of an environment (its own, and one per service) has 254 addresses: the bridge at 1, the gateway
at 2, backing services from 16 to 63, replicas and runs above. A backing service has the same place in each network
that it is on. Addresses are chosen, never left to Docker: containers that restart in another order swap those.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError

from ecluse.errors import EngineError

POOL = IPv4Network("10.212.0.0/14")
NETWORK_BITS = 24
GATEWAY_OFFSET = 2
EDGE_OFFSET = 2
BACKING_OFFSETS = range(16, 64)
REPLICA_OFFSETS = range(64, 255)
EDGE_MEMBER_OFFSETS = range(8, 254)


def free_subnet(taken: Iterable[str], *, bits: int) -> IPv4Network:
    """The first block of the pool that overlaps none of `taken` (CIDR texts; others than IPv4 are passed over)."""
    for candidate in _free(taken, bits):
        return candidate
    raise EngineError(
        f"no subnet of /{bits} is left in {POOL}",
        hint="remove environments that nobody needs, with `ecluse down`",
    )


def count_free(taken: Iterable[str], *, bits: int) -> int:
    return sum(1 for _ in _free(taken, bits))


def free_address(
    subnet: IPv4Network, taken: Collection[str], offsets: Iterable[int], *, preferred: int | None = None
) -> str:
    """The first free address at one of `offsets`, or at `preferred` when nobody holds that."""
    if preferred is not None and (address := at(subnet, preferred)) not in taken:
        return address
    for offset in offsets:
        if (address := at(subnet, offset)) not in taken:
            return address
    raise EngineError(f"no address is left in {subnet}", hint="run fewer replicas of this service")


def free_offset(taken: Iterable[int]) -> int:
    """The first place that no backing service of the environment has."""
    held = set(taken)
    for candidate in BACKING_OFFSETS:
        if candidate not in held:
            return candidate
    raise EngineError(
        f"an environment has room for {len(BACKING_OFFSETS)} backing services",
        hint="remove the volumes of those that nobody needs",
    )


def at(subnet: IPv4Network, offset: int) -> str:
    return str(subnet.network_address + offset)


def offset(subnet: IPv4Network, address: str) -> int:
    return int(IPv4Address(address)) - int(subnet.network_address)


def _free(taken: Iterable[str], bits: int) -> Iterator[IPv4Network]:
    blocks = [block for text in taken if (block := _network(text)) is not None and block.overlaps(POOL)]
    for candidate in POOL.subnets(new_prefix=bits):
        if not any(candidate.overlaps(block) for block in blocks):
            yield candidate


def _network(text: str) -> IPv4Network | None:
    try:
        return IPv4Network(text, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        return None
