"""The operator's database, read as one snapshot by plain SQL. It is never asked for truth.

Blocks, events and outcomes are compared range by range as the chain is read; holdings, supplies,
assets and accounts when the replay reaches the block where the database stands; trades last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, exc, text
from sqlalchemy.engine import URL, make_url

from settle.domain.errors import InvalidInput, Unavailable

_DRIVERS: Final = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}
_ROWS_AT_ONCE: Final = 2_000


class UnreadableDatabase(Exception):
    """A table that is compared is not there or not as it should be; `str()` says which."""


@dataclass(frozen=True, slots=True)
class DatabaseCursor:
    """How far the operator's database is: its newest block, and which blocks it calls final."""

    genesis_hash: bytes
    number: int
    hash: bytes
    final_number: int


class OperatorDatabase:
    """One snapshot; every question sees the same state, whatever the operator writes meanwhile."""

    def __init__(self, url: str) -> None:
        """Open it for reading. Raises InvalidInput for an address that is none, Unavailable."""
        address = _address(url)
        self.name = address.render_as_string(hide_password=True)
        self._engine = _engine(address)
        try:
            self._connection = self._engine.connect()
            self._begin(self._connection, address)
        except exc.DBAPIError as error:
            self._engine.dispose()
            message = f"the database {self.name} cannot be opened: {error.orig}"
            raise Unavailable(message, code="database_unavailable") from error

    @staticmethod
    def _begin(connection: Connection, address: URL) -> None:
        if address.get_backend_name() == "sqlite":
            connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")  # takes the snapshot
        else:
            connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            connection.exec_driver_sql("SELECT 1 FROM cursor")

    def cursor(self) -> DatabaseCursor | None:
        """How far it is; None before its first block."""
        rows = self._rows("SELECT genesis_hash, number, hash, final_number FROM cursor")
        found = [DatabaseCursor(bytes(r[0]), int(r[1]), bytes(r[2]), int(r[3])) for r in rows]
        if len(found) > 1:
            raise UnreadableDatabase("cursor has more than one row")
        return found[0] if found else None

    def blocks(self, first: int, last: int) -> list[tuple[int, bytes, bytes, int]]:
        """Number, hash, parent hash and timestamp of stored blocks."""
        rows = self._rows(
            "SELECT number, hash, parent_hash, timestamp FROM blocks "
            "WHERE number BETWEEN :first AND :last ORDER BY number",
            {"first": first, "last": last},
        )
        return [(int(r[0]), bytes(r[1]), bytes(r[2]), int(r[3])) for r in rows]

    def events(self, first: int, last: int) -> list[tuple[tuple[int, int], tuple[Any, ...]]]:
        """Stored events by block and log index: transaction, block's hash, address, content."""
        rows = self._rows(
            "SELECT block_number, log_index, transaction_hash, block_hash, address, topics, data, "
            "kind FROM chain_events WHERE block_number BETWEEN :first AND :last "
            "ORDER BY block_number, log_index",
            {"first": first, "last": last},
        )
        return [
            ((int(r[0]), int(r[1])), (*(bytes(part) for part in r[2:7]), str(r[7]))) for r in rows
        ]

    def outcomes(self, first: int, last: int) -> list[tuple[bytes, tuple[Any, ...]]]:
        """Stored outcomes by instruction: outcome, initiator, nonce, block, transaction, log."""
        rows = self._rows(
            "SELECT instruction, outcome, initiator, nonce, block_number, transaction_hash, "
            "log_index FROM outcomes WHERE block_number BETWEEN :first AND :last "
            "ORDER BY block_number, log_index",
            {"first": first, "last": last},
        )
        return [
            (
                bytes(r[0]),
                (str(r[1]), bytes(r[2]), int(r[3]), int(r[4]), bytes(r[5]), int(r[6])),
            )
            for r in rows
        ]

    def outside(self, table: str, column: str, first: int, last: int) -> list[int]:
        """Blocks of rows that lie outside the followed ones; `table` is one of our own names."""
        rows = self._rows(
            f"SELECT {column} FROM {table} "  # noqa: S608  no text from outside
            f"WHERE {column} < :first OR {column} > :last OR {column} IS NULL",
            {"first": first, "last": last},
        )
        return [-1 if r[0] is None else int(r[0]) for r in rows]

    def holdings(self) -> Iterable[tuple[tuple[bytes, int], tuple[int, int]]]:
        """Every stored holding by account and asset: available and held."""
        for r in self._rows("SELECT account, asset, available, held FROM holdings"):
            yield (bytes(r[0]), int(r[1])), (int(r[2]), int(r[3]))

    def supplies(self) -> Iterable[tuple[int, int]]:
        """Every stored supply by asset."""
        for r in self._rows("SELECT asset, total FROM supplies"):
            yield int(r[0]), int(r[1])

    def assets(self) -> Iterable[tuple[int, tuple[Any, ...]]]:
        """Every stored asset: class, decimals, frozen, code, issuer."""
        statement = "SELECT asset, asset_class, decimals, frozen, code, issuer FROM assets"
        for r in self._rows(statement):
            yield int(r[0]), (int(r[1]), int(r[2]), int(r[3]), str(r[4]), bytes(r[5]))

    def accounts(self) -> Iterable[tuple[bytes, tuple[int, int, int]]]:
        """Every stored account: standing, frozen, class."""
        statement = "SELECT account, standing, frozen, account_class FROM chain_accounts"
        for r in self._rows(statement):
            yield bytes(r[0]), (int(r[1]), int(r[2]), int(r[3]))

    def escrows(self) -> Iterable[tuple[bytes, tuple[bool, str]]]:
        """Every stored escrow: whether it was withdrawn from, and its record as text."""
        for r in self._rows("SELECT escrow, withdrawn, record FROM escrow_states"):
            yield bytes(r[0]), (bool(r[1]), str(r[2]))

    def recorded(self) -> Iterable[tuple[bytes, bool]]:
        """Every instruction whose settlement is stored as remembered by its id."""
        for r in self._rows("SELECT instruction FROM recorded"):
            yield bytes(r[0]), True

    def settled_trades(self) -> Iterable[tuple[str, bytes | None, bytes | None, int | None, str]]:
        """Trades that are called settled: id, digest, transaction, block, terms as JSON."""
        statement = (
            "SELECT trade_id, digest, settled_tx, ended_block, instruction FROM trades "
            "WHERE status = 'Settled' ORDER BY trade_id"
        )
        for r in self._rows(statement):
            yield str(r[0]), _some(r[1]), _some(r[2]), r[3], str(r[4] or "")

    def contradictions(self, final: int) -> Iterable[tuple[Any, ...]]:
        """Trades and outcomes that say different things; outcomes up to `final` count for both.

        Gives trade, its status, digest, transaction and block; outcome, its transaction and block.
        """
        statement = (
            "SELECT t.trade_id, t.status, t.digest, t.settled_tx, t.ended_block, o.outcome, "
            "o.transaction_hash, o.block_number FROM trades t "
            "LEFT JOIN outcomes o ON o.instruction = t.digest WHERE "
            "(t.status = 'Settled' AND (o.outcome IS NULL OR o.outcome <> 'settled' OR "
            "t.settled_tx IS NULL OR t.settled_tx <> o.transaction_hash OR "
            "t.ended_block IS NULL OR t.ended_block <> o.block_number)) OR "
            "(t.status <> 'Settled' AND o.outcome = 'settled' AND o.block_number <= :final) "
            "ORDER BY t.trade_id"
        )
        for r in self._rows(statement, {"final": final}):
            yield (
                *(str(r[0]), str(r[1]), _some(r[2]), _some(r[3]), r[4]),
                *(r[5], _some(r[6]), r[7]),
            )

    def close(self) -> None:
        """End the snapshot."""
        self._connection.close()
        self._engine.dispose()

    def _rows(
        self, statement: str, values: dict[str, int] | None = None
    ) -> Iterable[Sequence[Any]]:
        try:
            found = self._connection.execute(
                text(statement).execution_options(yield_per=_ROWS_AT_ONCE), values or {}
            )
            yield from found
        except (exc.DBAPIError, ValueError, TypeError) as error:
            raise UnreadableDatabase(f"{self.name}: {error}"[:500]) from error


def _address(url: str) -> URL:
    try:
        address = make_url(url)
        driver = _DRIVERS[address.get_backend_name()]
    except (exc.ArgumentError, KeyError):
        message = "a database is sqlite:////path/to/file or postgresql://user@host/name"
        raise InvalidInput("database_url", message) from None
    if driver.startswith("sqlite"):
        if not address.database or address.database == ":memory:":
            raise InvalidInput("database_url", "a SQLite database is a file: sqlite:////path")
        # Read-only, and an error where there is no such file.
        return URL.create(
            driver, database=f"file:{quote(address.database)}", query={"mode": "ro", "uri": "true"}
        )
    return address.set(drivername=driver)


def _engine(address: URL) -> Engine:
    if address.get_backend_name() == "sqlite":
        return create_engine(address, connect_args={"isolation_level": None})
    return create_engine(address, isolation_level="AUTOCOMMIT")


def _some(value: Any) -> bytes | None:  # noqa: ANN401  what a driver gives
    return None if value is None else bytes(value)
