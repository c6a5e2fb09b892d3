"""The engines that this machine has, as fixtures: the same tests run on each of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from settle.chain.engine import RunningEngine, anvil_binary, start_engine
from settle.chain.node import Node
from settle.chain.profile import EngineProfile, load_profile
from settle.domain.errors import Unavailable

ROOT = Path(__file__).parents[2]
RICH = 10**24
FUNDED_KEYS = [bytes([0] * 30 + [7, n]) for n in range(1, 4)]


def profile_by_hand(name: str, **changes: object) -> EngineProfile:
    """The engine's profile, with blocks mined only when a test asks."""
    profile = load_profile(ROOT / "chain.toml", name)
    return dataclasses.replace(
        profile, **{"block_interval_ms": 0, "state_interval_s": 0, **changes}
    )  # type: ignore[arg-type]


def skip_if_missing(name: str) -> None:
    """Skip a test whose engine this machine does not have."""
    if name == "anvil":
        try:
            anvil_binary(ROOT)
        except Unavailable as error:
            pytest.skip(error.message)


@pytest.fixture(scope="module", params=["tester", "anvil"])
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningEngine]:
    """A chain of its own for each module, mined by hand."""
    skip_if_missing(request.param)
    from settle.chain.eip712 import address_of

    started = start_engine(
        profile_by_hand(request.param),
        tmp_path_factory.mktemp(request.param),
        root=ROOT,
        fund={address_of(key): RICH for key in FUNDED_KEYS},
    )
    yield started
    started.stop()


@pytest.fixture
def node(engine: RunningEngine) -> Node:
    """Typed reading of the engine."""
    return engine.node()


def mine(node: Node, blocks: int = 1) -> None:
    """Mine blocks."""
    for _ in range(blocks):
        node.rpc.call("evm_mine")
