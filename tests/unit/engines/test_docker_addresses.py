from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.engines.docker import addresses
from ecluse.errors import EngineError

SUBNET = IPv4Network("10.213.4.0/24")


def test_the_first_block_that_touches_no_network_is_taken() -> None:
    taken = ["172.17.0.0/16", "10.212.0.0/22", "10.212.4.0/24", "fd00::/64"]
    assert str(addresses.free_subnet(taken, bits=22)) == "10.212.8.0/22"
    assert str(addresses.free_subnet(taken, bits=24)) == "10.212.5.0/24"
    assert addresses.count_free(taken, bits=24) == 1024 - 5


def test_a_network_around_the_whole_pool_leaves_nothing() -> None:
    with pytest.raises(EngineError, match="no subnet of /22 is left"):
        addresses.free_subnet(["10.0.0.0/8"], bits=22)


def test_replicas_fill_the_gaps_from_below() -> None:
    taken = {"10.213.4.64", "10.213.4.66"}
    assert addresses.free_address(SUBNET, taken, addresses.REPLICA_OFFSETS) == "10.213.4.65"


def test_a_preferred_address_wins_while_it_is_free() -> None:
    offsets = addresses.BACKING_OFFSETS
    assert addresses.free_address(SUBNET, set(), offsets, preferred=20) == "10.213.4.20"
    assert addresses.free_address(SUBNET, {"10.213.4.20"}, offsets, preferred=20) == "10.213.4.16"


@given(st.integers(min_value=0, max_value=60))
def test_a_block_never_overlaps_what_is_taken(count: int) -> None:
    taken: list[str] = []
    for index in range(count):
        bits = 24 if index % 3 else 22
        block = addresses.free_subnet(taken, bits=bits)
        assert not any(block.overlaps(IPv4Network(other)) for other in taken)
        taken.append(str(block))


def test_a_backing_service_gets_the_first_free_place_and_an_environment_has_an_end() -> None:
    assert addresses.free_offset([16, 18]) == 17
    with pytest.raises(EngineError, match="room for 48 backing services"):
        addresses.free_offset(addresses.BACKING_OFFSETS)
