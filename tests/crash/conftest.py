from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.story import Bench


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    """One place for the database of all runs: in memory where the machine offers it."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="settle-crash-", dir=memory if memory.is_dir() else None))
    made = Bench(folder)
    yield made
    made.engine.dispose()
    shutil.rmtree(folder)
