"""The API over a fresh SQLite database; `any_world` over PostgreSQL as well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from settle.store.database import open_database
from tests.api.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = open_database(f"sqlite:///{tmp_path / 'settle.sqlite'}")
    made = World(database)
    with made.http:
        yield made
    database.close()


@pytest.fixture
def any_world(engine_url: str) -> Iterator[World]:
    database = open_database(engine_url)
    made = World(database)
    with made.http:
        yield made
    database.close()
