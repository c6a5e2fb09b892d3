"""A venue with an open market, over SQLite; where it matters, over both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from settle.store.database import open_database
from tests.support.venue_world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = open_database(f"sqlite:///{tmp_path / 'settle.sqlite'}")
    made = World(database)
    made.open_market()
    yield made
    database.close()


@pytest.fixture
def world_on_both(engine_url: str) -> Iterator[World]:
    database = open_database(engine_url)
    made = World(database)
    made.open_market()
    yield made
    database.close()
