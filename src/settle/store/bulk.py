"""Writes many rows by one statement that is prepared once.

SQLAlchemy looks at every parameter of every row anew; for hundreds of rows a commit that costs
more than the database does. Here a statement is compiled once a dialect, and rows go to the driver
as they are, through the same converters of the columns' types.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

if TYPE_CHECKING:
    from sqlalchemy import Connection, Executable, Table
    from sqlalchemy.engine import Dialect

    Row = dict[str, Any]
    Converter = Callable[[Any], Any]


class BulkStatement:
    """An insert or update that is run for many rows at once, always with the same columns."""

    def __init__(self, make: Callable[[str], Executable], columns: Sequence[str] | None) -> None:
        """`make` gives the statement for a dialect's name; `columns` of an insert, None otherwise.

        Every bound parameter of the statement must be among the columns of each row: constants
        would not be sent.
        """
        self._make = make
        self._columns = columns
        self._prepared: dict[str, _Prepared] = {}

    @classmethod
    def of(cls, statement: Executable) -> BulkStatement:
        """Run a statement that is the same in every dialect."""
        return cls(lambda _dialect: statement, None)

    @classmethod
    def inserting(cls, table: Table) -> BulkStatement:
        """Insert rows that have every column of a table."""
        return cls(lambda _dialect: insert(table), [column.name for column in table.columns])

    def run(self, conn: Connection, rows: Sequence[Row]) -> int:
        """Run it for these rows; how many rows of the table it touched.

        Raises: KeyError for a row that lacks a column.
        """
        if not rows:
            return 0
        name = conn.dialect.name
        prepared = self._prepared.get(name)
        if prepared is None:
            prepared = _Prepared(self._make(name), self._columns, conn.dialect)
            self._prepared[name] = prepared
        return conn.exec_driver_sql(prepared.text, prepared.parameters(rows)).rowcount


class _Prepared:
    """The text for one dialect, and what its driver takes for a row."""

    def __init__(
        self, statement: Executable, columns: Sequence[str] | None, dialect: Dialect
    ) -> None:
        compiled: Any = statement.compile(  # type: ignore[attr-defined]  # of every Executable that has SQL
            dialect=dialect, column_keys=None if columns is None else list(columns)
        )
        self.text = str(compiled)
        self._positional = compiled.positional
        names = compiled.positiontup if self._positional else list(compiled.binds)
        types = {name: bind.type for bind, name in compiled.bind_names.items()}
        self._fields: list[tuple[str, Converter | None]] = [
            (name, types[name].dialect_impl(dialect).bind_processor(dialect)) for name in names
        ]

    def parameters(self, rows: Sequence[Row]) -> Any:  # noqa: ANN401  tuples or dicts, as the driver wants
        fields = self._fields
        if self._positional:
            return [
                tuple(
                    row[name] if convert is None else convert(row[name]) for name, convert in fields
                )
                for row in rows
            ]
        return [
            {name: row[name] if convert is None else convert(row[name]) for name, convert in fields}
            for row in rows
        ]
