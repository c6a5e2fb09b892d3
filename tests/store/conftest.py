"""A fresh database of the current schema, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from settle.store.database import Database, open_database

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def database(engine_url: str) -> Iterator[Database]:
    opened = open_database(engine_url)
    yield opened
    opened.close()
