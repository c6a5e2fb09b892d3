from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).parent))

from audited_world import World, build_world


@pytest.fixture(scope="session", params=["anvil", "tester"])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A market on which everything happened once. Tests of lies only read it."""
    for built in build_world(request.param, tmp_path_factory.mktemp(f"audit-{request.param}")):
        built.life.live_once_each()
        yield built


@pytest.fixture(scope="session")
def anvil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The same on anvil alone."""
    for built in build_world("anvil", tmp_path_factory.mktemp("audit-anvil-lies")):
        built.life.live_once_each()
        yield built


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[World]:
    """A market of its own on anvil, on which nothing happened yet."""
    yield from build_world("anvil", tmp_path / "chain")
