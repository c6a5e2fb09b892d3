"""One deployed market for all parity tests of a process, put back after each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.parity.lockstep import Lockstep
from tests.parity.market import prepare
from tests.parity.world import START, World


@pytest.fixture(scope="session")
def market() -> Lockstep:
    """Everybody admitted, everybody holding something; deployed and set up once."""
    return prepare(World())


@pytest.fixture
def both(market: Lockstep) -> Iterator[Lockstep]:
    """Contract and twin at the start; the EVM is put back afterwards."""
    evm = market.world.evm
    evm.now = START
    snapshot = evm.snapshot()
    yield market.copy()
    evm.revert(snapshot)
