"""Column types that are exact on both databases, and the one MetaData.

Integers above 63 bits are decimal text of a fixed width, zeros in front: exact everywhere, and in
the order of the numbers. SQLite has no such number type, PostgreSQL has one that SQLite would
round.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import LargeBinary, MetaData, String
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator

from settle.domain.errors import Broken

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy import Connection, Table
    from sqlalchemy.engine import Dialect

T = TypeVar("T")
KEYS_A_QUERY: Final = 5_000
"""Both databases bound the parameters of a statement: SQLite at 32,766, PostgreSQL at 65,535."""

metadata: Final = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)


class Digits(TypeDecorator[int]):
    """An integer of 0 .. 10**width - 1, as text of exactly `width` digits."""

    impl = String
    cache_ok = True

    def __init__(self, width: int) -> None:
        """`width` in digits."""
        super().__init__(width)
        self.width = width

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:  # noqa: ARG002  the interface
        """Write a number. Raises Broken rather than cut it."""
        if value is None:
            return None
        text = str(value).zfill(self.width)
        if len(text) != self.width or value < 0:
            raise Broken(f"{value} does not fit a column of {self.width} digits")
        return text

    def process_result_value(self, value: str | None, dialect: Dialect) -> int | None:  # noqa: ARG002  the interface
        """Read the number back."""
        return None if value is None else int(value)


class Octets(LargeBinary):
    """Bytes as they are: both drivers take and give `bytes`, nothing is to be converted."""

    def bind_processor(self, dialect: Dialect) -> None:
        """Write them unwrapped."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Give them uncopied."""


def account_bytes() -> Octets:
    """An account's address, 20 bytes."""
    return Octets(20)


def uint128() -> Digits:
    """Quantities, amounts, fees: any uint128 (39 digits)."""
    return Digits(39)


def uint64() -> Digits:
    """Nonces of accounts: any uint64 (20 digits)."""
    return Digits(20)


def upsert(conn: Connection, table: Table) -> Any:  # noqa: ANN401  one of two dialects' Insert
    """An insert that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return upsert_in(conn.dialect.name, table)


def upsert_in(dialect: str, table: Table) -> Any:  # noqa: ANN401  one of two dialects' Insert
    """The same for a dialect by its name."""
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)


def batches(keys: Collection[T], size: int = KEYS_A_QUERY) -> Iterator[list[T]]:
    """Cut keys into as many lists as a statement can take; none where there are no keys."""
    rest = iter(keys)
    while some := list(islice(rest, size)):
        yield some
